"""An office on each of the two databases, which begin empty here: the migrations themselves are tested."""

from collections.abc import Iterator

import pytest

from service import wiring
from service.store.migrate import migrate
from tests.support.servers import PostgresServer
from tests.support.world import world  # noqa: F401 - a fixture


@pytest.fixture(autouse=True)
def migrated_here(monkeypatch) -> None:
    monkeypatch.setattr(wiring, "migrate", migrate)


@pytest.fixture
def postgres(postgres_server: PostgresServer) -> Iterator[str]:
    name = postgres_server.create()
    yield postgres_server.url(name)
    postgres_server.drop(name)
