"""The desk over a real database, and people with password and authenticator who log in by its own forms."""

from __future__ import annotations

import shutil

import argon2
import pytest

from service.app import create_app
from service.clock import SetClock
from service.desk import accounts
from tests.desk.head import Office
from tests.desk.people import Desk
from tests.support.office import NOW, open_office


@pytest.fixture(scope="session", autouse=True)
def quick_hashes():
    """Hundreds of people log in here: hash their passwords as argon2 does, with less of it. One test looks at the real measure."""
    real, accounts._hasher = accounts._hasher, argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    yield real
    accounts._hasher = real


@pytest.fixture(scope="session")
def furnished(tmp_path_factory, keys):
    """A home in which nothing happened yet: migrated once, then copied."""
    home = tmp_path_factory.mktemp("furnished") / "home"
    open_office(home, keys).close()
    return home


@pytest.fixture
def each_desk(tmp_path, keys, database):
    """The desk over one database after the other: for what only a real race or another engine shows."""
    teken = open_office(tmp_path, keys, clock=SetClock(NOW), database=database)
    yield Desk(teken, teken.clock, create_app(teken))
    teken.close()


@pytest.fixture
def desk(tmp_path, keys, furnished):
    shutil.copytree(furnished, tmp_path, dirs_exist_ok=True)
    clock = SetClock(NOW)
    teken = open_office(tmp_path, keys, clock=clock)
    yield Desk(teken, clock, create_app(teken))
    teken.close()


@pytest.fixture
def office(tmp_path, keys):
    """An office with a head and a signing process."""
    made = Office(tmp_path, keys)
    yield made
    made.teken.close()
