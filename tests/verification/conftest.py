"""A register with permits of every standing, their files, and a public web face whose clock can be set."""

from __future__ import annotations

import dataclasses
import logging
from dataclasses import dataclass
from datetime import datetime

import pytest

from service import acts
from service.app import create_app
from service.clock import SetClock
from service.permits import State
from service.wiring import Teken
from signing import inspect
from tests.support.office import client_of, holder, open_office, payload, play, post, row

OFFICES = {
    "rokan-hilir": "sip-perekam-medis",
    "rokan-hulu": "surat-izin-perekam-medik",
    "malang": "sik-perekam-medis",
    "kudus": "sip-perekam-medis",
}
PRIVATE = {
    "applicant__tempat_lahir": "Kota Rahasia",
    "applicant__alamat": "Jalan Rumah Pribadi Nomor 77",
    "str__nomor": "XZ 9999 8888 7777 66",
    "str__masa_berlaku": "2035-05-05",
}


@dataclass(frozen=True)
class World:
    teken: Teken
    permits: dict

    def __getitem__(self, name: str):
        return row(self.teken, self.permits[name])

    def pdf(self, name: str, which: str = "released") -> bytes:
        return self.teken.archive.get(getattr(self[name], f"{which}_sha"))


@pytest.fixture(autouse=True, scope="session")
def _quiet_validator():
    """pyHanko logs every chain that does not end at an anchor, with a traceback; here that is expected."""
    for name in ("pyhanko", "pyhanko_certvalidator"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


@pytest.fixture(scope="session")
def world(tmp_path_factory, keys) -> World:
    teken = open_office(tmp_path_factory.mktemp("office"), keys)
    clients = {office: client_of(teken, office) for office in OFFICES}
    made = World(teken, {})

    def issue(name: str, office: str, **changes) -> str:
        body = payload(office, OFFICES[office], f"UJI-{name}", **PRIVATE, **changes)
        made.permits[name] = post(teken, clients[office], body).body["id"]
        play(teken, made.permits[name])
        assert made[name].state == State.IN_FORCE
        return made.permits[name]

    for office in OFFICES:
        issue(office, office)
    for name in ("suspended", "resumed", "revoked", "old"):
        issue(name, "malang")
    issue("new", "malang", request_kind="PERPANJANGAN", replaces=made.permits["old"])
    head = holder(teken, "malang", "kepala_dinas")
    for name, states in {
        "suspended": [State.SUSPENDED],
        "resumed": [State.SUSPENDED, State.IN_FORCE],
        "revoked": [State.REVOKED],
    }.items():
        for to in states:
            acts.decide(teken, head, made.permits[name], to=to, decision="SK 1/2026", reason="Alasan yang rahasia")
    yield made
    teken.close()


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
