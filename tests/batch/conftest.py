"""An office with a tray: permits that wait for the head's signature, on each of the two databases, with a clock that the test moves."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from sqlalchemy import select

from service import batch, batch_ends, pipeline
from service.batch import Batch
from service.clock import SetClock
from service.permits import State
from service.store.tables import events
from service.wiring import Teken
from tests.support.office import NOW, client_of, holder, open_office, payload, play, post, row, work

OFFICE, TYPE = "rokan-hilir", "sip-perekam-medis"


@dataclass
class Tray:
    """One signing process and the web in one; the passphrase file is missing, as in production: only what is typed opens a key."""

    teken: Teken
    clock: SetClock
    passphrase: bytes
    client: Any
    serial: count = field(default_factory=count)

    @property
    def head(self) -> str:
        return holder(self.teken, OFFICE, "kepala_dinas")

    def fill(self, number: int) -> list[tuple[str, str]]:
        """So many permits that the head has read: (permit, hash)."""
        ids = []
        for _ in range(number):
            body = payload(OFFICE, TYPE, f"BERKAS-{next(self.serial)}")
            ids.append(post(self.teken, self.client, body).body["id"])
        for permit in ids:
            play(self.teken, permit, until=State.NUMBERED)
        work(self.teken)
        return [(permit, row(self.teken, permit).final_sha) for permit in ids]

    def open(self, listed, passphrase: bytes | None = None) -> Batch:
        return batch.open_batch(self.teken, self.head, listed, bytearray(passphrase or self.passphrase))

    def resume(self, opened: Batch, passphrase: bytes | None = None) -> Batch:
        return batch.resume(self.teken, self.head, opened.id, bytearray(passphrase or self.passphrase))

    def sign(self, steps: int = 10_000) -> None:
        for _ in range(steps):
            if not pipeline.advance(self.teken, "sign"):
                return

    def tend(self) -> None:
        batch_ends.tend(self.teken)

    def status(self, opened: Batch) -> Batch:
        return batch.status(self.teken, opened.id)

    def state(self, permit: str) -> str:
        return row(self.teken, permit).state

    def told(self, opened: Batch) -> list[str]:
        with self.teken.db.read() as connection:
            query = select(events.c.type).where(events.c.type.like("batch.%"), events.c.data.contains(opened.id))
            return list(connection.execute(query.order_by(events.c.seq)).scalars())


def typed_only(home, keys, database: str = "", clock=None, **settings) -> Teken:
    """No file holds a person's passphrase; the seal's own secret file is there."""
    return open_office(
        home,
        keys,
        database=database,
        clock=clock,
        passphrase_file=home / "none",
        seal_passphrase_file=keys / "passphrase",
        **settings,
    )


@pytest.fixture
def passphrase(keys) -> bytes:
    return (keys / "passphrase").read_bytes().strip()


@pytest.fixture
def tray(tmp_path, keys, database, passphrase):
    clock = SetClock(NOW)
    teken = typed_only(tmp_path, keys, database, clock)
    pipeline.drain(teken, "sign")
    yield Tray(teken, clock, passphrase, client_of(teken, OFFICE))
    teken.close()
