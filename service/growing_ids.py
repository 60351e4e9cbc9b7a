"""Identifiers that grow with time: what is written together lies together in every index, however many rows there are (ADR 58).

Of chance alone, each new row of a million touches pages of its own in every index it is in. These say when a row was made, to
10 ms, to whoever may see the id; what nobody may guess (the code of a permit, keys, tokens) stays chance alone.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Final

_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TICK: Final = timedelta(milliseconds=10)
_TIME_DIGITS: Final = 10
"""Hexadecimal digits of hundredths of a second since 1970: enough until the year 2318."""
_ALL_TIME: Final = (1 << 4 * _TIME_DIGITS) - 1


def growing_id(prefix: str, digits: int, at: datetime) -> str:
    """Return `prefix_` and so many hexadecimal digits (even): the time, then at least 40 bits of chance.

    >>> growing_id("izn", 20, datetime.fromisoformat("2026-11-20T02:00:00Z"))[:14]
    'izn_29cbde4280'
    """
    ticks = (at - _BEGINNING) // _TICK & _ALL_TIME
    return f"{prefix}_{ticks:0{_TIME_DIGITS}x}{secrets.token_hex((digits - _TIME_DIGITS) // 2)}"
