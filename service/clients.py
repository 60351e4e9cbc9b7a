"""Upstream systems that may post cases: each tied to one office, with scopes, and known by keys of which only hashes are stored."""

from __future__ import annotations

import hmac
import json
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, Select, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from service.api_keys import fresh, key_hash
from service.clock import stamp
from service.errors import Forbidden, Invalid, Unauthenticated
from service.store import StoreBusy
from service.store.client_tables import client_keys
from service.store.tables import clients

if TYPE_CHECKING:
    from service.wiring import Teken


DESK = "Meja kantor"
NO_KEY = "-"
"""No SHA-256 in hex: nobody can show the key of a client that has none. Keys are in `client_keys`."""
_HOUR = len("2026-11-20T02")


class Scope(StrEnum):
    """What a client may do in its office."""

    CASES = "cases:write"
    PERMITS = "permits:read"
    EVENTS = "events:read"
    WEBHOOKS = "webhooks:write"


EVERY_SCOPE = frozenset(Scope)


class KeyExpired(Unauthenticated):
    """The right secret, of a key whose time is over."""

    code = "key_expired"


class SignatureRequired(Unauthenticated):
    """This client's requests must be signed (service/request_signing.py)."""

    code = "signature_required"


class ScopeMissing(Forbidden):
    """The client may not do this. Give `scope`."""

    code = "scope_missing"


_LIVE_KEY: Select[Any] = (
    select(
        *(client_keys.c[name] for name in ("prefix", "client", "hash", "expires_at", "used_at")),
        *(clients.c[name] for name in ("office", "name", "scopes", "must_sign")),
    )
    .join(clients, clients.c.id == client_keys.c.client)
    .where(client_keys.c.prefix == bindparam("shown"))
    .where(client_keys.c.revoked_at.is_(None), clients.c.disabled_at.is_(None))
)
_SIGNING_KEY = _LIVE_KEY.add_columns(client_keys.c.signing)


@dataclass(frozen=True, slots=True)
class Client:
    """An upstream system, tied to one office."""

    id: str
    office: str
    name: str
    scopes: frozenset[str] = EVERY_SCOPE

    def need(self, scope: Scope) -> None:
        """Raise ScopeMissing unless the client has the scope."""
        if scope not in self.scopes:
            raise ScopeMissing(scope=str(scope))


def add_client(
    teken: Teken,
    office: str,
    name: str,
    *,
    scopes: frozenset[str] = EVERY_SCOPE,
    must_sign: bool = False,
    expires_at: datetime | None = None,
) -> tuple[Client, str]:
    """Make a client of an office; return it with its API key `prefix.secret`, which is shown this once and stored hashed."""
    teken.offices.office(office)
    now = teken.clock.now()
    client = Client(f"cli_{secrets.token_hex(6)}", office, name, scopes)
    key, kept = fresh(client.id, now, expires_at)
    with teken.db.write() as connection:
        row = _row(client, now) | {"scopes": json.dumps(sorted(scopes)), "must_sign": int(must_sign)}
        connection.execute(insert(clients).values(**row))
        connection.execute(insert(client_keys).values(**kept))
    return client, key


def desk_client(teken: Teken, office: str) -> Client:
    """Return the client of what an office's own officials enter, made on first use. It has no API key."""
    client = Client(desk_client_id(office), office, DESK)
    with teken.db.read() as connection:
        if connection.execute(select(clients.c.id).where(clients.c.id == client.id)).first() is not None:
            return client
    with teken.db.write() as connection:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        made = dialect.insert(clients).values(**_row(client, teken.clock.now()))
        connection.execute(made.on_conflict_do_nothing(index_elements=["id"]))
    return client


def desk_client_id(office: str) -> str:
    """Return the id of an office's own client."""
    return f"cli_meja_{office}"


def authenticate(teken: Teken, bearer: str) -> Client:
    """Return the client whose key this is.

    Raises Unauthenticated, after the same work whether the prefix or the secret is wrong; KeyExpired and SignatureRequired to who has
    the secret.
    """
    prefix, _, secret = bearer.partition(".")
    row = live_key(teken, prefix)
    known = row.hash if row else key_hash("")
    if not hmac.compare_digest(known, key_hash(secret)) or row is None or not secret:
        raise Unauthenticated
    if row.must_sign:
        raise SignatureRequired
    return admitted(teken, row)


def live_key(teken: Teken, prefix: str, *, to_sign: bool = False) -> Row[Any] | None:
    """Return a key that is not revoked, of a client that is not disabled, with what its client may do; `to_sign`: with `signing`."""
    found = teken.db.ask(_SIGNING_KEY if to_sign else _LIVE_KEY, {"shown": prefix})
    return found[0] if found else None


def admitted(teken: Teken, row: Row[Any]) -> Client:
    """Return the client of a key that was shown, and note the hour of its use. Raises KeyExpired."""
    now = stamp(teken.clock.now())
    if row.expires_at is not None and row.expires_at <= now:
        raise KeyExpired
    if row.used_at is None or row.used_at[:_HOUR] != now[:_HOUR]:
        with suppress(StoreBusy), teken.db.write() as connection:  # the next request notes it then
            mine = client_keys.c.prefix == row.prefix
            connection.execute(update(client_keys).where(mine).values(used_at=now[:_HOUR]))
    scopes = EVERY_SCOPE if row.scopes is None else frozenset(json.loads(row.scopes))
    return Client(row.client, row.office, row.name, scopes)


def scopes_of(text: str) -> frozenset[str]:
    """Read scopes with commas between. Raises Invalid("scope_unknown")."""
    found = frozenset(filter(None, text.split(",")))
    if not found or not found <= EVERY_SCOPE:
        raise Invalid("scope_unknown", known=", ".join(sorted(EVERY_SCOPE)))
    return found


def _row(client: Client, now: datetime) -> dict[str, Any]:
    return {
        "id": client.id,
        "office": client.office,
        "name": client.name,
        "key_prefix": client.id,
        "key_hash": NO_KEY,
        "created_at": stamp(now),
    }
