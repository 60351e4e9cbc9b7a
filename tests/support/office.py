"""A small world for tests: offices, keys, a database, invented cases, and people who act when it is their turn."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from service import clients, intake, pipeline
from service.clock import SetClock
from service.demo import case_of, holder, take_turn
from service.permits import State
from service.settings import PROJECT, Settings
from service.sop import load_offices
from service.store.tables import permits
from service.wiring import Teken, open_teken

TYPES = (
    ("rokan-hilir", "sip-perekam-medis"),
    ("rokan-hulu", "surat-izin-perekam-medik"),
    ("malang", "sik-perekam-medis"),
    ("kudus", "sip-perekam-medis"),
    ("rokan-hilir", "sip-penata-anestesi"),
)
NOW = datetime(2026, 11, 20, 2, 0, 3, 141592, tzinfo=UTC)
OFFICES = load_offices(PROJECT / "templates")


def open_office(home: Path, keys: Path, *, database: str = "", signing: bool = True, clock=None, **settings) -> Teken:
    given = Settings(home=home, keys=keys, database_url=database, retry_seconds=0, **settings)
    return open_teken(given, clock=clock or SetClock(NOW), signing=signing, offices=OFFICES)


def payload(office: str, permit_type: str, upstream_id: str = "UJI-0001", **changes) -> dict:
    """An approved case made of the type's invented samples; `changes` replace top-level keys or dotted paths (with __)."""
    body = case_of(OFFICES.permit_type(office, permit_type), upstream_id, NOW)
    for path, value in changes.items():
        *groups, leaf = path.split("__")
        place = body
        for group in groups:
            place = place[group]
        place[leaf] = value
    return body


def post(teken: Teken, client, body: dict, key: str | None = None):
    from service.canonical import dumps

    return intake.accept(teken, client, body, dumps(body).encode(), key)


def client_of(teken: Teken, office: str):
    return clients.add_client(teken, office, "uji")[0]


def row(teken: Teken, permit: str):
    with teken.db.read() as connection:
        return connection.execute(select(permits).where(permits.c.id == permit)).one()


def qr_text(row) -> str:
    """What the QR on a permit's paper says: its address, with its own data behind it where the office wants that."""
    return row.qr or row.verify_url


def work(teken: Teken) -> None:
    """Let the worker and the signing process do all that is due."""
    while pipeline.drain(teken, "work") + pipeline.drain(teken, "sign"):
        pass


def play(teken: Teken, permit: str, *, until: State | None = None) -> None:
    """Let everybody act until the procedure's end, or until the permit reaches a state."""
    while True:
        work(teken)
        if until is not None and row(teken, permit).state == until:
            return
        if not take_turn(teken, permit):
            return


__all__ = [
    "NOW",
    "OFFICES",
    "TYPES",
    "client_of",
    "holder",
    "open_office",
    "payload",
    "play",
    "post",
    "row",
    "take_turn",
    "work",
]
