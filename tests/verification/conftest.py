"""A register with permits of every standing, their files, and a public web face whose clock can be set."""

from __future__ import annotations

import dataclasses
import logging
from datetime import datetime

import pytest

from service.app import create_app
from service.clock import SetClock
from signing import inspect
from tests.verification.standing import OFFICES, PRIVATE, World, open_world

__all__ = ["OFFICES", "PRIVATE", "World"]


@pytest.fixture(autouse=True, scope="session")
def _quiet_validator():
    """pyHanko logs every chain that does not end at an anchor, with a traceback; here that is expected."""
    for name in ("pyhanko", "pyhanko_certvalidator"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


@pytest.fixture(scope="session")
def world(tmp_path_factory, keys) -> World:
    made = open_world(tmp_path_factory.mktemp("office"), keys)
    yield made
    made.teken.close()


@pytest.fixture
def browse(world):
    """Return a browser on the public face, at an instant."""

    def open_at(at: datetime | None = None, **changed):
        clock = SetClock(at or world.teken.clock.now())
        return create_app(dataclasses.replace(world.teken, clock=clock, **changed)).test_client()

    return open_at


@pytest.fixture
def in_process(monkeypatch):
    """Inspect without a child process, where hundreds of files are tried; the child has tests of its own."""
    monkeypatch.setattr("service.verification.file.inspect_isolated", inspect)


@pytest.fixture(scope="session")
def scene(tmp_path_factory, keys):
    """What attacks begin with: permits, keys and a time-stamping authority of every office."""
    from tests.verification.attacks.genuine import build  # which needs this module

    made = build(tmp_path_factory.mktemp("attacked"), keys)
    yield made
    made.teken.close()
