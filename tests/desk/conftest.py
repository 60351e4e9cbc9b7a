"""The desk over a real database, and people with password and authenticator who log in by its own forms."""

from __future__ import annotations

import pytest

from service.app import create_app
from service.clock import SetClock
from tests.desk.people import Desk
from tests.support.office import NOW, open_office


@pytest.fixture
def desk(tmp_path, keys):
    clock = SetClock(NOW)
    teken = open_office(tmp_path, keys, clock=clock)
    yield Desk(teken, clock, create_app(teken))
    teken.close()
