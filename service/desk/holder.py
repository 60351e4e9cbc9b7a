"""What a holder may do at his own phone, with his ticket and birth date: see where his permit stands, answer the survey, take the file.

Guessing is slowed; an unknown ticket and a wrong date get the same answer after the same work.
"""

from __future__ import annotations

import binascii
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, Select, and_, select

from service import flow, moves, queries, surveys
from service.clock import instant, stamp
from service.codes import normalised_ticket
from service.desk import book, throttle
from service.desk.accounts import desk_key
from service.errors import Conflict, StateForbids, Unauthenticated
from service.people import local_day
from service.permits import RELEASED, Standing, State, standing
from service.sop.model import Verb
from service.store.tables import events, handovers, permits, revisions, tickets

if TYPE_CHECKING:
    from service.queries import Document
    from service.wiring import Teken

OPEN_FOR = timedelta(minutes=20)
FREE_FOR_TICKET = 8
TAKEN = "permit.taken_by_holder"
_OWNER, _BEARER = "holder", "bearer"
_TO_ADDRESS, _FROM_ADDRESS = str.maketrans("+/", "-_"), str.maketrans("-_", "+/")
_NOBODY = json.dumps({"applicant": {"tanggal_lahir": "", "padding": "x" * 2000}})


class HolderUnknown(Unauthenticated):
    """Ticket and birth date do not belong together; which one is wrong is not said."""

    code = "holder_unknown"


class SurveyFirst(Conflict):
    """The SOP wants the survey before the permit is handed over."""

    code = "survey_first"


@dataclass(frozen=True, slots=True)
class Status:
    """Where a permit stands, for its holder. `stage`: preparing, ready, handed_over; only while it is in force."""

    permit: str
    office: str
    type: str
    number: str
    standing: Standing
    valid_from: str
    valid_to: str
    verify_url: str
    stage: str
    survey: str  # "first" (before the file), "open", or "" (done, or declined)
    may_take: bool
    taken: bool


def enter(teken: Teken, typed: str, birthday: str, source: str) -> str:
    """Return a token for the permit of this ticket, good for a short while. Raises HolderUnknown, TooMany."""
    code, now, key = normalised_ticket(typed)[:64], teken.clock.now(), desk_key(teken)
    buckets = {key.hidden("ticket", code): FREE_FOR_TICKET, key.hidden("holder", source): throttle.FREE_FROM_SOURCE}
    with teken.db.read() as connection:
        row = _of_ticket(connection, code)
    known = json.loads(row.body if row is not None else _NOBODY)["applicant"].get("tanggal_lahir") or ""
    same = secrets.compare_digest(known.encode(), _day(birthday).encode()) and bool(known)
    office, permit = (row.office, row.id) if row is not None else ("", None)
    with teken.db.write() as connection:
        right = throttle.tried(connection, buckets, now, lambda: same and row is not None)
        action, outcome = ("holder.entered", book.OK) if right else ("holder.refused", HolderUnknown.code)
        at: dict[str, Any] = {"permit": permit, "outcome": outcome, "connection": connection}
        book.note(teken, office=office, account="", action=action, **at)
    if not right:
        raise HolderUnknown
    return key.seal(f"{permit} {stamp(now + OPEN_FOR)}", _OWNER)


def permit_of(teken: Teken, token: str) -> str | None:
    """Return the permit that a token opens, None once its time is over."""
    return _opened(teken, token, _OWNER)


def survey_pass(teken: Teken, permit: str) -> str:
    """Return a token for an address, good for a short while: whoever fetches the paper answers the survey, and sees nothing else."""
    sealed = desk_key(teken).seal(f"{permit} {stamp(teken.clock.now() + OPEN_FOR)}", _BEARER)
    return sealed.rstrip("=").translate(_TO_ADDRESS)  # a scanner may take what ends in a sign for the end of a sentence


def passed(teken: Teken, token: str) -> str | None:
    """Return the permit whose survey this token opens, None once its time is over."""
    sealed = token.translate(_FROM_ADDRESS)
    return _opened(teken, sealed + "=" * (-len(sealed) % 4), _BEARER)


def _opened(teken: Teken, token: str, owner: str) -> str | None:
    try:
        opened = desk_key(teken).open(token, owner) if token else None
    except (binascii.Error, ValueError):
        return None
    permit, _, until = (opened or "").partition(" ")
    return permit if until and instant(until) > teken.clock.now() else None


def status(teken: Teken, permit: str) -> Status:
    """Return where the permit stands."""
    with teken.db.read() as connection:
        row = connection.execute(select(permits).where(permits.c.id == permit)).one()
        return _status(teken, connection, row)


