"""When an event that was not taken is tried again, and when a person has to look.

Everything behind it waits too, so the waits stay short enough for a receiver that is back to be served within the hour.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from service.store.webhooks import LONGEST_WAIT

WAITS: Final = (5, 60, 300, 1800, 3600)
"""Seconds after the first, second, … failed try; the last one again and again."""
GIVE_UP: Final = timedelta(days=3)
LEAST_TRIES: Final = 10
"""Nobody is given up on before: our own workers may have been away for days."""


def next_try(now: datetime, failed: int, told: float | None, chance: Callable[[], float] = random.random) -> datetime:
    """Return when to try again after so many failures, up to a tenth earlier or later.

    A receiver that asks for a longer wait (Retry-After) gets it, up to twelve hours; never a shorter one.
    """
    wait = WAITS[min(failed, len(WAITS)) - 1] * (0.9 + chance() / 5)
    return now + timedelta(seconds=max(wait, min(told or 0, LONGEST_WAIT.total_seconds())))


def is_given_up(now: datetime, failed: int, since: datetime) -> bool:
    """Tell whether it has failed for so long that it is set aside for a person."""
    return failed >= LEAST_TRIES and now - since >= GIVE_UP
