"""Cases that an office's own officials enter, for whoever walks in: one types, another one checks and confirms, then it is accepted.

Until then there is no case, only a proposal with what was typed; it is judged as upstream's cases are, when it is proposed and again
when it is confirmed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, select

from service import intake, photos
from service.clients import desk_client, desk_client_id
from service.codes import crockford
from service.corrections import REASON_LENGTH, newest
from service.desk import book, proposals
from service.desk.accounts import desk_key
from service.desk.proposals import Proposal
from service.desk.questions import answers_of, body
from service.desk.sessions import Session
from service.document.errors import PhotoInvalid
from service.document.photo import clean_photo
from service.errors import CaseInvalid, Conflict, Fault, NotFound, ReasonRequired, RoleForbids, StateForbids
from service.people import local_day
from service.permits import State
from service.sop.model import Office, OfficeCode, PermitType, RoleCode, TypeCode, Verb
from service.store.desk_tables import Decision, accounts
from service.store.desk_tables import proposals as table
from service.store.tables import mandates, officials, permits

if TYPE_CHECKING:
    from service.wiring import Teken

KIND = "case.entry"
ENTERING = frozenset({Verb.ENTER, Verb.CHECK, Verb.ASSEMBLE})


@dataclass(frozen=True, slots=True, repr=False)
class Draft:
    """What was typed: answers by question, and the photo's name in the archive."""

    type: str
    upstream_id: str
    answers: Mapping[str, str]
    photo: str | None = None

    def payload(self) -> dict[str, Any]:
        """Return it as a proposal keeps it."""
        return {"type": self.type, "answers": dict(self.answers), "photo": self.photo}


@dataclass(frozen=True, slots=True)
class Found:
    """A proposed entry with what the second person needs."""

    proposal: Proposal
    draft: Draft
    kind: PermitType
    by: str
    mine: bool
    correction: bool  # of a case that was returned
    permit: str | None  # once it is accepted
    faults: tuple[Fault, ...]  # found since it was proposed: an STR that ended, say
    warnings: tuple[Fault, ...]
    reason: str  # why somebody declined it


def roles(kind: PermitType, office: Office) -> frozenset[RoleCode]:
    """Return who enters a type's cases and who checks them: whoever enters, checks or assembles them in the office by the SOP.

    Where the SOP leaves all of that to others, it is whoever does its first row here.
    """
    internal = [row for row in kind.procedure.rows if office.roles[row.actor].internal]
    entering = [row for row in internal if row.verb in ENTERING or ENTERING & set(row.acts)]
    return frozenset(row.actor for row in entering or internal[:1])


def entering(teken: Teken, who: Session) -> tuple[PermitType, ...]:
    """Return the permit types that the person may enter today. Raises RoleForbids if there are none."""
    found = types(teken, who)
    if not found:
        raise RoleForbids
    return found


def types(teken: Teken, who: Session) -> tuple[PermitType, ...]:
    """Return the same, or nothing."""
    office = teken.offices.office(OfficeCode(who.account.office))
    return tuple(kind for kind in teken.offices if kind.office == office.code and _holds(who, kind, office))


def type_of(teken: Teken, who: Session, code: str) -> PermitType:
    """Return a type that the person may enter today. Raises NotFound, RoleForbids."""
    try:
        kind = teken.offices.permit_type(OfficeCode(who.account.office), TypeCode(code))
    except KeyError:
        raise NotFound("type_not_found") from None
    if not _holds(who, kind, teken.offices.office(kind.office)):
        raise RoleForbids
    return kind


def fresh_id() -> str:
    """Return an id for a new case."""
    return f"MEJA-{crockford(4)}-{crockford(4)}"


def keep_photo(teken: Teken, kind: PermitType, data: bytes) -> str:
    """Archive a photo made safe; return its name there. Raises CaseInvalid."""
    assert kind.photo is not None, "asked only of types with a photo"
    try:
        return photos.keep(teken, clean_photo(data, ratio=kind.photo.ratio))
    except PhotoInvalid as error:
        raise CaseInvalid(faults=(Fault("/photo", error.code, error.params),)) from None


def photo_ticket(teken: Teken, office: str, name: str) -> str:
    """Return what a form may carry of a photo: its name, with proof that this office's form had it."""
    return f"{name}.{desk_key(teken).hidden('entry/photo', office, name)[:32]}"


