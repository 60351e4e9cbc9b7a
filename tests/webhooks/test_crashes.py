"""A worker is killed at every named point of sending: nothing is lost, and what is sent again has the same id."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from service.settings import PROJECT
from tests.webhooks.house import added, happen, send
from tests.webhooks.receiver import receiving


@pytest.mark.parametrize("point", ["webhook.before_send", "webhook.after_send"])
def test_a_death_between_sending_and_recording_repeats_under_the_same_id(house, keys, point):
    """A worker that is killed at the second letter; another one, once the lease is over, sends what was not recorded."""
    with receiving() as receiver:
        endpoint, _ = added(house, receiver)
        ids = happen(house, "case.accepted", "permit.issued", "permit.ready")
        died = subprocess.run(
            [sys.executable, "-c", ONE_LOOK, endpoint],
            cwd=PROJECT,
            env={**os.environ, **environment(house, keys), "TEKEN_FAIL_AT": f"{point}:2"},
            check=False,
            timeout=120,
        )
        assert died.returncode == -signal.SIGKILL
        assert receiver.ids == ids[: 1 if point == "webhook.before_send" else 2]
        assert not send(house, endpoint), "the dead one's lease stands"
        house.clock.forward(days=4000)
        assert send(house, endpoint)
        assert receiver.ids[-3:] == ids
        assert set(receiver.ids) == set(ids)


ONE_LOOK = """
import sys
from service.settings import Settings
from service.webhooks.delivery import deliver
from service.webhooks.network import network_of
from service.wiring import open_teken
teken = open_teken(Settings.from_environment())
deliver(teken, network_of(teken), sys.argv[1])
"""


def environment(house, keys) -> dict[str, str]:
    given = house.teken.settings
    return {
        "TEKEN_HOME": str(given.home),
        "TEKEN_KEYS": str(keys),
        "TEKEN_DATABASE_URL": given.database_url,
        "TEKEN_WEBHOOK_NETWORKS": given.webhook_networks,
    }
