"""Holidays and collective leave that were decided since the office's file was written: proposed by one admin, confirmed by another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection, delete, insert, select

from service.clock import stamp
from service.desk import proposals
from service.desk.forms import Form, refuse, told
from service.errors import Conflict, Fault
from service.holidays import calendar
from service.people import local_day
from service.store.desk_tables import holidays

if TYPE_CHECKING:
    from service.desk.accounts import Account
    from service.desk.proposals import Proposal
    from service.wiring import Teken

ADD, REMOVE = "holiday.add", "holiday.remove"
_SHOWN = timedelta(days=31)
_EARLIEST, _LATEST = 366, 3 * 366
"""Days before and after today; further off it is a slip of the pen."""


@dataclass(frozen=True, slots=True)
class Holiday:
    """One day off. `decision` is None for a day of the office's file."""

    day: date
    name: str | None
    decision: str | None


def listed(teken: Teken, office: str) -> list[Holiday]:
    """Return the holidays from a month ago on, by day."""
    place = teken.offices.office(office)
    since = local_day(place, teken.clock.now()) - _SHOWN
    with teken.db.read() as connection:
        rows = connection.execute(select(holidays).where(holidays.c.office == office)).all()
    added = {date.fromisoformat(row.day): Holiday(date.fromisoformat(row.day), row.name, row.decision) for row in rows}
    known = {day: Holiday(day, None, None) for day in place.calendar.holidays} | added
    return [known[day] for day in sorted(known) if day >= since]


def propose(teken: Teken, who: Account, form: Form) -> str:
    """Propose a day off: fields `hari`, `nama`, `keputusan`. Raises Invalid."""
    faults: list[Fault] = []
    day = form.day("hari", faults)
    payload = {"day": day, "name": form.text("nama", faults, 120), "decision": form.text("keputusan", faults, 120)}
    if day is not None:
        faults += _day_faults(teken, who.office, date.fromisoformat(day))
    refuse(faults)
    return proposals.propose(teken, who, ADD, payload, subject=day)


def propose_removal(teken: Teken, who: Account, day: str) -> str:
    """Propose to work on a day that was added. Raises Conflict."""
    with teken.db.read() as connection:
        row = connection.execute(select(holidays).where(holidays.c.office == who.office, holidays.c.day == day)).first()
    if row is None:
        raise Conflict("holiday_unknown")
    payload = {"day": day, "name": row.name, "decision": row.decision}
    return proposals.propose(teken, who, REMOVE, payload, subject=day)


def add(teken: Teken, connection: Connection, proposal: Proposal) -> None:
    """Carry out. Raises Conflict if it was added meanwhile."""
    given, now = proposal.payload, teken.clock.now()
    mine = (holidays.c.office == proposal.office) & (holidays.c.day == given["day"])
    if connection.execute(select(holidays.c.day).where(mine)).first() is not None:
        raise Conflict("holiday_known")
    row = {"office": proposal.office, **{key: given[key] for key in ("day", "name", "decision")}}
    connection.execute(insert(holidays).values(**row, added_at=stamp(now)))
    told(teken, connection, proposal, day=given["day"], decision=given["decision"])


def remove(teken: Teken, connection: Connection, proposal: Proposal) -> None:
    """Carry out. Raises Conflict if it is gone already."""
    mine = (holidays.c.office == proposal.office) & (holidays.c.day == proposal.payload["day"])
    if connection.execute(delete(holidays).where(mine).returning(holidays.c.day)).first() is None:
        raise Conflict("holiday_unknown")
    told(teken, connection, proposal, day=proposal.payload["day"])


def _day_faults(teken: Teken, office: str, day: date) -> list[Fault]:
    place = teken.offices.office(office)
    today = local_day(place, teken.clock.now())
    earliest, latest = today - timedelta(days=_EARLIEST), today + timedelta(days=_LATEST)
    if not earliest <= day <= latest:
        return [Fault("/hari", "date_range", {"earliest": earliest.isoformat(), "latest": latest.isoformat()})]
    with teken.db.read() as connection:
        known = calendar(connection, place).holidays
    if day in known:
        return [Fault("/hari", "holiday_known")]
    return []
