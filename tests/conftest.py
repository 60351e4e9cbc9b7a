"""Shared by all tests. Servers listen on loopback and are the real ones."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from service.development import certificates
from service.settings import PROJECT
from tests.support.servers import database, postgres, postgres_server, redis_server  # noqa: F401 - fixtures

# How fast examples are made is the machine's business: a busy one must not fail a property that holds.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.fixture(scope="session")
def keys(tmp_path_factory) -> Path:
    """Keys and certificates of every office, made once per run."""
    folder = tmp_path_factory.mktemp("keys")
    certificates(PROJECT / "templates", folder, key="p256", now=datetime(2026, 1, 1, tzinfo=UTC))
    return folder
