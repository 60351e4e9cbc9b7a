"""Standard times (Mutu Baku): what "4 hari kerja" is in working minutes, and when it has passed. Pure functions."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeAlias
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from service.sop.model import Calendar

Span: TypeAlias = tuple[datetime, datetime]
Pause: TypeAlias = tuple[datetime, datetime | None]  # returned to the applicant at, came back at (or not yet)

_STANDARD: Final = re.compile(r"(\d{1,4}) (menit|jam|hari|hari kerja)", re.ASCII)
_ZERO: Final = timedelta()


class StandardInvalid(ValueError):
    """Not `N menit`, `N jam`, `N hari` or `N hari kerja`."""


def minutes_of(text: str, hours_per_day: int = 8) -> int:
    """Working minutes of a standard time. One hari (kerja) is eight hours: SOP 002 totals 4 hari + 24 jam as 7 hari."""
    match = _STANDARD.fullmatch(text)
    if match is None:
        raise StandardInvalid(text)
    unit = {"menit": 1, "jam": 60}.get(match[2], 60 * hours_per_day)
    return int(match[1]) * unit


def due_at(start: datetime, minutes: int, calendar: Calendar, paused: Sequence[Pause] = ()) -> datetime | None:
    """The first moment at which `minutes` of working time have passed since `start`; None while a pause is open.

    `start` and the pauses are aware; the answer is in the office's time zone.
    """
    if any(end is None for _, end in paused):
        return None
    zone = ZoneInfo(calendar.timezone)
    left = timedelta(minutes=minutes)
    if left <= _ZERO:
        return start.astimezone(zone)
    for begin, end in _working(start, calendar, paused):
        if left <= end - begin:
            return (begin + left).astimezone(zone)
        left -= end - begin
    raise AssertionError("a calendar with a workday never ends")


def worked(start: datetime, until: datetime, calendar: Calendar, paused: Sequence[Pause] = ()) -> timedelta:
    """Working time between two moments, without the pauses; an open pause lasts until `until`."""
    total = _ZERO
    closed = [(begin, until if end is None else end) for begin, end in paused]
    for begin, end in _working(start, calendar, closed):
        if begin >= until:
            break
        total += min(end, until) - begin
    return total


def _working(start: datetime, calendar: Calendar, paused: Sequence[Pause]) -> Iterator[Span]:
    """The spans of working time from `start` on, in UTC, without end. Two that follow one another never overlap."""
    pauses = sorted((begin, end) for begin, end in paused if end is not None and begin < end)
    for opens, closes in _days(start, calendar):
        begin = max(opens, start.astimezone(UTC))
        for pause_from, pause_to in pauses:
            if begin < pause_from < closes:
                yield begin, pause_from.astimezone(UTC)
            if pause_from < closes and begin < pause_to:
                begin = max(begin, pause_to.astimezone(UTC))
        if begin < closes:
            yield begin, closes


def _days(start: datetime, calendar: Calendar) -> Iterator[Span]:
    """Workdays from the day of `start` on, each as long as `hours_per_day`.

    The time between that and closing is the midday break: it is not placed, only left out, so that
    one hari kerja is the same time of the next workday.
    """
    zone = ZoneInfo(calendar.timezone)
    day = start.astimezone(zone).date()
    while True:
        if day.isoweekday() in calendar.workdays and day not in calendar.holidays:
            opens = datetime.combine(day, calendar.opens, zone).astimezone(UTC)
            yield opens, opens + timedelta(hours=calendar.hours_per_day)
        day += timedelta(days=1)
