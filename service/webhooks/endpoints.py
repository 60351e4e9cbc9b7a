"""What people do with endpoints: add, look, rotate the secret, pause, resume, go back, remove. Each is on record in the journal.

A URL may hold a secret of the receiver's: the journal and the log name an endpoint by its id alone.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, Row, delete, func, insert, select

from service import journal
from service.clock import stamp
from service.errors import NotFound
from service.store import webhooks as store
from service.store.tables import clients, events
from service.store.webhook_tables import attempts, endpoints
from service.webhooks.errors import EndpointUnknown, EventUnknown, TooManyEndpoints, TypeUnknown
from service.webhooks.letters import new_secret
from service.webhooks.network import rules_of
from service.webhooks.sealing import sealed
from service.webhooks.targets import target_of
from service.webhooks.types import TYPES

if TYPE_CHECKING:
    from service.wiring import Teken

MOST: Final = 10
BOTH_SIGN: Final = timedelta(hours=24)
SKIPPED: Final = "skipped"
_FRESH: Final[Mapping[str, Any]] = {"attempts": 0, "failing_since": None, "fault": None, "lease_until": ""}


def add(
    teken: Teken, client: str, url: str, *, types: Sequence[str] = (), description: str = ""
) -> tuple[dict[str, Any], str]:
    """Send a client's events from now on to a URL; return the endpoint and its secret, which is shown this once.

    Raises UrlInvalid, HostRefused, TypeUnknown, NotFound("client_unknown"), TooManyEndpoints, VaultShut.
    """
    target_of(url, rules_of(teken.settings))
    _check_types(types)
    endpoint, secret, now = f"whk_{secrets.token_hex(8)}", new_secret(), stamp(teken.clock.now())
    values = {
        "id": endpoint,
        "client": client,
        "url": url,
        "description": description,
        "types": json.dumps(sorted(set(types))),
        "state": "active",
        "secret": sealed(teken.vault, endpoint, secret),
        "due_at": now,
        "created_at": now,
    }
    with teken.db.write() as connection:
        office = _office(connection, client)
        mine = select(func.count()).select_from(endpoints).where(endpoints.c.client == client)
        if connection.execute(mine).scalar_one() >= MOST:
            raise TooManyEndpoints(most=str(MOST))
        newest = select(func.max(events.c.seq)).where(events.c.client == client)
        cursor = connection.execute(newest).scalar_one() or 0
        row = connection.execute(insert(endpoints).values(**values, cursor=cursor).returning(endpoints)).one()
        _tell(connection, teken, office, "webhook.added", row)
    return shown(row), secret


def listed(teken: Teken, client: str | None = None) -> list[dict[str, Any]]:
    """Return the endpoints, of one client or all."""
    query = select(endpoints) if client is None else select(endpoints).where(endpoints.c.client == client)
    with teken.db.read() as connection:
        rows = connection.execute(query.order_by(endpoints.c.client, endpoints.c.created_at, endpoints.c.id)).all()
    return [shown(row) for row in rows]


def one(teken: Teken, endpoint: str, client: str | None = None) -> dict[str, Any]:
    """Return an endpoint; with a client, only its own. Raises EndpointUnknown."""
    with teken.db.read() as connection:
        return shown(own(store.read(connection, endpoint), client))


def rotate(teken: Teken, endpoint: str, client: str | None = None) -> tuple[dict[str, Any], str]:
    """Give an endpoint a new secret, shown this once; the old one signs too for a day. Raises EndpointUnknown, VaultShut."""
    secret, now = new_secret(), teken.clock.now()
    fresh = sealed(teken.vault, endpoint, secret)
    with teken.db.write() as connection:
        row = own(store.lock(connection, endpoint), client)
        old = {"old_secret": row.secret, "old_until": stamp(now + BOTH_SIGN)}
        row = _changed(connection, teken, row, "webhook.rotated", secret=fresh, lease_until="", **old)
    return shown(row), secret


def pause(teken: Teken, endpoint: str, client: str | None = None) -> dict[str, Any]:
    """Send nothing until it is resumed; nothing is lost meanwhile. Raises EndpointUnknown."""
    with teken.db.write() as connection:
        row = own(store.lock(connection, endpoint), client)
        return shown(_changed(connection, teken, row, "webhook.paused", state="paused", lease_until=""))


def resume(teken: Teken, endpoint: str, client: str | None = None, *, skip: bool = False) -> dict[str, Any]:
    """Go on in order, at once, whatever it waited for. `skip`: pass over the event that it stands at; that is logged.

    Raises EndpointUnknown.
    """
    now = teken.clock.now()
    with teken.db.write() as connection:
        row = own(store.lock(connection, endpoint), client)
        cursor = _past(connection, row, now) if skip else row.cursor
        back = {"state": "active", "cursor": cursor, "due_at": stamp(now), **_FRESH}
        return shown(_changed(connection, teken, row, "webhook.resumed", **back))


def replay(
    teken: Teken,
    endpoint: str,
    client: str | None = None,
    *,
    event: str | None = None,
    since: datetime | None = None,
) -> dict[str, Any]:
    """Send everything from an event or an instant on again, in order, under the same ids.

    Raises EndpointUnknown, EventUnknown.
    """
    with teken.db.write() as connection:
        row = own(store.lock(connection, endpoint), client)
        query = select(func.min(events.c.seq)).where(events.c.client == row.client)
        query = query.where(events.c.id == event) if since is None else query.where(events.c.at >= stamp(since))
        first = connection.execute(query).scalar_one()
        if first is None:
            raise EventUnknown
        back = {"cursor": min(first - 1, row.cursor), "due_at": stamp(teken.clock.now()), **_FRESH}
        return shown(_changed(connection, teken, row, "webhook.replayed", **back))


def remove(teken: Teken, endpoint: str, client: str | None = None) -> None:
    """Forget an endpoint and its log. Raises EndpointUnknown."""
    with teken.db.write() as connection:
        row = own(store.lock(connection, endpoint), client)
        connection.execute(delete(attempts).where(attempts.c.endpoint == endpoint))
        connection.execute(delete(endpoints).where(endpoints.c.id == endpoint))
        _tell(connection, teken, _office(connection, row.client), "webhook.removed", row)


def tries(teken: Teken, endpoint: str, client: str | None = None, *, limit: int = 50) -> list[dict[str, Any]]:
    """Return the newest tries first: which event, when, what was answered. Never what was sent. Raises EndpointUnknown."""
    columns = [attempts.c[name] for name in ("event", "seq", "no", "at", "status", "milliseconds", "fault")]
    query = select(*columns).where(attempts.c.endpoint == endpoint).order_by(attempts.c.id.desc()).limit(limit)
    with teken.db.read() as connection:
        own(store.read(connection, endpoint), client)
        return [dict(row._mapping) for row in connection.execute(query)]  # noqa: SLF001 - SQLAlchemy's public name


def own(row: Row[Any] | None, client: str | None) -> Row[Any]:
    """Return the endpoint if it is the client's, or whoever's for the operator. Raises EndpointUnknown."""
    if row is None or client not in {None, row.client}:
        raise EndpointUnknown
    return row


def shown(row: Row[Any]) -> dict[str, Any]:
    """Return what may be seen of an endpoint: no secret."""
    names = ("id", "client", "url", "description", "state", "fault", "attempts", "failing_since", "created_at")
    told = {name: getattr(row, name) for name in names}
    waits = row.due_at if row.state == "active" and row.attempts else None
    return {**told, "types": json.loads(row.types), "next_try_at": waits, "after": row.cursor}


def _past(connection: Connection, row: Row[Any], now: datetime) -> int:
    passed = store.first_wanted(connection, row)
    if passed is None:
        return int(row.cursor)
    told = {"endpoint": row.id, "event": passed.id, "seq": passed.seq, "no": 0, "at": stamp(now), "milliseconds": 0}
    store.log(connection, [{**told, "status": None, "fault": SKIPPED}])
    return int(passed.seq)


def _changed(connection: Connection, teken: Teken, row: Row[Any], event: str, **values: Any) -> Row[Any]:
    changed = store.change(connection, row.id, **values)
    _tell(connection, teken, _office(connection, row.client), event, changed)
    return changed


def _office(connection: Connection, client: str) -> str:
    found = connection.execute(select(clients.c.office).where(clients.c.id == client)).scalar_one_or_none()
    if found is None:
        raise NotFound("client_unknown")
    return str(found)


def _tell(connection: Connection, teken: Teken, office: str, event: str, row: Row[Any]) -> None:
    """The operator's journal, not the client's feed: of no client."""
    told = {"endpoint": row.id, "of": row.client, "state": row.state, "after": row.cursor}
    journal.append(connection, teken.notary, teken.clock.now(), journal.Entry(event, office, None, None, told))


def _check_types(types: Sequence[str]) -> None:
    for name in types:
        if name not in TYPES:
            raise TypeUnknown(type=name if name.isascii() and len(name) <= 40 else "?")  # noqa: PLR2004 - it goes back to whoever asked
