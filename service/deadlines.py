"""When an act is due by the SOP's standard times: working hours, holidays, and the clock stopped while a case is returned."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select

from service import flow
from service.clock import instant
from service.pins import Bundle
from service.sop.standard import due_at
from service.store.tables import acts, events, revisions

RETURNED, CORRECTED = "case.returned", "case.corrected"
Pause = tuple[datetime, datetime | None]


def deadlines(connection: Connection, row: Row[Any], bundle: Bundle) -> dict[str, str | None]:
    """Return `row` and `total`: until when the due row, and the whole case, should be done; None where the SOP says nothing."""
    procedure, pauses = bundle.permit_type.procedure, _pauses(connection, row.id)
    act = flow.at(procedure, row.position)
    standard = next((one.standard_minutes for one in procedure.rows if act is not None and one.no == act.row), None)
    found = {"row": _due(_last_act(connection, row), standard, bundle, pauses)}
    found["total"] = _due(_start(connection, row, procedure.clock), procedure.total_minutes, bundle, pauses)
    return found


def _due(start: datetime, minutes: int | None, bundle: Bundle, pauses: list[Pause]) -> str | None:
    due = None if minutes is None else due_at(start, minutes, bundle.office.calendar, pauses)
    return due.isoformat(timespec="minutes") if due else None


def _last_act(connection: Connection, row: Row[Any]) -> datetime:
    query = (
        select(acts.c.at).where(acts.c.permit == row.id, acts.c.voided_at.is_(None)).order_by(acts.c.at.desc()).limit(1)
    )
    return instant(connection.execute(query).scalar_one_or_none() or row.created_at)


def _start(connection: Connection, row: Row[Any], clock: str) -> datetime:
    """The clock starts when the file was complete, or with the SOP's first row."""
    if clock == "complete":
        return instant(row.complete_at)
    query = select(revisions.c.body).where(revisions.c.permit == row.id, revisions.c.revision == row.revision)
    attested = json.loads(connection.execute(query).scalar_one())["attested"]
    return min((datetime.fromisoformat(one["at"]) for one in attested), default=instant(row.complete_at))


def _pauses(connection: Connection, permit: str) -> list[Pause]:
    query = select(events.c.type, events.c.at).where(
        events.c.permit == permit, events.c.type.in_([RETURNED, CORRECTED])
    )
    pauses: list[Pause] = []
    for type_, at in connection.execute(query.order_by(events.c.seq)).all():
        if type_ == RETURNED:
            pauses.append((instant(at), None))
        elif pauses and pauses[-1][1] is None:
            pauses[-1] = (pauses[-1][0], max(instant(at), pauses[-1][0] + timedelta(microseconds=1)))
    return pauses
