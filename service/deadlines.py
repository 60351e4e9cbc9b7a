"""When an act is due by the SOP's standard times: working hours, holidays, and the clock stopped while a case is returned."""

from __future__ import annotations

import heapq
import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, select

from service import flow
from service.clock import instant
from service.holidays import calendar
from service.pins import Bundle
from service.sop.model import Calendar, OfficeCode
from service.sop.standard import due_at
from service.store.tables import acts, events, permits, revisions

RETURNED, CORRECTED = "case.returned", "case.corrected"
Pause = tuple[datetime, datetime | None]
Cases = Sequence[tuple[Row[Any], Bundle]]
_Order = tuple[bool, str, str, str, str]
_NEVER = "9"


def deadlines(connection: Connection, row: Row[Any], bundle: Bundle) -> dict[str, str | None]:
    """Return `row` and `total`: until when the due row, and the whole case, should be done; None where the SOP says nothing."""
    case = [(row, bundle)]
    return {"row": rows_due(connection, case)[row.id], "total": totals_due(connection, case)[row.id]}


def rows_due(connection: Connection, cases: Cases) -> dict[str, str | None]:
    """Return by permit until when its due row should be done: a few questions to the database, however many cases there are."""
    ids = [row.id for row, _ in cases]
    last, pauses, clocks = _last_acts(connection, ids), _pauses(connection, ids), _calendars(connection, cases)
    return {
        row.id: _due(
            instant(last.get(row.id, row.created_at)),
            _standard(row, bundle),
            clocks[bundle.office.code],
            pauses[row.id],
        )
        for row, bundle in cases
    }


def totals_due(connection: Connection, cases: Cases) -> dict[str, str | None]:
    """Return by permit until when the whole case should be done."""
    timed = [(row, bundle) for row, bundle in cases if bundle.permit_type.procedure.total_minutes is not None]
    starts, pauses = _starts(connection, timed), _pauses(connection, [row.id for row, _ in timed])
    clocks = _calendars(connection, timed)
    nothing: dict[str, str | None] = {row.id: None for row, _ in cases}
    return nothing | {
        row.id: _due(
            starts[row.id], bundle.permit_type.procedure.total_minutes, clocks[bundle.office.code], pauses[row.id]
        )
        for row, bundle in timed
    }


def dues(connection: Connection, cases: Cases) -> dict[str, str | None]:
    """Return by permit until when its due row should be done, or the whole case where the SOP sets no time for the row."""
    by_row = rows_due(connection, cases)
    return by_row | totals_due(connection, [(row, bundle) for row, bundle in cases if by_row[row.id] is None])


def since() -> ColumnElement[str]:
    """Return the column that tells since when a permit waits: its last act, or its arrival."""
    last = select(func.max(acts.c.at)).where(acts.c.permit == permits.c.id, acts.c.voided_at.is_(None))
    return func.coalesce(last.scalar_subquery(), permits.c.created_at).label("since")


def soonest(connection: Connection, cases: Cases, first: Collection[str]) -> Iterator[tuple[str, str | None]]:
    """Yield permits with their `dues`: those of `first` before others, then the soonest due, then who waits longest.

    A time is worked out when it is reached, not before: where many wait for the same act by the same rules, whose time began first
    is due first. What was corrected has pauses of its own, so it is worked out at once. The rows need the column `since`.
    """
    clocks = _calendars(connection, cases)
    places = {(row.pin, row.position): (row, bundle) for row, bundle in cases}
    rules = {place: _rule(row, bundle, clocks[bundle.office.code]) for place, (row, bundle) in places.items()}
    even, odd = defaultdict[_Rule, list[Row[Any]]](list), []
    for row, bundle in cases:
        rule = rules[row.pin, row.position] if row.revision == 1 else None
        if rule is None:
            odd.append((row, bundle))
        else:
            even[rule].append(row)
    own = dues(connection, odd) if odd else {}
    apart = sorted((row.id not in first, own[row.id] or _NEVER, row.since, row.created_at, row.id) for row, _ in odd)
    for _, due, *_, permit in heapq.merge(apart, *(_in_order(rule, rows, first) for rule, rows in even.items())):
        yield permit, due if due != _NEVER else None


