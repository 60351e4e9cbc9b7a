"""A worker is killed at every named point of sending: nothing is lost, and what is sent again has the same id."""

from __future__ import annotations

import signal
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from service.clock import instant
from service.store.webhook_tables import endpoints
from tests.faults.nursery import Nursery
from tests.webhooks.house import added, happen, send
from tests.webhooks.receiver import receiving

PATIENCE = 120


@pytest.fixture(scope="module")
def nursery():
    """Starts real workers quickly."""
    with Nursery() as started:
        yield started


@pytest.mark.parametrize("point", ["webhook.before_send", "webhook.after_send"])
def test_a_death_between_sending_and_recording_repeats_under_the_same_id(house, keys, nursery, point):
    """It dies at the second letter; another worker, once the lease is over, sends what was not recorded."""
    with receiving() as receiver:
        endpoint, _ = added(house, receiver)
        ids = happen(house, "case.accepted", "permit.issued", "permit.ready")
        worker = nursery.spawn("work", {**environment(house, keys), "TEKEN_FAIL_AT": f"{point}:2"})
        assert nursery.wait(worker, PATIENCE) == -signal.SIGKILL
        sent = 1 if point == "webhook.before_send" else 2
        assert receiver.ids == ids[:sent]
        house.clock.at = lease_of(house, endpoint) - timedelta(seconds=1)
        assert not send(house, endpoint), "the dead one's lease stands"
        house.clock.forward(seconds=1)
        assert send(house, endpoint)
        # the first is on record already where RECORD_SECONDS went by before the second
        assert receiver.ids[sent:] in (ids, ids[1:])
        assert set(receiver.ids) == set(ids)


def lease_of(house, endpoint: str) -> datetime:
    """When the dead worker's lease ends, by its own clock."""
    with house.teken.db.read() as connection:
        held = select(endpoints.c.lease_until).where(endpoints.c.id == endpoint)
        return instant(connection.execute(held).scalar_one())


def environment(house, keys) -> dict[str, str]:
    given = house.teken.settings
    return {
        "TEKEN_HOME": str(given.home),
        "TEKEN_KEYS": str(keys),
        "TEKEN_DATABASE_URL": given.database_url,
        "TEKEN_WEBHOOK_NETWORKS": given.webhook_networks,
    }
