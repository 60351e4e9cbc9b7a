"""One office on each of the two databases, with a clock that the test moves, and short ways to post and look."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from service import pipeline
from service.clock import SetClock
from service.wiring import Teken
from tests.support.office import client_of, open_office, payload, post, row

OFFICE, TYPE = "rokan-hilir", "sip-perekam-medis"


@dataclass
class World:
    """One open office, one client of it, and short ways to post and look."""

    teken: Teken
    clock: SetClock
    client: object

    def post(self, upstream_id: str = "UJI-0001", key: str | None = None, **changes):
        return post(self.teken, self.client, payload(OFFICE, TYPE, upstream_id, **changes), key)

    def accepted(self, upstream_id: str = "UJI-0001") -> str:
        return self.post(upstream_id).body["id"]

    def drafted(self, upstream_id: str) -> str:
        """A permit whose next step is the number."""
        permit = self.accepted(upstream_id)
        pipeline.advance(self.teken, "work", permit)
        assert row(self.teken, permit).state == "drafted"
        return permit

    def row(self, permit: str):
        return row(self.teken, permit)


@pytest.fixture
def world(tmp_path, keys, database):
    clock = SetClock()
    teken = open_office(tmp_path, keys, database=database, clock=clock)
    yield World(teken, clock, client_of(teken, OFFICE))
    teken.close()
