"""Upstream systems that may post cases: each tied to one office, known by an API key of which only a hash is stored."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from service.clock import stamp
from service.errors import Unauthenticated
from service.store.tables import clients

if TYPE_CHECKING:
    from service.wiring import Teken


DESK = "Meja kantor"
_NO_KEY = "-"
"""No SHA-256 in hex: nobody can show the key of a client that has none."""

_OF_KEY = select(clients).where(clients.c.key_prefix == bindparam("prefix"), clients.c.disabled_at.is_(None))


@dataclass(frozen=True, slots=True)
class Client:
    """An upstream system, tied to one office."""

    id: str
    office: str
    name: str


def add_client(teken: Teken, office: str, name: str) -> tuple[Client, str]:
    """Make a client of an office; return it with its API key `prefix.secret`, which is shown this once and stored hashed."""
    teken.offices.office(office)
    client = Client(f"cli_{secrets.token_hex(6)}", office, name)
    prefix, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    with teken.db.write() as connection:
        row = {"id": client.id, "office": office, "name": name, "key_prefix": prefix, "key_hash": _key_hash(secret)}
        connection.execute(insert(clients).values(**row, created_at=stamp(teken.clock.now())))
    return client, f"{prefix}.{secret}"


def desk_client(teken: Teken, office: str) -> Client:
    """Return the client of what an office's own officials enter, made on first use. It has no API key."""
    client = Client(desk_client_id(office), office, DESK)
    with teken.db.read() as connection:
        if connection.execute(select(clients.c.id).where(clients.c.id == client.id)).first() is not None:
            return client
    with teken.db.write() as connection:
        row = {"id": client.id, "office": office, "name": DESK, "key_prefix": client.id, "key_hash": _NO_KEY}
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        made = dialect.insert(clients).values(**row, created_at=stamp(teken.clock.now()))
        connection.execute(made.on_conflict_do_nothing(index_elements=["id"]))
    return client


def desk_client_id(office: str) -> str:
    """Return the id of an office's own client."""
    return f"cli_meja_{office}"


def authenticate(teken: Teken, bearer: str) -> Client:
    """Return the client whose key this is.

    Raises Unauthenticated, after the same work whether the prefix or the secret is wrong.
    """
    prefix, _, secret = bearer.partition(".")
    with teken.db.read() as connection:
        row = connection.execute(_OF_KEY, {"prefix": prefix}).first()
    known = row.key_hash if row else _key_hash("")
    if not hmac.compare_digest(known, _key_hash(secret)) or row is None or not secret:
        raise Unauthenticated
    return Client(row.id, row.office, row.name)


def _key_hash(secret: str) -> str:
    """SHA-256 is enough for 256 random bits; a slow hash would only slow every request."""
    return hashlib.sha256(secret.encode()).hexdigest()
