"""Who may take a row: its time has come, and nobody holds it. Shared by whatever is claimed with a lease.

An instant further ahead than any that we write was written by a clock that has gone back since: it counts as past.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Column, ColumnElement, or_

from service.clock import stamp

LONGEST: Final = timedelta(hours=1)
"""No lease is longer."""
APART: Final = timedelta(minutes=5)
"""So far hosts' clocks may differ without one taking what another holds."""


def is_free(lease_until: Column[str], now: datetime) -> ColumnElement[bool]:
    """Tell whether nobody holds the row."""
    return or_(lease_until == "", has_come(lease_until, now))


def has_come(at: Column[str], now: datetime, longest: timedelta = LONGEST) -> ColumnElement[bool]:
    """Tell whether it is time; `longest`: no wait of this kind is longer."""
    return or_(at <= stamp(now), at > stamp(now + longest + APART))
