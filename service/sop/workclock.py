"""Working time between many pairs of moments: the same as `standard.worked`, from a table of days instead of a walk."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterable

    from service.sop.model import Calendar
    from service.sop.standard import Pause


@dataclass(frozen=True, slots=True)
class WorkClock:
    """Reads as much at any moment as was worked since its first day; seconds."""

    _opens: tuple[float, ...]
    _read: tuple[float, ...]
    _length: float

    @classmethod
    def over(cls, calendar: Calendar, first: date, last: date) -> WorkClock:
        """Return the clock of an office from one day to another, both included. Moments outside read as its ends."""
        zone, length = ZoneInfo(calendar.timezone), calendar.hours_per_day * 3600.0
        days = (first + timedelta(days=step) for step in range((last - first).days + 1))
        worked = [day for day in days if day.isoweekday() in calendar.workdays and day not in calendar.holidays]
        opens = tuple(datetime.combine(day, calendar.opens, zone).timestamp() for day in worked)
        return cls(opens, tuple(length * number for number in range(len(opens))), length)

    def read(self, at: datetime) -> float:
        """Return the working seconds up to `at`."""
        moment = at.timestamp()
        place = bisect_right(self._opens, moment) - 1
        if place < 0:
            return 0.0
        return self._read[place] + min(moment - self._opens[place], self._length)

    def minutes(self, start: datetime, until: datetime, paused: Iterable[Pause] = ()) -> float:
        """Return the working minutes between two moments, without the pauses; an open pause lasts until `until`."""
        total, reached = max(self.read(until) - self.read(start), 0.0), start
        for begin, end in sorted(paused, key=lambda pause: pause[0]):
            begin_, end_ = max(begin, reached), min(end or until, until)
            if begin_ < end_:
                total -= self.read(end_) - self.read(begin_)
                reached = end_
        return max(total, 0.0) / 60


def days_of(moments: Iterable[datetime]) -> tuple[date, date]:
    """Return the first and last day that a clock for these moments needs, in any time zone."""
    found = sorted(at.astimezone(UTC).date() for at in moments)
    return found[0] - timedelta(days=1), found[-1] + timedelta(days=1)