def photo_of(teken: Teken, office: str, ticket: str) -> str | None:
    """Return the photo's name of a ticket of this office; None for anything else."""
    name = ticket.partition(".")[0]
    return name if name and ticket == photo_ticket(teken, office, name) else None


def judge(teken: Teken, who: Session, draft: Draft) -> intake.Ready:
    """Judge what was typed as a posted case is. Raises NotFound, RoleForbids, CaseInvalid."""
    kind = type_of(teken, who, draft.type)
    return intake.prepare(teken, desk_client(teken, who.account.office), body_of(teken, kind, draft))


def body_of(teken: Teken, kind: PermitType, draft: Draft) -> dict[str, Any]:
    """Return the case that the answers make."""
    photo = photos.read(teken, draft.photo) if draft.photo else None
    zone = teken.offices.office(kind.office).calendar.timezone
    return body(kind, zone, {**draft.answers, "upstream_id": draft.upstream_id}, photo)


def propose(teken: Teken, who: Session, draft: Draft) -> str:
    """Lay an entry before a second person; the same again is the same proposal, another version takes the place of one's own.

    Raises NotFound, RoleForbids, CaseInvalid, StateForbids (the case is not returned), Conflict("entry_waits": somebody else's).
    """
    ready, client = judge(teken, who, draft), desk_client(teken, who.account.office)
    with teken.db.write() as connection:
        row = entered(connection, who.account.office, draft.upstream_id)
        if row is not None and row.state != State.RETURNED:
            raise StateForbids(state=row.state)
        intake.replaced(connection, client, ready)
        before = _waiting(connection, who.account.office, draft.upstream_id)
    if any(one.proposed_by != who.account.id for one in before):
        raise Conflict("entry_waits")
    if before and before[0].payload == draft.payload():
        return before[0].id
    made = proposals.propose(teken, who.account, KIND, draft.payload(), subject=draft.upstream_id)
    return _only(teken, who, draft.upstream_id, before) or made


def found(teken: Teken, who: Session, proposal: str) -> Found:
    """Return a proposed entry of the person's office. Raises NotFound, RoleForbids."""
    with teken.db.read() as connection:
        one = own_proposal(connection, who, proposal, KIND)
        by = writer(connection, one.proposed_by)
        row = entered(connection, who.account.office, str(one.subject))
    draft = draft_of(one)
    kind = type_of(teken, who, draft.type)
    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()
    if one.state == Decision.OPEN:
        try:
            warnings = judge(teken, who, draft).warnings
        except CaseInvalid as refused:
            faults = refused.faults
    return Found(
        proposal=one,
        draft=draft,
        kind=kind,
        by=by,
        mine=one.proposed_by == who.account.id,
        correction=row is not None and row.state == State.RETURNED,
        permit=row.id if row is not None and one.state == Decision.CONFIRMED else None,
        faults=faults,
        warnings=warnings,
        reason=one.payload.get("reason", ""),
    )


def confirm(teken: Teken, who: Session, proposal: str) -> str:
    """Accept what somebody else entered; return the permit.

    Raises NotFound, RoleForbids, CaseInvalid, Conflict: "own_proposal", "proposal_decided", and what accepting raises.
    """
    with teken.db.read() as connection:
        draft = draft_of(own_proposal(connection, who, proposal, KIND))
    ready = judge(teken, who, draft)
    client = desk_client(teken, who.account.office)
    stored: list[Row[Any]] = []

    def carry(teken: Teken, connection: Connection, one: Proposal) -> None:
        row = intake.store(connection, teken, client, ready)
        stored.append(row)
        by = {"office": one.office, "account": who.account.id, "permit": row.id, "proposal": one.id}
        book.note(teken, action="case.entered", connection=connection, **by)

    proposals.confirm(teken, who.account, proposal, carry)
    teken.doorbell.ring(stored[0].queue, stored[0].id)
    return str(stored[0].id)


def decline(teken: Teken, who: Session, proposal: str, kind: str = KIND, *, reason: str = "") -> None:
    """Decline somebody's entry or import with a reason, or take one's own back.

    Raises NotFound, RoleForbids, ReasonRequired, Conflict("proposal_decided").
    """
    with teken.db.read() as connection:
        one = own_proposal(connection, who, proposal, kind)
    type_of(teken, who, one.payload["type"])
    told = " ".join(reason.split())[:REASON_LENGTH]
    if one.proposed_by != who.account.id and not told:
        raise ReasonRequired
    proposals.refuse(teken, who.account, proposal, proposals.explained(told) if told else None)


