"""A head with a tray: an office with papers for him, and short ways to read, choose and sign."""

from __future__ import annotations

import re
from itertools import count
from typing import Any

from sqlalchemy import select

from service import pipeline
from service.app import create_app
from service.clock import SetClock
from service.sop.model import Verb
from service.store.desk_tables import desk_log
from service.store.tables import permits
from tests.batch.conftest import typed_only
from tests.desk.people import Desk, Person
from tests.support.office import NOW, client_of, payload, post, row, take_turn, work

OFFICE, TYPE = "rokan-hilir", "sip-perekam-medis"

WRONG = "Salah-Sekali/Ungu 7%&+"


class Office:
    """An office with a full tray; the signing process works when the test says so."""

    def __init__(self, home, keys, office=OFFICE, **settings) -> None:
        self.clock = SetClock(NOW)
        self.teken = typed_only(home, keys, clock=self.clock, **settings)
        self.office = office
        self.passphrase = (keys / "passphrase").read_text().strip()
        self.client, self.serial = client_of(self.teken, office), count()
        self.desk = Desk(self.teken, self.clock, create_app(self.teken))
        self.announce()

    def announce(self) -> None:
        """The signing process says that it lives."""
        pipeline.advance(self.teken, "sign")

    def fill(self, number: int, kind: str = TYPE) -> list[str]:
        ids = [
            post(self.teken, self.client, payload(self.office, kind, f"BERKAS-{next(self.serial)}")).body["id"]
            for _ in range(number)
        ]
        for permit in ids:
            self.bring(permit)
        work(self.teken)
        return ids

    def bring(self, permit: str) -> None:
        """Everybody acts until only the head's signature is due."""
        while True:
            work(self.teken)
            at = row(self.teken, permit)
            if (
                at.queue == "person"
                and self.teken.pins.open(at.pin).permit_type.procedure.plan[at.position].verb is Verb.SIGN
            ):
                return
            assert take_turn(self.teken, permit)

    def head(self, code: str = "kadis") -> Person:
        person = self.desk.at_work(self.office, code)
        self.announce()
        return person

    def sign(self, steps: int = 10_000) -> None:
        for _ in range(steps):
            if not pipeline.advance(self.teken, "sign"):
                return

    def state(self, permit: str) -> str:
        return row(self.teken, permit).state

    def rows(self, table) -> list[Any]:
        with self.teken.db.read() as connection:
            return list(connection.execute(select(table)).all())

    def log(self, action: str) -> list[Any]:
        return [one for one in self.rows(desk_log) if one.action == action]


def read(head: Person, ids) -> None:
    for permit in ids:
        head.get(f"/meja/ttd/baca/{permit}")
        assert head.status == 200, head.text


def choose(head: Person, **fields: str) -> str:
    """Post the choice; return where the last look is."""
    head.get("/meja/ttd")
    head.post("/meja/ttd/periksa", {"pilihan": "dibuka", **fields})
    assert head.status == 303, head.text
    return head.headers["Location"]


def sign_form(head: Person, preflight: str) -> str:
    head.get(preflight)
    found = re.search(r'action="(/meja/ttd/tandatangani/[0-9a-f]{64})"', head.page)
    assert found, head.text
    return found.group(1)


def order(head: Person, passphrase: str, **fields: str) -> str:
    """Choose, look and type; return the batch's address."""
    head.post(sign_form(head, choose(head, **fields)), {"passphrase": passphrase})
    assert head.status == 303, head.text
    return head.headers["Location"]


def listed(office) -> list[str]:
    waiting = [one for one in office.rows(permits) if one.queue == "person"]
    return [one.id for one in sorted(waiting, key=lambda one: (one.type, one.complete_at, one.id))]


def token(head: Person) -> str:
    return head.browser.get_cookie("teken_meja").value
