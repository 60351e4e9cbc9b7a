"""Steps 3 and 9, officials' acts: verify, paraf, approve, return; orders to sign; print, deliver, hand over; decisions after issue.

Each goes through the gate of `service.turn` and is one transaction.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, func, insert, select

from service import flow, gate, highwater, journal, moves
from service.archive import sha256
from service.clock import stamp
from service.codes import normalised_ticket
from service.corrections import newest
from service.errors import Conflict, Fault, Forbidden, Invalid, RoleForbids, StateForbids
from service.flow import READINGS
from service.impersonal import refuse_personal
from service.people import Actor, actor, local_day, signatory
from service.permits import State
from service.pins import Bundle
from service.sop.model import Verb
from service.steps.fitness import CertificateUnfit, fit_signatory
from service.steps.number import allot
from service.steps.paper import ordered_number
from service.store import dispatches
from service.store.permits import change
from service.store.tables import handovers, permits, prints, tickets
from service.turn import Desk, Stood, answer, at_desk, locked, reasoned
from signing import EvidenceFailed

if TYPE_CHECKING:
    from service.wiring import Teken

IDENTITIES = ("ktp", "surat_kuasa")
CAUSES = ("hilang", "rusak", "salinan")
"""Why a released paper is printed again."""
COUNTER = (Verb.PRINT, Verb.DELIVER, Verb.SURVEY, Verb.HANDOVER, Verb.RECEIVE)
RETURNABLE = frozenset({State.RECEIVED, State.DRAFTED, State.IN_PARAF, State.NUMBERED})


def read(
    teken: Teken, official: str, permit: str, verb: Verb, *, seen_sha: str | None, stood: Stood | None = None
) -> dict[str, Any]:
    """Verify, paraf or approve what was seen: binds the content's manifest and records the bytes' hash.

    `stood`: a form sent twice, by somebody who also holds the next role, is one act.

    Raises StateForbids (not due), Conflict("seen_differs") when the paper changed since it was opened, RoleForbids, MandateExpired.
    """
    assert verb in READINGS, verb

    def act(desk: Desk) -> Row[Any]:
        paper = desk.row.final_sha or desk.row.draft_sha
        if paper != seen_sha:
            raise Conflict("seen_differs")
        return desk.finish(f"permit.{_PAST[verb]}", document_sha=paper)

    return at_desk(teken, official, permit, verb, act, stood)


def order_signature(
    teken: Teken,
    official: str,
    permit: str,
    *,
    seen_sha: str | None,
    also: Callable[[Connection], None] | None = None,
) -> dict[str, Any]:
    """The head orders the TTE on exactly the bytes that he read; the signing process carries it out.

    `also` is written in the same transaction as the order: a batch enters there what waits for its signature.

    Where the office numbers with the order, the number is allotted in that transaction too; one that the permit has stays.

    If somebody else signs today than the paper names, it is made again first: raises Conflict("signatory_changed").
    Raises CertificateUnfit, NoTimestamper where a number would be spent on a paper that can't be signed, NumberingClosed.
    """
    stale: list[str] = []
    gate.pass_through(teken)
    _check_fitness(teken, official, permit)

    def act(desk: Desk) -> Row[Any]:
        if desk.row.final_sha is None or desk.row.final_sha != seen_sha:
            raise Conflict("seen_differs")
        dispatches.refuse_unsettled(desk.connection, desk.row.id)
        now = teken.clock.now()
        today = signatory(desk.connection, desk.bundle.office, str(desk.act.role), now)
        if today.as_json() != desk.row.signatory:
            stale.append(desk.row.id)
            moved = moves.settle(desk.connection, desk.row, desk.bundle.permit_type.procedure, now, final_sha=None)
            moves.tell(desk.connection, teken, moved, "permit.paper_outdated", {"reason": "signatory_changed"})
            return moved
        if desk.actor.official != today.official:
            raise Conflict("not_the_signatory")
        procedure = desk.bundle.permit_type.procedure
        fixed = allot(desk.connection, teken, desk.row, desk.bundle) if procedure.number_at_sign else None
        order = {"state": State.SIGNING, "ordered_sha": seen_sha, **(fixed.columns if fixed else {})}
        moved = moves.settle(desk.connection, desk.row, procedure, now, **order)
        told = {"sha256": seen_sha, "mandate": desk.actor.mandate}
        if fixed is not None:
            told |= ordered_number(moved)
            if fixed.new:
                moves.tell(desk.connection, teken, moved, "permit.numbered", fixed.told)
        moves.tell(desk.connection, teken, moved, "permit.sign_ordered", told)
        if also is not None:
            also(desk.connection)
        return moved

    ordered = at_desk(teken, official, permit, Verb.SIGN, act)
    if stale:
        raise Conflict("signatory_changed")
    highwater.rise(teken)
    return ordered


def _check_fitness(teken: Teken, official: str, permit: str) -> None:
    """Outside the transaction, since it may ask the network; for nobody but whose turn it is, whom the transaction looks at again."""
    bundle = moves.pinned(teken, permit)
    procedure = bundle.permit_type.procedure
    if not procedure.number_at_sign:
        return
    with teken.db.read() as connection:
        row = connection.execute(select(permits).where(permits.c.id == permit)).one()
        due = flow.at(procedure, row.position)
        if row.queue != "person" or due is None or due.verb is not Verb.SIGN:
            return
        actor(connection, bundle.office, official, str(due.role), local_day(bundle.office, teken.clock.now()))
    try:
        fit_signatory(teken, bundle)
    except EvidenceFailed as failed:
        raise CertificateUnfit(failed.code) from failed


def give_back(teken: Teken, official: str, permit: str, *, reason: str, stood: Stood | None = None) -> dict[str, Any]:
    """Return the case to upstream with a reason, instead of the reading or signature that is due. A number is kept for the correction.

    Raises, besides what every act raises, ReasonRequired and Invalid(reason_personal).
    """
    reason = reasoned(reason)

    def act(desk: Desk) -> Row[Any]:
        if desk.row.state not in RETURNABLE or desk.act.verb not in {*READINGS, Verb.SIGN}:
            raise StateForbids(state=desk.row.state)
        refuse_personal(reason, newest(desk.connection, desk.row).body, "/uraian")
        now = teken.clock.now()
        moved = change(desk.connection, desk.row, now, state=State.RETURNED, queue="none")
        moves.tell(
            desk.connection, teken, moved, "case.returned", {"by": "official", "role": desk.act.role, "reason": reason}
        )
        return moved

    return at_desk(teken, official, permit, None, act, stood)


def print_paper(teken: Teken, official: str, permit: str) -> dict[str, Any]:
    """Log a print: before issue a DRAF copy without QR, afterwards the released bytes themselves (I8)."""

    def act(desk: Desk) -> Row[Any]:
        released = desk.row.released_sha
        sha, kind = released or desk.row.draft_sha, "asli" if released else "draf"
        number = _print(desk.connection, desk.row.id, kind, sha, desk.actor, teken.clock.now())
        return desk.finish("permit.printed", document_sha=sha, data={"kind": kind, "no": number})

    return at_desk(teken, official, permit, Verb.PRINT, act)


def print_released(
    teken: Teken, official: str, permit: str, *, cause: str | None = None, reason: str = ""
) -> dict[str, Any]:
    """Log a print of the released bytes that no row of the SOP waits for. After the first one (`asli`) each needs a cause and a reason.

    Returns also the print's number, `print`. Raises StateForbids (not in force, or the SOP's own print is due), Invalid, ReasonRequired.
    """
    bundle = moves.pinned(teken, permit)
    procedure = bundle.permit_type.procedure
    with teken.db.write() as connection:
        row = locked(connection, permit, bundle)
        due = flow.at(procedure, row.position)
        if row.state != State.IN_FORCE or (due is not None and due.verb is Verb.PRINT):
            raise StateForbids(state=row.state, due=str(due.verb) if due else "")
        now = teken.clock.now()
        who = _one_of_the_counter(connection, bundle, official, local_day(bundle.office, now))
        mine = (prints.c.permit == row.id) & (prints.c.sha == row.released_sha)
        again = connection.execute(select(prints.c.no).where(mine)).first() is not None
        if again and cause not in CAUSES:
            raise Invalid(faults=(Fault("/cause", "not_a_choice", {"choices": ", ".join(CAUSES)}),))
        kind, why = ("ulang", f"{cause}: {reasoned(reason)}") if again else ("asli", None)
        number = _print(connection, row.id, kind, row.released_sha, who, now, why)
        told = {"role": who.role, "kind": kind, "no": number} | ({"cause": cause} if again else {})
        moves.tell(connection, teken, row, "permit.reprinted" if again else "permit.printed", told)
    return {**answer(row), "print": number}


def _print(
    connection: Connection, permit: str, kind: str, sha: str, who: Actor, now: datetime, reason: str | None = None
) -> int:
    number = int(connection.execute(select(func.count()).where(prints.c.permit == permit)).scalar_one()) + 1
    row = {"permit": permit, "no": number, "kind": kind, "sha": sha, "by": who.official, "reason": reason}
    connection.execute(insert(prints).values(**row, at=stamp(now)))
    return number


def _one_of_the_counter(connection: Connection, bundle: Bundle, official: str, day: date) -> Actor:
    """Return the person in the first role of the counter that he holds. Raises as `people.actor` does of the last one."""
    refused: Forbidden | None = None
    for role in {str(act.role): None for act in bundle.permit_type.procedure.plan if act.verb in COUNTER}:
        try:
            return actor(connection, bundle.office, official, role, day)
        except Forbidden as refusal:
            refused = refusal
    raise refused or RoleForbids


def deliver(teken: Teken, official: str, permit: str) -> dict[str, Any]:
    """Pass the paper on to the counter, or enter it in the register of papers to hand over."""
    return at_desk(teken, official, permit, Verb.DELIVER, lambda desk: desk.finish("permit.delivered"))


def hand_over(
    teken: Teken,
    official: str,
    permit: str,
    *,
    identity: str,
    ticket: str,
    reference: str | None = None,
    receipt: str | None = None,
) -> dict[str, Any]:
    """Hand the paper over against the ticket and the holder's KTP, or a surat kuasa; entered in the handover register.

    `reference` is what the office files the surat kuasa under, `receipt` joins what was handed over together.
    """
    if identity not in IDENTITIES:
        raise Invalid(faults=(Fault("/identity", "not_a_choice", {"choices": ", ".join(IDENTITIES)}),))

    def act(desk: Desk) -> Row[Any]:
        known = desk.connection.execute(
            select(tickets.c.code).where(tickets.c.permit == desk.row.id)
        ).scalar_one_or_none()
        shown = normalised_ticket(ticket).encode(errors="replace")  # compare_digest refuses text beyond ASCII
        if known is None or not secrets.compare_digest(known.encode(), shown):
            raise Conflict("ticket_differs")
        journal.hold(desk.connection)  # two counters at once: the second waits for its number instead of failing
        mine = select(func.max(handovers.c.no)).where(handovers.c.office == desk.row.office)
        number = (desk.connection.execute(mine).scalar_one() or 0) + 1
        row = {
            "permit": desk.row.id,
            "no": number,
            "office": desk.row.office,
            "identity": identity,
            "reference": reference,
            "receipt": receipt,
            "by": desk.actor.official,
        }
        desk.connection.execute(insert(handovers).values(**row, at=stamp(teken.clock.now())))
        return desk.finish("permit.handed_over", data={"no": number, "identity": identity})

    return at_desk(teken, official, permit, Verb.HANDOVER, act)


def receive(teken: Teken, official: str, permit: str) -> dict[str, Any]:
    """Record that the holder has the paper in hand and signed the book."""
    return at_desk(teken, official, permit, Verb.RECEIVE, lambda desk: desk.finish("permit.received_by_holder"))


def decide(teken: Teken, official: str, permit: str, *, to: State, decision: str, reason: str) -> dict[str, Any]:
    """After issue: suspend, resume or revoke by the head's decision, named by its number. What is not in force is not handed over.

    Raises StateForbids unless the table of transitions allows it.
    """
    bundle = moves.pinned(teken, permit)
    with teken.db.write() as connection:
        moved = decide_in(connection, teken, bundle, official, permit, to=to, decision=decision, reason=reason)
    if moved.queue == "work":
        teken.doorbell.ring(moved.queue, moved.id)
    return answer(moved)


def decide_in(
    connection: Connection,
    teken: Teken,
    bundle: Bundle,
    official: str,
    permit: str,
    *,
    to: State,
    decision: str,
    reason: str,
    **told: str,
) -> Row[Any]:
    """As `decide`, in the caller's transaction, who rings the doorbell; `told`: what the journal is told besides."""
    reason, decision = reasoned(reason), reasoned(decision)
    row = locked(connection, permit, bundle)
    now = teken.clock.now()
    who = head_of(connection, bundle, official, local_day(bundle.office, now))
    if (row.state, to) not in _DECISIONS:
        raise StateForbids(state=row.state)
    moved = moves.settle(connection, row, bundle.permit_type.procedure, now, state=to, fault=row.fault)
    told |= {"decision": decision, "reason_sha256": sha256(reason.encode()), "mandate": who.mandate}
    moves.tell(connection, teken, moved, _DECISIONS[row.state, to], told)
    return moved