def again(teken: Teken, who: Session, permit: str) -> Draft:
    """Return the answers of a returned case that was entered here, to be corrected. Raises NotFound, RoleForbids, StateForbids."""
    office = who.account.office
    with teken.db.read() as connection:
        mine = (permits.c.id == permit) & (permits.c.office == office)
        row = connection.execute(select(permits).where(mine)).first()
        if row is None or row.client != desk_client_id(office):
            raise NotFound("permit_unknown")
        kind = type_of(teken, who, row.type)
        if row.state != State.RETURNED:
            raise StateForbids(state=row.state)
        last = newest(connection, row)
    case = json.loads(last.body)
    zone = teken.offices.office(OfficeCode(office)).calendar.timezone
    photo = last.photo_sha
    kept = photo if photo and teken.archive.has(photo) else None
    return Draft(row.type, row.upstream_id, answers_of(kind, zone, case), kept)


def correctable(teken: Teken, who: Session, permit: str) -> bool:
    """Tell whether the person may correct this case in the form."""
    try:
        again(teken, who, permit)
    except (NotFound, RoleForbids, StateForbids):
        return False
    return True


def own_proposal(connection: Connection, who: Session, proposal: str, kind: str) -> Proposal:
    """Return a proposal of the person's office, of this kind. Raises NotFound."""
    mine = (table.c.id == proposal) & (table.c.office == who.account.office) & (table.c.kind == kind)
    row = connection.execute(select(table).where(mine)).first()
    if row is None:
        raise NotFound("proposal_unknown")
    return Proposal.of(row)


def entered(connection: Connection, office: str, upstream_id: str) -> Row[Any] | None:
    """Return the permit of a case that was entered here, if it is accepted."""
    mine = (permits.c.client == desk_client_id(office)) & (permits.c.upstream_id == upstream_id)
    return connection.execute(select(permits).where(mine)).first()


def writer(connection: Connection, account: str) -> str:
    """Return an account's name."""
    return str(connection.execute(select(accounts.c.name).where(accounts.c.id == account)).scalar_one())


def holders(teken: Teken, office: str) -> dict[str, tuple[str, ...]]:
    """Return who holds which role today: names to choose from."""
    day = local_day(teken.offices.office(OfficeCode(office)), teken.clock.now()).isoformat()
    current = (mandates.c.valid_from <= day) & (mandates.c.valid_to.is_(None) | (mandates.c.valid_to >= day))
    query = select(mandates.c.role, officials.c.name).join(officials, mandates.c.official == officials.c.id)
    held: dict[str, list[str]] = {}
    with teken.db.read() as connection:
        for role, name in connection.execute(query.where(mandates.c.office == office, current)).all():
            held.setdefault(role, []).append(name)
    return {role: tuple(sorted(set(names))) for role, names in held.items()}


def draft_of(one: Proposal) -> Draft:
    """Return what a proposed entry says."""
    return Draft(one.payload["type"], str(one.subject), one.payload["answers"], one.payload["photo"])


def _holds(who: Session, kind: PermitType, office: Office) -> bool:
    return who.account.official is not None and not roles(kind, office).isdisjoint(who.roles)


def _waiting(connection: Connection, office: str, subject: str) -> list[Proposal]:
    """Return the open entries of a case, newest first."""
    mine = (table.c.office == office) & (table.c.kind == KIND) & (table.c.subject == subject)
    query = select(table).where(mine, table.c.state == str(Decision.OPEN))
    rows = connection.execute(query.order_by(table.c.proposed_at.desc(), table.c.id.desc())).all()
    return [Proposal.of(row) for row in rows]


def _only(teken: Teken, who: Session, subject: str, before: list[Proposal]) -> str | None:
    """Take back the versions before; of two that came at once the later one stays."""
    for older in before:
        _take_back(teken, who, older.id)
    with teken.db.read() as connection:
        newest_first = _waiting(connection, who.account.office, subject)
    for older in newest_first[1:]:
        _take_back(teken, who, older.id)
    return newest_first[0].id if newest_first else None


def _take_back(teken: Teken, who: Session, proposal: str) -> None:
    with suppress(Conflict):  # somebody has decided meanwhile
        proposals.refuse(teken, who.account, proposal)
