"""One case as its office sees it: what was applied for, the paper, what was done, what changed. Reads only.

Another office's case is unknown, as if it were not there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, select

from service import flow, queries
from service.acts import RETURNABLE
from service.cases import Case
from service.deadlines import deadlines
from service.desk import notes
from service.desk.access import content, own, signing_today
from service.desk.changes import Change, changes
from service.desk.history import Event, SopRow, events_of, rows_of
from service.desk.notes import Note
from service.desk.papers import Paper, Printed, paper_of, printed
from service.desk.sessions import Session
from service.document.page import write
from service.flow import READINGS
from service.notices.told import Told, of_permit
from service.people import local_day, nearest
from service.permits import RELEASED, Standing, State, standing
from service.sop.model import Act, Office, Verb
from service.store.tables import acts, mandates, officials, permits

if TYPE_CHECKING:
    from service.pins import Bundle
    from service.wiring import Teken


@dataclass(frozen=True, slots=True)
class Shown:
    """One field of the case, by its label."""

    path: str
    label: str
    value: str
    changed: bool


@dataclass(frozen=True, slots=True)
class Provided:
    """One requirement of the type, with upstream's reference if it was handed in."""

    text: str
    given: bool
    required: bool
    reference: str | None


@dataclass(frozen=True, slots=True)
class Due:
    """The act that waits for a person."""

    verb: Verb
    row: int | None
    position: int
    title: str  # of the role
    people: tuple[str, ...]  # who holds it today
    mine: bool
    readable: bool  # mine, and done by reading: verify, paraf, approve
    returnable: bool  # mine, and the case may be given back
    row_due: str | None
    total_due: str | None


@dataclass(frozen=True, slots=True)
class CaseFile:
    """Everything that the page shows of one case."""

    id: str
    type: str
    profession: str
    upstream_id: str
    request_kind: str
    revision: int
    state: State
    standing: Standing | None
    fault: str | None
    parked: bool
    name: str
    place: str
    number: str | None
    set_on: str | None
    valid_from: str | None
    valid_to: str | None
    verify_url: str | None  # only once released
    released_sha: str | None
    replaces: str | None
    replaced_by: str | None
    created_at: str
    complete_at: str
    due: Due | None
    paper: Paper | None
    printed: tuple[Printed, ...]
    fields: tuple[Shown, ...]
    requirements: tuple[Provided, ...]
    changes: tuple[Change, ...]
    compared_with: int | None
    compared_with_mine: bool  # that revision is the one that I read
    rows: tuple[SopRow, ...]
    events: tuple[Event, ...]
    notes: tuple[Note, ...]
    notices: tuple[Told, ...]


def open_case(teken: Teken, who: Session, permit: str) -> CaseFile:
    """Return a case of the person's own office.

    Raises NotFound, also for another office's.
    """
    with teken.db.read() as connection:
        row = own(connection, who, permit)
        bundle = teken.pins.open(row.pin)
        case = content(connection, row, bundle)
        before, mine = _read_before(connection, who, row)
        changed = changes(content(connection, row, bundle, before), case, bundle.labels) if before else ()
        paths = frozenset(one.path for one in changed)
        day = local_day(bundle.office, teken.clock.now())
        return CaseFile(
            id=row.id,
            type=bundle.permit_type.name,
            profession=bundle.permit_type.profession,
            upstream_id=row.upstream_id,
            request_kind=row.request_kind,
            revision=row.revision,
            state=State(row.state),
            standing=_standing(row, day),
            fault=row.fault,
            parked=row.parked_from is not None,
            name=str(case.get("applicant.nama")),
            place=str(case.get("practice.nama")),
            number=row.number,
            set_on=row.set_on,
            valid_from=row.valid_from,
            valid_to=row.valid_to,
            verify_url=row.verify_url if row.state in RELEASED else None,
            released_sha=row.released_sha if row.state in RELEASED else None,
            replaces=row.replaces,
            replaced_by=_one(connection, select(permits.c.id).where(permits.c.replaces == row.id, _LIVE)),
            created_at=row.created_at,
            complete_at=row.complete_at,
            due=_due(connection, teken, who, row, bundle, day),
            paper=paper_of(teken, row),
            printed=printed(row, bundle, case, paths),
            fields=_fields(bundle, case, paths),
            requirements=_requirements(bundle, case),
            changes=changed,
            compared_with=before,
            compared_with_mine=mine,
            rows=rows_of(connection, row, bundle, case),
            events=events_of(connection, row, bundle),
            notes=tuple(notes.of(connection, [row.id])[row.id]),
            notices=of_permit(connection, row.id),
        )


