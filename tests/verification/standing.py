"""A register with permits of every standing, issued by four offices; what is private in them is known by heart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from service import acts
from service.permits import State
from service.wiring import Teken
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
DECIDED = {
    "suspended": [State.SUSPENDED],
    "resumed": [State.SUSPENDED, State.IN_FORCE],
    "revoked": [State.REVOKED],
}


@dataclass(frozen=True)
class World:
    teken: Teken
    permits: Mapping[str, str]

    def __getitem__(self, name: str):
        return row(self.teken, self.permits[name])

    def pdf(self, name: str, which: str = "released") -> bytes:
        return self.teken.archive.get(getattr(self[name], f"{which}_sha"))


def open_world(home: Path, keys: Path, offices: tuple[str, ...] = tuple(OFFICES)) -> World:
    """One permit in force for each office; in Malang also the suspended, resumed, revoked, replaced and its successor."""
    teken = open_office(home, keys)
    clients = {office: client_of(teken, office) for office in offices}
    permits: dict[str, str] = {}
    made = World(teken, MappingProxyType(permits))  # many tests look at it: none of them adds to it

    def issue(name: str, office: str, **changes) -> None:
        body = payload(office, OFFICES[office], f"UJI-{name}", **PRIVATE, **changes)
        permits[name] = post(teken, clients[office], body).body["id"]
        play(teken, permits[name])
        assert made[name].state == State.IN_FORCE

    for office in offices:
        issue(office, office)
    for name in (*DECIDED, "old"):
        issue(name, "malang")
    issue("new", "malang", request_kind="PERPANJANGAN", replaces=made.permits["old"])
    head = holder(teken, "malang", "kepala_dinas")
    for name, states in DECIDED.items():
        for to in states:
            acts.decide(teken, head, made.permits[name], to=to, decision="SK 1/2026", reason="Alasan yang rahasia")
    return made
