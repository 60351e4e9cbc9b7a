"""Idempotency keys: a request that comes twice under one key is carried out once, and answered the same both times."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, delete, select, update

from service.archive import sha256
from service.canonical import dumps
from service.clients import Client
from service.clock import instant, stamp
from service.errors import IdempotencyMismatch, IdempotencyRunning
from service.store.once import insert_once
from service.store.tables import idempotency

if TYPE_CHECKING:
    from service.wiring import Teken

KEY_LENGTH = 255
RUNNING_SECONDS = 60
"""A first request that has not answered after this long is taken for dead; the upstream id still keeps the case single."""

_ANSWER = (
    update(idempotency)
    .where(
        idempotency.c.client == bindparam("whose"),
        idempotency.c.key == bindparam("which"),
        idempotency.c.token == bindparam("claim"),
    )
    .values(running_until=None)
)


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to an accepted case; `replayed` when it was stored under the same idempotency key before."""

    status: int
    body: dict[str, Any]
    location: str | None
    replayed: bool = False


def begin(teken: Teken, client: Client, key: str, raw: bytes) -> Reply | str:
    """Claim the key for this request; return the stored answer, or the token of the claim."""
    body_sha, token, now = sha256(raw), secrets.token_hex(8), teken.clock.now()
    until = stamp(now + timedelta(seconds=RUNNING_SECONDS))
    with teken.db.write() as connection:
        row = {"client": client.id, "key": key, "body_sha": body_sha, "token": token, "running_until": until}
        if insert_once(connection, idempotency, ("client", "key"), row) is not None:
            return token
        mine = (idempotency.c.client == client.id) & (idempotency.c.key == key)
        known = connection.execute(select(idempotency).where(mine).with_for_update()).one()
        if known.body_sha != body_sha:
            raise IdempotencyMismatch
        if known.running_until is None:
            return Reply(known.status, json.loads(known.reply), known.location, replayed=True)
        if instant(known.running_until) > now:
            raise IdempotencyRunning
        connection.execute(update(idempotency).where(mine).values(token=token, running_until=until))
    return token


def answer(connection: Connection, client: Client, key: tuple[str, str], reply: Reply) -> None:
    mine = {"whose": client.id, "which": key[0], "claim": key[1]}
    answered = {"status": reply.status, "reply": dumps(reply.body), "location": reply.location}
    if connection.execute(_ANSWER, mine | answered).rowcount != 1:
        raise IdempotencyRunning


def forget(teken: Teken, client: Client, key: str, token: str) -> None:
    """An error is not stored: the corrected body may come under the same key."""
    mine = (idempotency.c.client == client.id) & (idempotency.c.key == key) & (idempotency.c.token == token)
    with teken.db.write() as connection:
        connection.execute(delete(idempotency).where(mine, idempotency.c.running_until.is_not(None)))
