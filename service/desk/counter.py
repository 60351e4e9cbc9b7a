"""The counter: one permit's slip with what is due there, finding it by ticket, prints and hand-overs. The acts check mandates."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, select

from service import acts, flow, surveys
from service.clock import instant
from service.codes import normalised_ticket
from service.desk.access import content, own
from service.desk.sessions import Session
from service.errors import Fault, Invalid, NotFound, RoleForbids, StateForbids, TekenError
from service.people import local_day
from service.permits import State
from service.queries import Document
from service.sop.model import Verb
from service.store.tables import acts as done
from service.store.tables import handovers, officials, permits, prints, tickets
from service.turn import Stood

if TYPE_CHECKING:
    from service.wiring import Teken

REFERENCE_LENGTH = 80
MOST_TICKETS = 100
PAGE = 100
IDENTITIES = acts.IDENTITIES
CAUSES = acts.CAUSES


@dataclass(frozen=True, slots=True)
class Print:
    """One print of a permit's paper. `kind`: draf, asli, ulang."""

    no: int
    kind: str
    reason: str | None
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class Handover:
    """One line of the handover register."""

    no: int
    at: str
    permit: str
    number: str
    name: str
    type: str
    identity: str
    reference: str | None
    receipt: str | None
    by: str


@dataclass(frozen=True, slots=True)
class Slip:
    """What the counter needs of one permit."""

    id: str
    upstream_id: str
    name: str
    type: str
    place: str
    number: str | None
    valid_to: str | None
    state: State
    verb: Verb | None  # what is due at the counter
    mine: bool
    role: str  # title of who does it
    revision: int
    position: int
    ticket: bool
    printable: bool  # the released paper, beside the SOP's own print
    printed: bool  # it was printed before, so that another print needs a reason
    prints: tuple[Print, ...]
    handover: Handover | None

    @property
    def act(self) -> Verb | None:
        """The act that the person may do now."""
        return self.verb if self.mine else None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one ticket of many. `code`: "ok", "survey" (the SKM comes first), or why not."""

    ticket: str
    code: str
    permit: str | None = None
    number: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Collective:
    """A hand-over of several papers to one bearer; `receipt` names those that he got."""

    receipt: str | None
    outcomes: tuple[Outcome, ...]

    @property
    def waiting(self) -> tuple[Outcome, ...]:
        """Those for which the SKM comes first."""
        return tuple(one for one in self.outcomes if one.code == "survey")


def slip(teken: Teken, who: Session, permit: str) -> Slip:
    """Return a permit of the person's own office. Raises NotFound."""
    with teken.db.read() as connection:
        row = own(connection, who, permit)
        bundle = teken.pins.open(row.pin)
        case = content(connection, row, bundle)
        act = flow.at(bundle.permit_type.procedure, row.position) if row.queue == "person" else None
        verb = act.verb if act is not None and act.verb in acts.COUNTER else None
        listed = _prints(connection, row.id)
        given = _handovers(teken, connection, handovers.c.permit == row.id)
        ticket = connection.execute(select(tickets.c.permit).where(tickets.c.permit == row.id)).first()
    return Slip(
        id=row.id,
        upstream_id=row.upstream_id,
        name=str(case.get("applicant.nama")),
        type=bundle.permit_type.name,
        place=str(case.get("practice.nama")),
        number=row.number,
        valid_to=row.valid_to,
        state=State(row.state),
        verb=verb,
        mine=verb is not None and act is not None and act.role in who.roles,
        role=bundle.office.roles[act.role].title if act is not None and act.role is not None else "",
        revision=row.revision,
        position=row.position,
        ticket=ticket is not None,
        printable=row.state == State.IN_FORCE and verb is not Verb.PRINT,
        printed=any(sha == row.released_sha for _, sha in listed),
        prints=tuple(one for one, _ in listed),
        handover=given[0] if given else None,
    )


def by_ticket(teken: Teken, who: Session, typed: str) -> str | None:
    """Return the permit of the person's own office that this ticket belongs to."""
    with teken.db.read() as connection:
        row = _of_ticket(connection, who, typed)
    return row.id if row is not None else None


def print_due(teken: Teken, who: Session, permit: str, stood: Stood) -> int:
    """Log the print that the SOP waits for and return its number. A form that is sent twice is one print."""
    _once(teken, who, permit, stood, Verb.PRINT, acts.print_paper)
    with teken.db.read() as connection:
        return _prints(connection, permit)[-1][0].no


def print_again(teken: Teken, who: Session, permit: str, *, cause: str | None, reason: str) -> int:
    """Log a print of the released paper beside the SOP's own; return its number. After the first one each needs a reason."""
    _known(teken, who, permit)
    return int(acts.print_released(teken, acting(who), permit, cause=cause, reason=reason)["print"])


