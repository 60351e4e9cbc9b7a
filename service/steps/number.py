"""Step 4, number: counter, register entry, state and event in one short transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, select

from service import failpoints, highwater, moves, register
from service.moves import Done
from service.people import local_day
from service.permits import CORRECTION, validity
from service.pins import Bundle
from service.register import Allotted
from service.sop.model import PermitType
from service.steps.fitness import fit_signatory
from service.steps.work import Work
from service.store.permits import fenced
from service.store.tables import revisions

if TYPE_CHECKING:
    from service.wiring import Teken

LIFETIME = "SEUMUR_HIDUP"


def number(teken: Teken, work: Work) -> Row[Any]:
    """Allot the number on behalf of the row's actor, or record it where it was allotted with the head's order (ADR 0032)."""
    return _recorded(teken, work) if work.procedure.number_at_sign else _numbered(teken, work)


@dataclass(frozen=True, slots=True)
class Fixed:
    """What a number fixes: the permit's columns, what the world is told, and whether the register gave it just now."""

    columns: Mapping[str, Any]
    told: Mapping[str, Any]
    new: bool


def allot(connection: Connection, teken: Teken, row: Row[Any], bundle: Bundle) -> Fixed:
    """Give a locked permit its number, or the one that it has. Register period, printed date and validity follow from one local date."""
    now, case = teken.clock.now(), _case(connection, row)
    known = register.of_permit(connection, row.id)
    carried = carried_on(connection, row) if bundle.office.correction == "keep" else None
    if carried is not None:
        return Fixed(columns(bundle.permit_type, case, carried), _told(carried), new=False)
    allotted = register.allot(
        connection,
        bundle.office,
        bundle.permit_type,
        permit=row.id,
        place=case["practice"]["ke"],
        day=local_day(bundle.office, now),
        by="system",
        at=now,
    )
    return Fixed(columns(bundle.permit_type, case, allotted), _told(allotted), new=allotted != known)


def carried_on(connection: Connection, row: Row[Any]) -> Allotted | None:
    """Return the number of the permit that this one corrects; None if it corrects none, or has a number of its own.

    The register passes the number on at issue; until then the old permit bears it alone (ADR 0041).
    """
    if row.request_kind != CORRECTION or register.of_permit(connection, row.id) is not None:
        return None
    return register.of_permit(connection, row.replaces)


def registered(connection: Connection, row: Row[Any], permit_type: PermitType) -> dict[str, Any] | None:
    """Return the columns that the register's entry gives this permit; None if no number of it stands."""
    allotted = carried_on(connection, row) or register.of_permit(connection, row.id)
    if allotted is None or register.is_void(connection, row.id):
        return None
    return columns(permit_type, _case(connection, row), allotted)


def columns(permit_type: PermitType, case: Mapping[str, Any], allotted: Allotted) -> dict[str, Any]:
    """Return what an allotted number writes on the permit."""
    entry = {"series": allotted.series, "number_no": allotted.no, "number": allotted.number}
    return {**entry, "set_on": allotted.day.isoformat(), **period(permit_type, case, allotted.day)}


def period(permit_type: PermitType, case: Mapping[str, Any], set_on: date) -> dict[str, str]:
    """Return the first and last valid day, counted from the set date (a correction may change the STR, never the date)."""
    until = case["str"]["masa_berlaku"]
    rule = permit_type.validity
    str_until = None if until == LIFETIME else date.fromisoformat(until)
    found = validity(set_on, str_until, years=rule.years, cap_at_str=rule.cap_at_str, inclusive_end=rule.inclusive_end)
    return {"valid_from": found.valid_from.isoformat(), "valid_to": found.valid_to.isoformat()}


def _told(allotted: Allotted) -> dict[str, Any]:
    told = {"number": allotted.number, "series": allotted.series, "no": allotted.no}
    return {**told, "register_hash": allotted.entry_hash}


def _numbered(teken: Teken, work: Work) -> Row[Any]:
    fit_signatory(teken, work.bundle)
    with teken.db.write() as connection:
        row = fenced(connection, work.claim)
        fixed = allot(connection, teken, row, work.bundle)
        done = Done("permit.numbered", data=fixed.told)
        moved = moves.finish(connection, teken, row, work.procedure, done, **fixed.columns)
        failpoints.passing("number.before_commit")
    failpoints.passing("number.after_commit")
    highwater.rise(teken)
    return moved


def _recorded(teken: Teken, work: Work) -> Row[Any]:
    """The SOP's row after the signature: the number stands on the signed paper already, and no second one is given."""
    with teken.db.write() as connection:
        row = fenced(connection, work.claim)
        told = {"number": row.number, "series": row.series, "no": row.number_no}
        done = Done("permit.recorded", document_sha=row.head_sha, data=told)
        moved = moves.finish(connection, teken, row, work.procedure, done)
        failpoints.passing("number.before_commit")
    failpoints.passing("number.after_commit")
    return moved


def _case(connection: Connection, row: Row[Any]) -> dict[str, Any]:
    query = select(revisions.c.body).where(revisions.c.permit == row.id, revisions.c.revision == row.revision)
    return dict(json.loads(connection.execute(query).scalar_one()))
