"""The table of living signing processes. Its rows are claims by whoever can write there; `recipients` believes only pinned hosts."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from service.clock import stamp
from service.handover import Recipient
from service.identity import Announcement, decoded, vouched
from service.store.batch_tables import signers


def announce(connection: Connection, said: Announcement) -> None:
    """Store the newest announcement of a process, and sweep out those that are over."""
    connection.execute(delete(signers).where((signers.c.id == said.id) | (signers.c.expires_at <= said.announced_at)))
    connection.execute(insert(signers).values(**asdict(said)))


def leave(connection: Connection, process: str) -> None:
    """The process ends in good order."""
    connection.execute(delete(signers).where(signers.c.id == process))


def recipients(connection: Connection, pins: frozenset[str], now: datetime) -> list[Recipient]:
    """Return the signing processes that a passphrase may be sealed to."""
    rows = connection.execute(select(signers).order_by(signers.c.id)).all()
    said = [Announcement(**one._mapping) for one in rows]  # noqa: SLF001 - SQLAlchemy's public name
    return [Recipient(one.id, decoded(one.public_key)) for one in said if vouched(one, pins, now)]


def living(connection: Connection, now: datetime) -> set[str]:
    """Return processes that have not fallen silent: to notice a death, not to trust anybody."""
    return set(connection.execute(select(signers.c.id).where(signers.c.expires_at > stamp(now))).scalars())