def printed(teken: Teken, who: Session, permit: str, no: int) -> Document:
    """Return the very bytes of a logged print. Raises NotFound."""
    with teken.db.read() as connection:
        row = own(connection, who, permit)
        mine = (prints.c.permit == row.id) & (prints.c.no == no)
        sha = connection.execute(select(prints.c.sha).where(mine)).scalar_one_or_none()
    if sha is None:
        raise NotFound
    kind = "izin" if sha == row.released_sha else "draf"
    return Document(teken.archive.get(sha), sha, f"{kind}-{row.id}.pdf")


def pass_on(teken: Teken, who: Session, permit: str, stood: Stood) -> None:
    """Deliver the paper to the counter. A form that is sent twice is one act."""
    _once(teken, who, permit, stood, Verb.DELIVER, acts.deliver)


def receive(teken: Teken, who: Session, permit: str, stood: Stood) -> None:
    """Record that the holder has the paper and signed the book."""
    _once(teken, who, permit, stood, Verb.RECEIVE, acts.receive)


def fill_survey(teken: Teken, who: Session, permit: str, stood: Stood, answers: Mapping[str, int]) -> None:
    """Take the SKM form at the counter."""

    def fill(teken: Teken, official: str, permit: str) -> object:
        return surveys.take(teken, official, permit, answers=answers)

    _once(teken, who, permit, stood, Verb.SURVEY, fill)


def decline_survey(teken: Teken, who: Session, permit: str, stood: Stood, *, later: bool) -> None:
    """Record that the holder does not answer, or later."""

    def decline(teken: Teken, official: str, permit: str) -> object:
        return surveys.decline(teken, official, permit, later=later)

    _once(teken, who, permit, stood, Verb.SURVEY, decline)


def hand_over(
    teken: Teken, who: Session, permit: str, stood: Stood, *, identity: str, ticket: str, reference: str
) -> None:
    """Hand one paper over. A surat kuasa needs the reference under which the office files it."""
    kept = _reference(reference) if identity == "surat_kuasa" else None

    def give(teken: Teken, official: str, permit: str) -> object:
        return acts.hand_over(teken, official, permit, identity=identity, ticket=ticket, reference=kept)

    _once(teken, who, permit, stood, Verb.HANDOVER, give)


def hand_over_together(
    teken: Teken,
    who: Session,
    typed: str,
    *,
    reference: str,
    answers: Mapping[str, int] | None = None,
    declined: bool = False,
) -> Collective:
    """Hand several papers to whoever brings their tickets and one surat kuasa: each permit is its own transaction with its own outcome.

    `answers`: one SKM form for all of them that still wait for one; it is counted once. `declined`: the bearer does not answer.
    """
    codes = list(dict.fromkeys(filter(None, (normalised_ticket(one) for one in typed.replace(",", " ").split()))))
    if not codes:
        raise Invalid(faults=(Fault("/tiket", "required"),))
    if len(codes) > MOST_TICKETS:
        raise Invalid(faults=(Fault("/tiket", "too_many_items", {"limit": str(MOST_TICKETS)}),))
    if answers is not None:
        surveys.check_answers(answers)
    bearer = _Bearer(teken, who, acting(who), _reference(reference), secrets.token_hex(8), answers, declined)
    outcomes = tuple(bearer.fetch(code) for code in codes)
    return Collective(bearer.receipt if any(one.code == "ok" for one in outcomes) else None, outcomes)


def receipt(teken: Teken, who: Session, receipt_id: str) -> list[Handover]:
    """Return what was handed over together, in this office. Raises NotFound."""
    with teken.db.read() as connection:
        mine = (handovers.c.receipt == receipt_id) & (handovers.c.office == who.account.office)
        found = _handovers(teken, connection, mine)
    if not found:
        raise NotFound
    return list(reversed(found))