def document(teken: Teken, who: Session, permit: str) -> queries.Document:
    """Return the released document, exactly as it is stored.

    Raises NotFound, NotIssued, ArchiveDamaged.
    """
    with teken.db.read() as connection:
        row = own(connection, who, permit)
    return queries.released(teken, row)


_LIVE = permits.c.state.in_([str(state) for state in RELEASED])


def _one(connection: Connection, query: Any) -> str | None:
    found: str | None = connection.execute(query).scalars().first()
    return found


def _standing(row: Row[Any], day: date) -> Standing | None:
    if row.state not in RELEASED:
        return None
    return standing(State(row.state), date.fromisoformat(row.valid_from), date.fromisoformat(row.valid_to), day)


def _read_before(connection: Connection, who: Session, row: Row[Any]) -> tuple[int | None, bool]:
    """Return the revision to compare with: what this official last read, otherwise the one before; and whether it was his."""
    if row.revision == 1:
        return None, False
    mine = (acts.c.permit == row.id) & (acts.c.official == who.account.official) & (acts.c.revision < row.revision)
    query = select(acts.c.revision).where(mine, acts.c.document_sha.is_not(None)).order_by(acts.c.revision.desc())
    read = connection.execute(query.limit(1)).scalar_one_or_none() if who.account.official else None
    return (read, True) if read is not None else (row.revision - 1, False)


def _due(connection: Connection, teken: Teken, who: Session, row: Row[Any], bundle: Bundle, day: date) -> Due | None:
    act = flow.at(bundle.permit_type.procedure, row.position) if row.queue == "person" else None
    if act is None or act.role is None:
        return None
    signs = act.verb is Verb.SIGN
    mine = act.role in (signing_today(connection, teken, who) if signs else who.roles)
    until = deadlines(connection, row, bundle)
    return Due(
        verb=act.verb,
        row=act.row,
        position=row.position,
        title=bundle.office.roles[act.role].title,
        people=_holders(connection, bundle.office, act, day),
        mine=mine,
        readable=mine and act.verb in READINGS,
        returnable=mine and act.verb in {*READINGS, Verb.SIGN} and row.state in RETURNABLE,
        row_due=until["row"],
        total_due=until["total"],
    )


def _holders(connection: Connection, office: Office, act: Act, day: date) -> tuple[str, ...]:
    """Return who may do it today. The one signature is given by the nearest mandate alone: a Plh. before whom he stands in for."""
    if act.verb is Verb.SIGN:
        chosen = nearest(connection, office, str(act.role), day)
        return (chosen.name,) if chosen else ()
    today = day.isoformat()
    current = (mandates.c.valid_from <= today) & (mandates.c.valid_to.is_(None) | (mandates.c.valid_to >= today))
    mine = (mandates.c.office == office.code) & (mandates.c.role == act.role)
    query = select(officials.c.name).join(mandates, mandates.c.official == officials.c.id).where(mine, current)
    return tuple(dict.fromkeys(connection.execute(query.order_by(officials.c.name)).scalars()))


def _fields(bundle: Bundle, case: Case, changed: frozenset[str]) -> tuple[Shown, ...]:
    return tuple(
        Shown(one.path, one.label, write(one.kind, case.get(one.path), bundle.labels), one.path in changed)
        for one in bundle.permit_type.fields
        if case.get(one.path) is not None
    )


def _requirements(bundle: Bundle, case: Case) -> tuple[Provided, ...]:
    given = {one.code: one.reference for one in case.requirements}
    return tuple(
        Provided(one.text, one.code in given, one.required, given.get(one.code))
        for one in bundle.permit_type.requirements
    )