def head_of(connection: Connection, bundle: Bundle, official: str, day: date) -> Actor:
    """Return the person if he holds the role that signs this type on that day. Raises RoleForbids, MandateExpired."""
    return actor(connection, bundle.office, official, bundle.permit_type.procedure.signing_role, day)


def resume_parked(teken: Teken, permit: str) -> dict[str, Any]:
    """The operator sends a parked permit back to the step at which it stuck, with its attempts counted anew."""
    bundle = moves.pinned(teken, permit)
    with teken.db.write() as connection:
        row = locked(connection, permit, bundle)
        if row.parked_from is None or row.state == State.CLOSED:
            raise StateForbids(state=row.state)
        state = row.parked_from if row.state == State.PARKED else row.state
        moved = moves.settle(
            connection, row, bundle.permit_type.procedure, teken.clock.now(), state=state, parked_from=None
        )
        moves.tell(connection, teken, moved, "permit.resumed", {"state": moved.state})
    teken.doorbell.ring(moved.queue, moved.id)
    return answer(moved)


_PAST = {Verb.VERIFY: "verified", Verb.PARAF: "parafed", Verb.APPROVE: "approved"}
_DECISIONS = {
    (State.IN_FORCE, State.SUSPENDED): "permit.suspended",
    (State.SUSPENDED, State.IN_FORCE): "permit.resumed_in_force",
    (State.IN_FORCE, State.REVOKED): "permit.revoked",
    (State.SUSPENDED, State.REVOKED): "permit.revoked",
}