def handover_book(
    teken: Teken, who: Session, *, year: int, page: int = 1, everything: bool = False
) -> tuple[list[Handover], int]:
    """Return a page of a year's hand-overs, newest first, and how many pages there are."""
    office = teken.offices.office(who.account.office)
    with teken.db.read() as connection:
        mine = (handovers.c.office == who.account.office) & handovers.c.at.between(
            f"{year - 1}-12-31", f"{year + 1}-01-02"
        )
        numbers = connection.execute(
            select(handovers.c.no, handovers.c.at).where(mine).order_by(handovers.c.no.desc())
        ).all()
        of_year = [one.no for one in numbers if local_day(office, instant(one.at)).year == year]
        pages = max(1, -(-len(of_year) // PAGE))
        page = min(max(page, 1), pages)
        shown = of_year if everything else of_year[(page - 1) * PAGE : page * PAGE]
        listed = []
        for start in range(0, len(shown), PAGE):
            chosen = (handovers.c.office == who.account.office) & handovers.c.no.in_(shown[start : start + PAGE])
            listed += _handovers(teken, connection, chosen)
    return listed, pages


def acting(who: Session) -> str:
    """Return the official behind the session. Raises RoleForbids: an account that is no official's acts nowhere."""
    if who.account.official is None:
        raise RoleForbids
    return who.account.official


@dataclass(slots=True)
class _Bearer:
    """Somebody with many tickets, one after the other."""

    teken: Teken
    who: Session
    official: str
    reference: str
    receipt: str
    answers: Mapping[str, int] | None
    declined: bool
    counted: bool = True

    def fetch(self, code: str) -> Outcome:
        with self.teken.db.read() as connection:
            row = _of_ticket(connection, self.who, code)
            if row is None:
                return Outcome(code, "ticket_unknown")
            bundle = self.teken.pins.open(row.pin)
            name = str(content(connection, row, bundle).get("applicant.nama"))
        due = flow.at(bundle.permit_type.procedure, row.position) if row.queue == "person" else None
        try:
            if due is not None and due.verb is Verb.SURVEY and not self._surveyed(row.id):
                return Outcome(code, "survey", row.id, row.number, name)
            how: dict[str, Any] = {"identity": "surat_kuasa", "reference": self.reference, "receipt": self.receipt}
            acts.hand_over(self.teken, self.official, row.id, ticket=code, **how)
        except StateForbids:
            return Outcome(code, _why_not(self.teken, row.id), row.id, row.number, name)
        except TekenError as refused:
            return Outcome(code, refused.code, row.id, row.number, name)
        return Outcome(code, "ok", row.id, row.number, name)

    def _surveyed(self, permit: str) -> bool:
        if self.declined:
            surveys.decline(self.teken, self.official, permit, later=False)
            return True
        if self.answers is None:
            return False
        surveys.take(self.teken, self.official, permit, answers=self.answers, counted=self.counted)
        self.counted = False
        return True


def _why_not(teken: Teken, permit: str) -> str:
    with teken.db.read() as connection:
        given = connection.execute(select(handovers.c.no).where(handovers.c.permit == permit)).first()
    return "handed_over_already" if given else "not_ready_to_hand_over"


def _once(teken: Teken, who: Session, permit: str, stood: Stood, verb: Verb, act: Any) -> None:
    """Act where the form says that the case stood. A form that was carried out already, perhaps just now by its twin, is content."""
    official = acting(who)
    with teken.db.read() as connection:
        row = own(connection, who, permit)
    try:
        if stood != (row.revision, row.position):
            raise StateForbids(state=row.state, due=str(verb))
        act(teken, official, permit)
    except StateForbids:
        if not _did(teken, official, permit, stood, verb):
            raise


def _did(teken: Teken, official: str, permit: str, stood: Stood, verb: Verb) -> bool:
    """Tell whether this form was carried out already."""
    mine = (done.c.permit == permit) & (done.c.revision == stood[0]) & (done.c.position == stood[1])
    mine &= (done.c.verb == str(verb)) & (done.c.official == official) & done.c.voided_at.is_(None)
    with teken.db.read() as connection:
        return connection.execute(select(done.c.id).where(mine)).first() is not None


def _known(teken: Teken, who: Session, permit: str) -> None:
    with teken.db.read() as connection:
        own(connection, who, permit)


def _reference(text: str) -> str:
    kept = " ".join(text.split())
    if not kept:
        raise Invalid(faults=(Fault("/surat", "required"),))
    if len(kept) > REFERENCE_LENGTH:
        raise Invalid(faults=(Fault("/surat", "too_long", {"limit": str(REFERENCE_LENGTH)}),))
    return kept


def _of_ticket(connection: Connection, who: Session, typed: str) -> Row[Any] | None:
    mine = (tickets.c.code == normalised_ticket(typed)) & (permits.c.office == who.account.office)
    query = select(permits).join(tickets, tickets.c.permit == permits.c.id)
    return connection.execute(query.where(mine)).first()


def _prints(connection: Connection, permit: str) -> list[tuple[Print, str]]:
    query = select(prints, officials.c.name).outerjoin(officials, officials.c.id == prints.c.by)
    rows = connection.execute(query.where(prints.c.permit == permit).order_by(prints.c.no)).all()
    return [(Print(row.no, row.kind, row.reason, row.name, row.at), row.sha) for row in rows]


def _handovers(teken: Teken, connection: Connection, chosen: Any) -> list[Handover]:
    query = select(handovers, officials.c.name.label("clerk"), permits)
    query = query.join(permits, permits.c.id == handovers.c.permit).outerjoin(
        officials, officials.c.id == handovers.c.by
    )
    rows = connection.execute(query.where(chosen).order_by(handovers.c.no.desc())).all()
    return [_handover(teken, connection, row) for row in rows]


def _handover(teken: Teken, connection: Connection, row: Row[Any]) -> Handover:
    bundle = teken.pins.open(row.pin)
    return Handover(
        no=row.no,
        at=row.at,
        permit=row.permit,
        number=row.number,
        name=str(content(connection, row, bundle).get("applicant.nama")),
        type=bundle.permit_type.name,
        identity=row.identity,
        reference=row.reference,
        receipt=row.receipt,
        by=row.clerk,
    )
