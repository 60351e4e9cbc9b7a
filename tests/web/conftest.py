"""The real application over SQLite, with one client of each office."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import func, select

from service.app import create_app
from service.cases import example
from service.clients import add_client
from service.clock import SetClock
from service.settings import Settings
from service.store.tables import metadata
from service.wiring import open_teken

OFFICE, TYPE = "rokan-hilir", "sip-perekam-medis"
WITH_PHOTO = ("kudus", "sip-perekam-medis")


@dataclass(frozen=True)
class House:
    """The application, keys of its clients, and a way to see whether a request left anything behind."""

    teken: Any
    app: Any
    keys: dict[str, str]

    def ask(self, method: str, path: str, *, office: str = OFFICE, **rest: Any):
        headers = {"Authorization": f"Bearer {self.keys[office]}"} | rest.pop("headers", {})
        kept = {name: value for name, value in headers.items() if value is not None}
        return self.app.test_client().open(path, method=method, headers=kept, **rest)

    def good(self, office: str = OFFICE, type_: str = TYPE, **head: Any) -> dict[str, Any]:
        return example(self.teken.offices.permit_type(office, type_)) | head

    def rows(self) -> dict[str, int]:
        with self.teken.db.read() as connection:
            return {
                table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
                for table in metadata.sorted_tables
            }


def open_house(folder) -> House:
    teken = open_teken(Settings(home=folder), clock=SetClock())
    keys = {office: add_client(teken, office, f"Aplikasi {office}")[1] for office in teken.offices.offices}
    return House(teken, create_app(teken), keys)


@pytest.fixture
def house(tmp_path):
    opened = open_house(tmp_path)
    yield opened
    opened.teken.close()


@pytest.fixture(scope="module")
def shared_house(tmp_path_factory):
    """For requests that leave nothing behind."""
    opened = open_house(tmp_path_factory.mktemp("house"))
    yield opened
    opened.teken.close()
