"""An office on each of the two databases; keys of today; a nursery of real processes; a printed seed."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from service.development import certificates
from service.settings import PROJECT
from tests.faults.nursery import Nursery
from tests.support.world import world  # noqa: F401 - a fixture


@pytest.fixture(scope="session")
def keys_of_today(tmp_path_factory) -> Path:
    """These processes use the host's own clock, so their certificates are of today."""
    folder = tmp_path_factory.mktemp("keys-of-today")
    certificates(PROJECT / "templates", folder, key="p256", now=datetime.now(UTC) - timedelta(days=2))
    return folder


@pytest.fixture(scope="module")
def nursery():
    with Nursery() as opened:
        yield opened


@pytest.fixture
def seed() -> int:
    chosen = secrets.randbelow(1_000_000)
    print(f"seed {chosen}")
    return chosen
