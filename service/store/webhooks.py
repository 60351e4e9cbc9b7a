"""Rows of endpoints: which are due, claim with lease and fence, what lies after their place in the journal, the log of tries."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, delete, exists, insert, select, update

from service.clock import stamp
from service.store.leases import has_come, is_free
from service.store.permits import Lost
from service.store.tables import events
from service.store.webhook_tables import attempts, endpoints

LONGEST_WAIT: Final = timedelta(hours=12)
"""That a receiver may ask for."""
_AFTER: Final = and_(events.c.client == endpoints.c.client, events.c.seq > endpoints.c.cursor)


def due(connection: Connection, now: datetime, limit: int) -> list[str]:
    """Return the endpoints that something waits for, longest due first. May be wrong by now; the claim decides."""
    query = select(endpoints.c.id).where(*_due(now), exists().where(_AFTER))
    return list(connection.execute(query.order_by(endpoints.c.due_at, endpoints.c.id).limit(limit)).scalars())


def claim(connection: Connection, endpoint: str, now: datetime, lease: timedelta) -> Row[Any] | None:
    """Take an endpoint for this process alone until the lease ends, as long as the fence stands; None if it is not due."""
    query = select(endpoints.c.id).where(endpoints.c.id == endpoint, *_due(now)).with_for_update(skip_locked=True)
    if connection.execute(query).first() is None:
        return None
    return change(connection, endpoint, lease_until=stamp(now + lease))


def read(connection: Connection, endpoint: str) -> Row[Any] | None:
    """Return an endpoint."""
    return connection.execute(select(endpoints).where(endpoints.c.id == endpoint)).first()


def lock(connection: Connection, endpoint: str) -> Row[Any] | None:
    """Hold an endpoint's row."""
    return connection.execute(select(endpoints).where(endpoints.c.id == endpoint).with_for_update()).first()


def change(connection: Connection, endpoint: str, **values: Any) -> Row[Any]:
    """Change an endpoint and raise its fence: whoever holds it has lost it. Return the new row."""
    mine = update(endpoints).where(endpoints.c.id == endpoint)
    changed = mine.values(**values, fence=endpoints.c.fence + 1).returning(endpoints)
    return connection.execute(changed).one()


def record(connection: Connection, endpoint: str, fence: int, **values: Any) -> None:
    """Write what came of a claim. Raises Lost when somebody else has claimed or changed the endpoint since."""
    row = lock(connection, endpoint)
    if row is None or row.fence != fence:
        raise Lost(endpoint)
    connection.execute(update(endpoints).where(endpoints.c.id == endpoint).values(**values))


def log(connection: Connection, tries: Sequence[Mapping[str, Any]]) -> None:
    """Keep what came of tries."""
    if tries:
        connection.execute(insert(attempts), list(tries))


def types_of(endpoint: Row[Any]) -> frozenset[str]:
    """Return the event types that an endpoint names."""
    return frozenset(json.loads(endpoint.types))


def first_wanted(connection: Connection, endpoint: Row[Any]) -> Row[Any] | None:
    """Return the event that is to be delivered next."""
    mine = and_(events.c.client == endpoint.client, events.c.seq > endpoint.cursor)
    types = types_of(endpoint)
    query = select(events).where(mine, events.c.type.in_(sorted(types))) if types else select(events).where(mine)
    return connection.execute(query.order_by(events.c.seq).limit(1)).first()


def forget(connection: Connection, before: datetime) -> None:
    """Delete tries of before an instant from the log."""
    connection.execute(delete(attempts).where(attempts.c.at < stamp(before)))


def _due(now: datetime) -> tuple[Any, ...]:
    due = has_come(endpoints.c.due_at, now, LONGEST_WAIT)
    return endpoints.c.state == "active", due, is_free(endpoints.c.lease_until, now)
