"""Dates and instants as they are posted: ISO dates, RFC 3339 instants with their offset."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service.cases.sheet import Sheet

DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
INSTANT = r"^20[0-9]{2}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})$"
EARLIEST, LATEST = date(1900, 1, 1), date(2199, 12, 31)  # outside of these a date is a slip of the pen
SKEW = timedelta(minutes=5)  # two honest clocks differ by less
_WESTERNMOST_OFFICE = timedelta(hours=7)  # WIB: the last Indonesian zone in which a day ends


def read_date(sheet: Sheet, pointer: str, value: object) -> date | None:
    """Return a date `YYYY-MM-DD` between 1900 and 2199."""
    if not isinstance(value, str):
        sheet.note(pointer, "wrong_type", expected="string")
        return None
    day = _date(value)
    if day is None:
        sheet.note(pointer, "date_shape")
    elif not EARLIEST <= day <= LATEST:
        sheet.note(pointer, "date_range", earliest=EARLIEST, latest=LATEST)
        return None
    return day


def read_instant(sheet: Sheet, pointer: str, value: object, latest: datetime) -> datetime | None:
    """Return an RFC 3339 instant of this century, in UTC, not after `latest`."""
    if not isinstance(value, str):
        sheet.note(pointer, "wrong_type", expected="string")
        return None
    at = _instant(value)
    if at is None:
        sheet.note(pointer, "instant_shape")
    elif at > latest:
        sheet.note(pointer, "in_the_future")
        return None
    return at


def latest_instant(today: date, now: datetime | None) -> datetime:
    """Return the last instant that is not in the future: now and a little, or the end of `today` in the office."""
    if now is not None:
        return now + SKEW
    return datetime.combine(today, time.max, UTC) - _WESTERNMOST_OFFICE


def _date(text: str) -> date | None:
    if not re.fullmatch(DATE, text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _instant(text: str) -> datetime | None:
    if not re.fullmatch(INSTANT, text):
        return None
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except ValueError:
        return None
