"""The keys of upstream systems: two live ones at most, so that an office can change one for the other without a pause."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, insert, select, update

from service.api_keys import fresh
from service.clients import EVERY_SCOPE
from service.clock import stamp
from service.errors import Conflict, NotFound
from service.store.client_tables import client_keys
from service.store.tables import clients

if TYPE_CHECKING:
    from service.wiring import Teken

MOST_LIVE = 2
OVERLAP = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Key:
    """One key, without its secret. `state`: live, expired, revoked. `used_at` is told to the hour."""

    prefix: str
    state: str
    created_at: str
    expires_at: str | None
    used_at: str | None


@dataclass(frozen=True, slots=True)
class Known:
    """A client with its keys, newest first."""

    id: str
    office: str
    name: str
    scopes: tuple[str, ...]
    must_sign: bool
    keys: tuple[Key, ...]


def listed(teken: Teken, office: str | None = None) -> list[Known]:
    """Return the clients that have, or had, a key."""
    now = stamp(teken.clock.now())
    with teken.db.read() as connection:
        rows = connection.execute(select(client_keys).order_by(client_keys.c.created_at.desc())).all()
        found = connection.execute(select(clients).order_by(clients.c.office, clients.c.name)).all()
    keys = {one.id: tuple(_key(row, now) for row in rows if row.client == one.id) for one in found}
    wanted = [one for one in found if keys[one.id] and office in {None, one.office}]
    return [
        Known(one.id, one.office, one.name, _scopes(one.scopes), bool(one.must_sign), keys[one.id]) for one in wanted
    ]


def rotate(teken: Teken, client: str, *, overlap: timedelta = OVERLAP, expires_at: datetime | None = None) -> str:
    """Give a client a new key; the one before it ends after the overlap. Returns `prefix.secret`, shown this once.

    Raises NotFound("client_unknown"), Conflict("keys_two"): two keys live already.
    """
    now = teken.clock.now()
    key, row = fresh(client, now, expires_at)
    with teken.db.write() as connection:
        _client(connection, client)
        live = [one for one in _keys(connection, client) if _key(one, stamp(now)).state == "live"]
        if len(live) >= MOST_LIVE:
            raise Conflict("keys_two")
        until = stamp(now + overlap)
        for one in live:
            if one.expires_at is None or one.expires_at > until:
                mine = client_keys.c.prefix == one.prefix
                connection.execute(update(client_keys).where(mine).values(expires_at=until))
        connection.execute(insert(client_keys).values(**row))
    return key


def revoke(teken: Teken, name: str) -> int:
    """End a key by its prefix, or all keys of a client by its id, at once; return how many ended. Raises NotFound."""
    now = stamp(teken.clock.now())
    mine = (client_keys.c.prefix == name) | (client_keys.c.client == name)
    with teken.db.write() as connection:
        if connection.execute(select(client_keys.c.prefix).where(mine)).first() is None:
            raise NotFound("client_unknown")
        ended = update(client_keys).where(mine, client_keys.c.revoked_at.is_(None)).values(revoked_at=now)
        return len(connection.execute(ended.returning(client_keys.c.prefix)).all())


def allow(teken: Teken, client: str, *, scopes: frozenset[str] | None = None, must_sign: bool | None = None) -> None:
    """Change what a client may do, or whether its requests must be signed. Raises NotFound.

    A client whose keys are all of before request signing gets Conflict("keys_unsigned"): it would be shut out.
    """
    changed: dict[str, Any] = {} if scopes is None else {"scopes": json.dumps(sorted(scopes))}
    with teken.db.write() as connection:
        _client(connection, client)
        if must_sign and not any(one.signing for one in _keys(connection, client)):
            raise Conflict("keys_unsigned")
        changed |= {} if must_sign is None else {"must_sign": int(must_sign)}
        if changed:
            connection.execute(update(clients).where(clients.c.id == client).values(**changed))


def _client(connection: Connection, client: str) -> None:
    """Hold the client's row, so that two rotations come one after the other. Raises NotFound."""
    row = connection.execute(select(clients.c.id).where(clients.c.id == client).with_for_update()).first()
    if row is None or not _keys(connection, client):
        raise NotFound("client_unknown")


def _keys(connection: Connection, client: str) -> list[Row[Any]]:
    return list(connection.execute(select(client_keys).where(client_keys.c.client == client)).all())


def _key(row: Row[Any], now: str) -> Key:
    ended = "revoked" if row.revoked_at else "expired" if row.expires_at and row.expires_at <= now else "live"
    return Key(row.prefix, ended, row.created_at, row.expires_at, row.used_at)


def _scopes(text: str | None) -> tuple[str, ...]:
    return tuple(sorted(EVERY_SCOPE if text is None else json.loads(text)))
