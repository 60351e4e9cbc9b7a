from __future__ import annotations

import pytest

from service.clock import SetClock
from tests.support.office import client_of, open_office
from tests.support.world import OFFICE, World


@pytest.fixture
def house(tmp_path, keys, database):
    """One office on each of the two databases; its webhooks may reach this machine."""
    clock = SetClock()
    teken = open_office(tmp_path, keys, database=database, clock=clock, webhook_networks="127.0.0.0/8")
    yield World(teken, clock, client_of(teken, OFFICE))
    teken.close()
