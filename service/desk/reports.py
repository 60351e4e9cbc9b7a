"""How long an office takes, row by row of each SOP, against its standard times: in its working hours, and not while returned."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, select

from service.clock import instant, stamp
from service.deadlines import CORRECTED, RETURNED, Pause
from service.holidays import calendar
from service.sop.model import PermitType, Verb
from service.sop.workclock import WorkClock, days_of
from service.store.tables import acts, events, permits, revisions

if TYPE_CHECKING:
    from service.sop.model import Office
    from service.wiring import Teken


@dataclass(frozen=True, slots=True)
class Timing:
    """How long something took: cases, median and nine tenths in working minutes, and the share that kept the standard."""

    cases: int
    median: float | None
    p90: float | None
    on_time: float | None  # 0 to 1; None where the SOP says no time

    @classmethod
    def of(cls, minutes: Sequence[float], standard: int | None) -> Timing:
        """Sum up; nearest-rank percentiles, which are always a case that happened."""
        if not minutes:
            return cls(0, None, None, None)
        ordered = sorted(minutes)
        kept = None if standard is None else sum(one <= standard for one in ordered) / len(ordered)
        return cls(len(ordered), _rank(ordered, 0.5), _rank(ordered, 0.9), kept)


@dataclass(frozen=True, slots=True)
class RowTiming:
    """One row of an SOP: its number, text, the actor's title, and its standard in working minutes."""

    no: int
    text: str
    actor: str
    standard: int | None
    timing: Timing


@dataclass(frozen=True, slots=True)
class TypeReport:
    """One permit type: every row that is done here, and the whole case until its issue."""

    code: str
    name: str
    rows: tuple[RowTiming, ...]
    standard: int | None
    whole: Timing


@dataclass(slots=True)
class _Measured:
    rows: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    whole: list[float] = field(default_factory=list)


def report(teken: Teken, office: str, first: date, last: date) -> list[TypeReport]:
    """Return the office's types with what was done from one local day to another, both included.

    A row counts in the period in which it was done, a whole case in that of its issue.
    """
    place = teken.offices.office(office)
    begin, end = _span(place, first, last)
    with teken.db.read() as connection:
        place = replace(place, calendar=calendar(connection, place))
        done = _acts(connection, office, begin, end)
        pauses = _pauses(connection, office)
        starts = _starts(connection, teken, done)
    measured: dict[str, _Measured] = defaultdict(_Measured)
    clock = _clock(place, done, starts)
    for case in _by_permit(done):
        _measure(case, clock, pauses[case[0].permit], starts, begin, measured[case[0].type])
    return [_told(kind, place, measured[kind.code]) for kind in teken.offices if kind.office == office]


def _span(place: Office, first: date, last: date) -> tuple[str, str]:
    zone = ZoneInfo(place.calendar.timezone)
    midnight = datetime.min.time()
    after = datetime.combine(last + timedelta(days=1), midnight, zone)
    return stamp(datetime.combine(first, midnight, zone)), stamp(after)


def _acts(connection: Connection, office: str, begin: str, end: str) -> list[Any]:
    """Return every act of the cases that were touched in the period, oldest first within each case."""
    touched = select(acts.c.permit).where(acts.c.at >= begin, acts.c.at < end)
    columns = (
        acts.c.permit,
        acts.c.row,
        acts.c.verb,
        acts.c.at,
        permits.c.type,
        permits.c.created_at,
        permits.c.complete_at,
    )
    query = select(*columns).join(permits, permits.c.id == acts.c.permit)
    mine = (permits.c.office == office) & acts.c.voided_at.is_(None) & (acts.c.at < end) & acts.c.permit.in_(touched)
    return [*connection.execute(query.where(mine).order_by(acts.c.permit, acts.c.at, acts.c.id))]


def _pauses(connection: Connection, office: str) -> dict[str, list[Pause]]:
    query = select(events.c.permit, events.c.type, events.c.at).where(events.c.office == office)
    found: dict[str, list[Pause]] = defaultdict(list)
    for permit, kind, at in connection.execute(
        query.where(events.c.type.in_([RETURNED, CORRECTED])).order_by(events.c.seq)
    ):
        if kind == RETURNED:
            found[permit].append((instant(at), None))
        elif found[permit] and found[permit][-1][1] is None:
            found[permit][-1] = (found[permit][-1][0], instant(at))
    return found


def _starts(connection: Connection, teken: Teken, done: Sequence[Row[Any]]) -> dict[str, datetime]:
    """Return when each case's own clock began: when its file was complete, or with the SOP's first row."""
    from_first_row = {kind.code for kind in teken.offices if kind.procedure.clock != "complete"}
    starts = {one.permit: instant(one.complete_at) for one in done}
    asked = sorted({one.permit for one in done if one.type in from_first_row})
    newest = select(revisions.c.permit, revisions.c.body).join(
        permits, (permits.c.id == revisions.c.permit) & (permits.c.revision == revisions.c.revision)
    )
    for some in (asked[place : place + 500] for place in range(0, len(asked), 500)):
        for permit, body in connection.execute(newest.where(revisions.c.permit.in_(some))):
            attested = [datetime.fromisoformat(one["at"]) for one in json.loads(body)["attested"]]
            starts[permit] = min(attested, default=starts[permit])
    return starts


def _clock(place: Office, done: Sequence[Row[Any]], starts: dict[str, datetime]) -> WorkClock:
    moments = [*starts.values(), *(instant(at) for at in {one.at for one in done} | {one.created_at for one in done})]
    if not moments:
        return WorkClock.over(place.calendar, date.max, date.max)
    return WorkClock.over(place.calendar, *days_of(moments))


def _by_permit(done: Sequence[Row[Any]]) -> Iterable[list[Row[Any]]]:
    case: list[Row[Any]] = []
    for one in done:
        if case and case[0].permit != one.permit:
            yield case
            case = []
        case.append(one)
    if case:
        yield case


def _measure(
    case: list[Row[Any]],
    clock: WorkClock,
    paused: list[Pause],
    starts: dict[str, datetime],
    begin: str,
    into: _Measured,
) -> None:
    """A row took from the act before it until its own last act."""
    before, rows = instant(case[0].created_at), dict[int, float]()
    for one in case:
        at = instant(one.at)
        if one.row is not None and one.at >= begin:
            rows[one.row] = rows.get(one.row, 0.0) + clock.minutes(before, at, paused)
        if one.verb == Verb.ISSUE and one.at >= begin:
            into.whole.append(clock.minutes(starts[one.permit], at, paused))
        before = at
    for row, minutes in rows.items():
        into.rows[row].append(minutes)


def _told(kind: PermitType, place: Office, measured: _Measured) -> TypeReport:
    here = {act.row for act in kind.procedure.plan if act.row is not None}
    rows = tuple(
        RowTiming(
            row.no,
            row.text,
            place.roles[row.by_role].title,
            row.standard_minutes,
            Timing.of(measured.rows.get(row.no, []), row.standard_minutes),
        )
        for row in kind.procedure.rows
        if row.no in here
    )
    standard = kind.procedure.total_minutes
    return TypeReport(kind.code, kind.name, rows, standard, Timing.of(measured.whole, standard))


def _rank(ordered: Sequence[float], share: float) -> float:
    """Return the nearest-rank percentile."""
    return ordered[max(0, -(-int(share * 100) * len(ordered) // 100) - 1)]
