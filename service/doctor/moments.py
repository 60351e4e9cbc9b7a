"""Whether this host's clock is right: compared with time-stamps, services and the database server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from service.doctor.findings import Note, fault, phrase, warning, well

if TYPE_CHECKING:
    from service.doctor.view import View

FAULT_SECONDS: Final = 300
WARNING_SECONDS: Final = 30
_MINUTE: Final = 60


@dataclass(frozen=True, slots=True)
class Reading:
    """Another clock's moment, which lies between two of ours. `grain`: the seconds that it counts in."""

    source: str
    theirs: datetime
    before: datetime
    after: datetime
    grain: float = 0.0

    @property
    def ahead(self) -> float:
        """By how many seconds at least their clock is ahead of ours; negative: behind."""
        earliest = (self.theirs - self.after).total_seconds()
        latest = (self.theirs - self.before).total_seconds() + self.grain
        return earliest if earliest > 0 else min(latest, 0.0)


def look_at_clock(view: View) -> Iterator[Note]:
    """When every other clock says so, ours is off; when only one does, it is."""
    readings = view.readings
    off = [one for one in readings if abs(one.ahead) > WARNING_SECONDS]
    if not readings:
        yield warning("clock_unchecked", "host")
    elif not off:
        yield well("clock_right", "host", sources=_named(readings))
    elif len(off) == len(readings):
        worst = max(off, key=lambda one: abs(one.ahead))
        told = fault if abs(worst.ahead) > FAULT_SECONDS else warning
        yield told("clock_off", "host", off=_by_how_much(-worst.ahead), sources=_named(off))
    else:
        for one in off:
            told = fault if abs(one.ahead) > FAULT_SECONDS else warning
            yield told("clock_differs", one.source, off=_by_how_much(one.ahead))


def _named(readings: Sequence[Reading]) -> str:
    return ", ".join(dict.fromkeys(one.source for one in readings))


def _by_how_much(seconds: float) -> str:
    """By how much somebody is ahead or behind."""
    size, way = abs(seconds), phrase("ahead" if seconds > 0 else "behind")
    if size < 2 * _MINUTE:
        return phrase("seconds", count=str(round(size)), way=way)
    return phrase("minutes", count=str(round(size / _MINUTE)), way=way)
