"""Rows of what documents are due for: claim with lease and fence, and the next date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select, update

from service.clock import stamp
from service.store.leases import is_free
from service.store.permits import Lost
from service.store.tables import upkeep


@dataclass(frozen=True, slots=True)
class Due:
    """The right to extend one document until the lease ends, as long as the fence stands."""

    permit: str
    fence: int
    attempts: int


def claim(connection: Connection, now: datetime, lease: timedelta) -> Due | None:
    """Take the document that is due longest."""
    free = is_free(upkeep.c.lease_until, now)
    query = select(upkeep).where(upkeep.c.due_at <= stamp(now), free).order_by(upkeep.c.due_at, upkeep.c.permit)
    row = connection.execute(query.limit(1).with_for_update(skip_locked=True)).first()
    if row is None:
        return None
    taken = Due(row.permit, row.fence + 1, row.attempts + 1)
    mine = update(upkeep).where(upkeep.c.permit == row.permit)
    held = {"fence": taken.fence, "attempts": taken.attempts, "lease_until": stamp(now + lease)}
    connection.execute(mine.values(**held))
    return taken


def fenced(connection: Connection, due: Due) -> None:
    """Hold the row. Raises Lost when somebody else has claimed it since."""
    query = select(upkeep.c.fence).where(upkeep.c.permit == due.permit).with_for_update()
    if connection.execute(query).scalar_one_or_none() != due.fence:
        raise Lost(due.permit)


def enlist(connection: Connection, permit: str, level: str, until: datetime | None, due_at: datetime) -> None:
    """Say what a document has reached and when it is due next; whoever holds it has lost it."""
    values = {"level": level, "proven_until": stamp(until) if until else None, "due_at": stamp(due_at)}
    values |= {"lease_until": "", "fault": None}
    row = connection.execute(select(upkeep).where(upkeep.c.permit == permit).with_for_update()).first()
    if row is None:
        connection.execute(insert(upkeep).values(permit=permit, fence=0, attempts=0, **values))
    else:
        mine = update(upkeep).where(upkeep.c.permit == permit)
        connection.execute(mine.values(fence=row.fence + 1, attempts=0, **values))
