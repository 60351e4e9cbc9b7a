"""A small world to measure in: an office with its keys, invented cases, and people who act when it is their turn."""

from __future__ import annotations

import atexit
import copy
import json
import shutil
import tempfile
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import Row, select

from certs.make_dev_pki import KeyKind
from service import clients, development, intake, pipeline
from service.clock import SystemClock
from service.demo import case_of, take_turn
from service.settings import PROJECT, Settings
from service.sop import load_offices
from service.sop.model import PermitType
from service.store.tables import permits
from service.wiring import Teken, open_teken

NUMBER_FIRST = ("rokan-hilir", "sip-perekam-medis")
NUMBER_AFTER = ("malang", "sik-perekam-medis")
WITH_PHOTO = ("kudus", "sip-perekam-medis")
OFFICES = load_offices(PROJECT / "templates")


@dataclass
class Bench:
    """One open Teken that may sign, and the client that posts one type's cases."""

    teken: Teken
    kind: PermitType
    client: clients.Client
    _case: dict[str, Any]
    _serial: count[int]

    def post(self) -> str:
        """Post a new case as an upstream system would; return the permit's id."""
        serial = next(self._serial)
        case = copy.deepcopy(self._case) | {"upstream_id": f"{self.client.id}-{serial:06}"}
        vary(case, letters(serial))
        raw = json.dumps(case).encode()
        return str(intake.accept(self.teken, self.client, case, raw, f"kunci-{serial}").body["id"])

    def work(self) -> None:
        """Let the worker and the signing process do all that is due."""
        while pipeline.drain(self.teken, "work") + pipeline.drain(self.teken, "sign"):
            pass

    def play(self, permit: str) -> None:
        """Let everybody act until the procedure's end."""
        self.work()
        while take_turn(self.teken, permit):
            self.work()

    def row(self, permit: str) -> Row[Any]:
        """Return the permit as it is."""
        with self.teken.db.read() as connection:
            return connection.execute(select(permits).where(permits.c.id == permit)).one()


@cache
def keys(kind: KeyKind) -> Path:
    """Make the development PKI with one kind of key, once; it goes with the process."""
    folder = Path(tempfile.mkdtemp(prefix="teken-bench-keys-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    development.certificates(PROJECT / "templates", folder, key=kind)
    return folder


def open_office(home: Path, kind: KeyKind) -> Teken:
    """Open embedded defaults in a folder of their own, with one kind of key."""
    return open_teken(Settings(home=home, keys=keys(kind)), signing=True, offices=OFFICES)


def bench(teken: Teken, address: tuple[str, str], *, first: int = 0) -> Bench:
    """Make a client for one permit type; its cases count from `first`, so that two benches need not name the same people."""
    kind = OFFICES.permit_type(*address)
    client, _ = clients.add_client(teken, kind.office, "ukur")
    return Bench(teken, kind, client, case_of(kind, "UKUR", SystemClock().now()), count(first))


def vary(case: dict[str, Any], word: str) -> None:
    """Make the facts another person's: a typesetter remembers the layout of what it has seen."""
    for group, fact in (("applicant", "nama"), ("applicant", "alamat"), ("practice", "nama"), ("practice", "alamat")):
        case[group][fact] = f"{word} {case[group][fact]}"


def letters(serial: int) -> str:
    """A number in letters, since a name has no digits."""
    return "".join(chr(ord("A") + int(digit)) for digit in f"{serial:05}").capitalize()
