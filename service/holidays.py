"""An office's calendar: the holidays of its file, and those that were decided since (cuti bersama, local days)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from service.store.desk_tables import holidays

if TYPE_CHECKING:
    from service.sop.model import Calendar, Office


def calendar(connection: Connection, office: Office) -> Calendar:
    """Return the office's calendar with every holiday that is known today."""
    days = connection.execute(select(holidays.c.day).where(holidays.c.office == office.code)).scalars()
    added = frozenset(map(date.fromisoformat, days))
    return replace(office.calendar, holidays=office.calendar.holidays | added)
