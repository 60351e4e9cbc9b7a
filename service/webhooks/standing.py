"""How far endpoints are behind: for the doctor, the operator's page and metrics."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from service.clock import instant
from service.store import webhooks as store
from service.store.tables import clients
from service.store.webhook_tables import endpoints

if TYPE_CHECKING:
    from service.wiring import Teken


@dataclass(frozen=True, slots=True)
class Standing:
    """One endpoint of a client with this `name`.

    `since`: when the oldest event that it has not taken happened, None if it has all; `behind`: that event's age in seconds.
    """

    endpoint: str
    client: str
    name: str
    office: str
    state: str
    fault: str | None
    attempts: int
    since: datetime | None
    behind: float


def lag(teken: Teken) -> list[Standing]:
    """Return the standing of every endpoint."""
    with teken.db.read() as connection:
        return lag_in(connection, teken.clock.now())


def lag_in(connection: Connection, now: datetime) -> list[Standing]:
    """As `lag`, in the caller's transaction."""
    query = select(endpoints, clients.c.office, clients.c.name).join(clients, clients.c.id == endpoints.c.client)
    found = []
    for row in connection.execute(query.order_by(endpoints.c.id)).all():
        waiting = store.first_wanted(connection, row)
        since = instant(waiting.at) if waiting else None
        behind = max(0.0, (now - since).total_seconds()) if since else 0.0
        found.append(
            Standing(row.id, row.client, row.name, row.office, row.state, row.fault, row.attempts, since, behind)
        )
    return found
