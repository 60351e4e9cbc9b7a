"""Step 4, number: counter, register entry, state and event in one short transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, select

from service import failpoints, flow, moves, register
from service.moves import Done
from service.people import local_day
from service.permits import validity
from service.sop.model import PermitType, Verb
from service.steps.fitness import fit_signatory
from service.steps.work import Work
from service.store.permits import fenced
from service.store.tables import revisions

if TYPE_CHECKING:
    from service.wiring import Teken

LIFETIME = "SEUMUR_HIDUP"


def number(teken: Teken, work: Work) -> Row[Any]:
    """Allot the number on behalf of the row's actor. Register period, printed date and validity follow from one local date, fixed here."""
    office, permit_type = work.bundle.office, work.bundle.permit_type
    now = teken.clock.now()
    fit_signatory(teken, work.bundle, work.procedure.plan[flow.position_of(work.procedure, Verb.SIGN)].role)
    with teken.db.write() as connection:
        row = fenced(connection, work.claim)
        query = select(revisions.c.body).where(revisions.c.permit == row.id, revisions.c.revision == row.revision)
        case = json.loads(connection.execute(query).scalar_one())
        allotted = register.allot(
            connection,
            office,
            permit_type,
            permit=row.id,
            place=case["practice"]["ke"],
            day=local_day(office, now),
            by="system",
            at=now,
        )
        fixed = {
            "series": allotted.series,
            "number_no": allotted.no,
            "number": allotted.number,
            "set_on": allotted.day.isoformat(),
        }
        fixed |= period(permit_type, case, allotted.day)
        told = {
            "number": allotted.number,
            "series": allotted.series,
            "no": allotted.no,
            "register_hash": allotted.entry_hash,
        }
        moved = moves.finish(connection, teken, row, work.procedure, Done("permit.numbered", data=told), **fixed)
        failpoints.passing("number.before_commit")
    failpoints.passing("number.after_commit")
    return moved


def period(permit_type: PermitType, case: Mapping[str, Any], set_on: date) -> dict[str, str]:
    """Return the first and last valid day, counted from the set date (a correction may change the STR, never the date)."""
    until = case["str"]["masa_berlaku"]
    rule = permit_type.validity
    str_until = None if until == LIFETIME else date.fromisoformat(until)
    found = validity(set_on, str_until, years=rule.years, cap_at_str=rule.cap_at_str, inclusive_end=rule.inclusive_end)
    return {"valid_from": found.valid_from.isoformat(), "valid_to": found.valid_to.isoformat()}
