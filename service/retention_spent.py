"""Rows that ended by their own clock: failed tries and requests' nonces that no longer count, sessions that are over.

Whoever writes such a table sweeps it first; this is for the last rows of a table that nobody writes any more.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Table, delete, func, select

from service.clock import stamp
from service.desk.throttle import MEMORY
from service.request_signing import REMEMBERED
from service.store.client_tables import request_nonces
from service.store.desk_tables import failures, sessions


def count(connection: Connection, now: datetime) -> int:
    """Return how many rows are spent."""
    counts = (select(func.count()).select_from(table).where(over) for table, over in _spent(now))
    return sum(connection.execute(query).scalar_one() for query in counts)


def forget(connection: Connection, now: datetime) -> int:
    """Delete what is spent; return how many rows went."""
    return sum(connection.execute(delete(table).where(over)).rowcount for table, over in _spent(now))


def _spent(now: datetime) -> tuple[tuple[Table, ColumnElement[bool]], ...]:
    return (
        (failures, failures.c.at < stamp(now - MEMORY)),
        (request_nonces, request_nonces.c.at < stamp(now - REMEMBERED)),
        (sessions, sessions.c.expires_at <= stamp(now)),
    )