@dataclass(frozen=True, slots=True, eq=False)
class _Rule:
    """How the time of all that wait at one place of a procedure is worked out: none is set, or it begins with this column."""

    minutes: int | None
    begins: str
    hours: Calendar


def _rule(row: Row[Any], bundle: Bundle, hours: Calendar) -> _Rule | None:
    """Return the rule of the place at which this permit waits; None where each case has to be read to know when its time began."""
    procedure, own = bundle.permit_type.procedure, _standard(row, bundle)
    if own is not None:
        return _Rule(own, "since", hours)
    if procedure.total_minutes is None:
        return _Rule(None, "created_at", hours)
    return _Rule(procedure.total_minutes, "complete_at", hours) if procedure.clock == "complete" else None


def _in_order(rule: _Rule, rows: Sequence[Row[Any]], first: Collection[str]) -> Iterator[_Order]:
    inside = sorted((row.id not in first, getattr(row, rule.begins), row.created_at, row.id) for row in rows)
    for later, start, came, permit in inside:
        yield later, _due(instant(start), rule.minutes, rule.hours, []) or _NEVER, start, came, permit


def _standard(row: Row[Any], bundle: Bundle) -> int | None:
    procedure = bundle.permit_type.procedure
    act = flow.at(procedure, row.position)
    return next((one.standard_minutes for one in procedure.rows if act is not None and one.no == act.row), None)


def _calendars(connection: Connection, cases: Cases) -> dict[OfficeCode, Calendar]:
    """Workdays as the cases' pinned files have them; holidays as they are known today, since a calendar is no rule of a case."""
    return {
        office.code: calendar(connection, office) for office in {b.office.code: b.office for _, b in cases}.values()
    }


def _due(start: datetime, minutes: int | None, hours: Calendar, pauses: list[Pause]) -> str | None:
    due = None if minutes is None else due_at(start, minutes, hours, pauses)
    return due.isoformat(timespec="minutes") if due else None


def _last_acts(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    query = select(acts.c.permit, func.max(acts.c.at)).where(acts.c.permit.in_(ids), acts.c.voided_at.is_(None))
    return {row[0]: row[1] for row in connection.execute(query.group_by(acts.c.permit)).all()}


def _starts(connection: Connection, cases: Cases) -> dict[str, datetime]:
    """The clock starts when the file was complete, or with the SOP's first row."""
    found = {row.id: instant(row.complete_at) for row, _ in cases}
    applied = {row.id: row.revision for row, bundle in cases if bundle.permit_type.procedure.clock != "complete"}
    query = select(revisions.c.permit, revisions.c.revision, revisions.c.body).where(revisions.c.permit.in_(applied))
    for permit, revision, body in connection.execute(query).all() if applied else ():
        if revision == applied[permit]:
            attested = json.loads(body)["attested"]
            found[permit] = min((datetime.fromisoformat(one["at"]) for one in attested), default=found[permit])
    return found


def _pauses(connection: Connection, ids: Sequence[str]) -> dict[str, list[Pause]]:
    query = select(events.c.permit, events.c.type, events.c.at).where(
        events.c.permit.in_(ids), events.c.type.in_([RETURNED, CORRECTED])
    )
    found: dict[str, list[Pause]] = {permit: [] for permit in ids}
    for permit, type_, at in connection.execute(query.order_by(events.c.seq)).all():
        pauses = found[permit]
        if type_ == RETURNED:
            pauses.append((instant(at), None))
        elif pauses and pauses[-1][1] is None:
            pauses[-1] = (pauses[-1][0], max(instant(at), pauses[-1][0] + timedelta(microseconds=1)))
    return found
