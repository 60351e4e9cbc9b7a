"""Time as an argument: everything that needs "now" gets a Clock, so that tests own it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

_STAMPED = len("2026-11-20T02:00:00.000000Z")


class Clock(Protocol):
    """The present instant, in UTC, with microseconds."""

    def now(self) -> datetime:
        """Return the present instant."""
        ...


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The host's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(slots=True)
class SetClock:
    """A clock that stands still until it is moved; for tests and rehearsals."""

    at: datetime = field(default_factory=lambda: datetime(2026, 11, 20, 2, 0, tzinfo=UTC))

    def now(self) -> datetime:
        return self.at

    def forward(self, **delta: float) -> None:
        """Move on by a timedelta given by its keywords."""
        self.at += timedelta(**delta)


def stamp(at: datetime) -> str:
    """Return the one text form in which instants are stored and hashed: it sorts as time does."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def instant(text: str) -> datetime:
    """Read what `stamp` wrote.

    Raises ValueError for anything else.
    """
    if len(text) != _STAMPED or text[10] != "T" or text[-1] != "Z":
        raise ValueError("no stamp")
    return datetime.fromisoformat(text)
