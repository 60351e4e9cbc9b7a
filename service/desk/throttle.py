"""Slows guessing down without locking anybody out: a device that logged in before has its own count, so strangers can't lock its owner out.

The shape is OWASP's "device cookies": a known device is counted by itself, everybody else by account and by source.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, insert, select

from service.clock import instant, stamp
from service.errors import TooMany
from service.store.desk_tables import failures

MEMORY = timedelta(minutes=30)
FREE_TRIES = 5
FREE_FROM_SOURCE = 30
FREE_FROM_STRANGERS = 20
FIRST_WAIT = timedelta(seconds=15)
LONGEST_WAIT = timedelta(minutes=15)


def tried(connection: Connection, buckets: dict[str, int], now: datetime, right: Callable[[], bool]) -> bool:
    """Judge one try, count it if it is wrong and tell whether it is right; `buckets` says how many failures each may have for free.

    In a transaction that writes and that the caller commits when it is wrong too: tries that come at once are judged one by
    one, each knowing the failures before it. Raises TooMany (with `retry_after`) without asking `right`.
    """
    if connection.dialect.name == "postgresql":  # where others read and write beside us
        for bucket in sorted(buckets):
            connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(bucket, 0))))
    pause = max((_wait(connection, bucket, free, now) for bucket, free in buckets.items()), default=timedelta())
    if pause:
        raise TooMany(retry_after=int(pause.total_seconds()) + 1)
    if right():
        return True
    _failed(connection, buckets, now)
    return False


def _failed(connection: Connection, buckets: dict[str, int], now: datetime) -> None:
    """Count a failure; forget the old ones."""
    connection.execute(delete(failures).where(failures.c.at < stamp(now - MEMORY)))
    connection.execute(insert(failures), [{"bucket": bucket, "at": stamp(now)} for bucket in buckets])


def forgiven(connection: Connection, bucket: str) -> None:
    """After a success that device's or source's failures count no more."""
    connection.execute(delete(failures).where(failures.c.bucket == bucket))


def _wait(connection: Connection, bucket: str, free: int, now: datetime) -> timedelta:
    recent = (failures.c.bucket == bucket) & (failures.c.at >= stamp(now - MEMORY))
    count, last = connection.execute(select(func.count(), func.max(failures.c.at)).where(recent)).one()
    if count < free:
        return timedelta()
    pause: timedelta = min(FIRST_WAIT * 2 ** min(count - free, 10), LONGEST_WAIT)
    over = instant(str(last)) + pause
    return max(over - now, timedelta())