def fill_survey(teken: Teken, permit: str, answers: Mapping[str, int]) -> None:
    """Take the holder's answers; a form that is sent twice counts once. Raises Invalid, StateForbids."""
    surveys.check_answers(answers)
    found = status(teken, permit)
    if found.survey == "first":
        surveys.take(teken, None, permit, answers=answers)
    elif found.survey:
        surveys.volunteer(teken, permit, answers=answers)


def decline_survey(teken: Teken, permit: str, *, later: bool) -> None:
    """Record that the holder won't answer, or will later. Where the SOP does not ask, nothing is recorded."""
    if status(teken, permit).survey == "first":
        surveys.decline(teken, None, permit, later=later)


def take(teken: Teken, permit: str) -> None:
    """Record that the holder takes the file: it is handed over electronically. Told once. Raises SurveyFirst, StateForbids."""
    with teken.db.read() as connection:
        row = connection.execute(select(permits).where(permits.c.id == permit)).one()
        found = _status(teken, connection, row)
    if found.survey == "first":
        raise SurveyFirst
    if not found.may_take:
        raise StateForbids(state=row.state)
    if found.taken:
        return
    with teken.db.write() as connection:
        locked = connection.execute(select(permits).where(permits.c.id == permit).with_for_update()).one()
        if not _told(connection, permit, TAKEN):
            moves.tell(connection, teken, locked, TAKEN, {"by": "holder", "sha256": locked.released_sha})


def document(teken: Teken, permit: str) -> Document:
    """Return the released file, exactly as stored, once `take` was recorded. Raises StateForbids."""
    with teken.db.read() as connection:
        row = connection.execute(select(permits).where(permits.c.id == permit)).one()
        found = _status(teken, connection, row)
    if not (found.may_take and found.taken):
        raise StateForbids(state=row.state)
    given = queries.released(teken, row)
    book.note(teken, office=row.office, account="", action="holder.taken", permit=permit, sha256=given.sha256)
    return given


def _status(teken: Teken, connection: Connection, row: Row[Any]) -> Status:
    bundle = teken.pins.open(row.pin)
    plan = bundle.permit_type.procedure.plan
    today = local_day(bundle.office, teken.clock.now())
    days = date.fromisoformat(row.valid_from), date.fromisoformat(row.valid_to)
    in_force = row.state == State.IN_FORCE
    asked = next((at for at, act in enumerate(plan) if act.verb is Verb.SURVEY), None)
    if asked is None:
        survey = "" if surveys.told(connection, row.id) else "open"
    else:
        survey = "" if asked in moves.fulfilled(connection, row) else "first"
    survey = survey if in_force else ""
    return Status(
        permit=row.id,
        office=row.office,
        type=bundle.permit_type.name,
        number=row.number,
        standing=standing(State(row.state), *days, today),
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        verify_url=row.verify_url,
        stage=_stage(connection, row, flow.at(bundle.permit_type.procedure, row.position)),
        survey=survey,
        may_take=in_force and survey != "first",
        taken=_told(connection, row.id, TAKEN),
    )


def _stage(connection: Connection, row: Row[Any], due: Any) -> str:
    if connection.execute(select(handovers.c.no).where(handovers.c.permit == row.id)).first() is not None:
        return "handed_over"
    return "ready" if due is not None and due.verb in {Verb.SURVEY, Verb.HANDOVER} else "preparing"


def _told(connection: Connection, permit: str, event: str) -> bool:
    mine = (events.c.permit == permit) & (events.c.type == event)
    return connection.execute(select(events.c.seq).where(mine)).first() is not None


def _of_ticket(connection: Connection, code: str) -> Row[Any] | None:
    newest = and_(revisions.c.permit == permits.c.id, revisions.c.revision == permits.c.revision)
    query: Select[Any] = select(permits.c.id, permits.c.office, revisions.c.body)
    query = query.join(tickets, tickets.c.permit == permits.c.id).join(revisions, newest)
    return connection.execute(query.where(tickets.c.code == code, permits.c.state.in_(RELEASED))).first()


def _day(typed: str) -> str:
    """Return a typed date as ISO text: 1998-03-20 or 20-03-1998, with any of - / . between; an empty text for anything else."""
    parts = typed.strip().replace("/", "-").replace(".", "-").split("-")
    if len(parts) != 3 or not all(part.isascii() and part.isdecimal() for part in parts):  # noqa: PLR2004 - day, month, year
        return ""
    year, month, day = parts if len(parts[0]) > 2 else reversed(parts)  # noqa: PLR2004 - a day has two digits
    return f"{int(year):04}-{int(month):02}-{int(day):02}"
