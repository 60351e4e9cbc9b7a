"""Who belongs to another office, whatever he may do there: no route of the desk shows him a thing of this one, or changes it. New routes too."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from sqlalchemy import insert, select

from service import batch, pipeline
from service.app import create_app
from service.clock import SetClock
from service.desk import mismatch
from service.sop.model import Verb
from service.store.desk_tables import accounts, case_notes
from service.store.desk_tables import proposals as proposed
from service.store.tables import clients, handovers, mandates
from service.web.desk.routing import WHO
from tests.batch.conftest import typed_only
from tests.desk.forms import answers, submit
from tests.desk.people import Desk, Person
from tests.desk.shelf import KUDUS, until
from tests.support.office import NOW, client_of, holder, payload, play, post, row

NAME = "Sekar Contoh Arum"
OWN = {"desk_log", "sessions", "devices", "login_failures"}
"""Tables in which his own doings are noted."""
HIS = {"berkas", "warna", "lambang", "bahasa", "undangan"}
"""Addresses that are for anybody."""
HOSTILE = ["%00", "x" * 3000, "9" * 40, "%0D%0ASet-Cookie:a=b"]


@dataclass
class Victim:
    """One office with something at every address, and somebody of another one who may do anything there."""

    desk: Desk
    known: dict[str, list[str]]
    stranger: Person

    @property
    def stored(self) -> dict[str, list[tuple]]:
        with self.desk.teken.db.read() as connection:
            tables = [one for one in clients.metadata.sorted_tables if one.name not in OWN]
            return {one.name: sorted(map(tuple, connection.execute(select(one)).all()), key=repr) for one in tables}


def almighty(desk: Desk, office: str, code: str) -> Person:
    """An official with every role and every duty of his office."""
    with desk.teken.db.write() as connection:
        for number, role in enumerate(desk.teken.offices.office(office).roles):
            given = {"official": f"{office}/{code}", "role": str(role), "kind": "definitif", "valid_from": "2020-01-01"}
            connection.execute(insert(mandates).values(id=f"man_{office}_{number}", office=office, **given))
    return desk.at_work(office, code, duties=("admin", "auditor", "ajudan"))


@pytest.fixture
def victim(tmp_path, keys, database):
    teken = typed_only(tmp_path, keys, database, clock=SetClock(NOW))
    desk = Desk(teken, teken.clock, create_app(teken))
    client, passphrase = client_of(teken, KUDUS[0]), (keys / "passphrase").read_bytes().strip()
    posted = [post(teken, client, payload(*KUDUS, f"UJI-{n}", applicant__nama=NAME)).body["id"] for n in range(3)]
    for permit in posted[:2]:
        until(teken, permit, Verb.SIGN)
    pipeline.advance(teken, "sign")
    head = holder(teken, *KUDUS[:1], "kepala_dinas")
    opened = batch.open_batch(teken, head, [(posted[0], row(teken, posted[0]).final_sha)], bytearray(passphrase))
    play(teken, posted[0])
    clerk = desk.at_work("kudus", "gerai_1")
    submit(clerk, answers(*KUDUS, applicant__nama=NAME))
    admin = desk.employ("kudus", duties=("admin", "ajudan"))
    with teken.db.write() as connection:
        account = connection.execute(select(accounts).where(accounts.c.login == admin.login)).one()
        note = {"permit": posted[0], "account": account.id, "text": NAME, "first": 0, "at": "2026-11-23T00:00:00Z"}
        connection.execute(insert(case_notes).values(**note))
    told = mismatch.Told(row(teken, posted[0]).code, ("name",), f"Namanya {NAME}", f"{NAME}@contoh.example", "kudus")
    reported = mismatch.send(teken, told)
    with teken.db.read() as connection:
        entries = list(connection.execute(select(proposed.c.id)).scalars())
        receipts = [one.receipt or "" for one in connection.execute(select(handovers)).all()]
    assert len(entries) == 1
    known = {
        "permit": posted,
        "proposal": entries,
        "batch_id": [opened.id],
        "account": [account.id],
        "receipt": receipts or ["0" * 16],
        "number": ["1"],
        "no": ["1"],
        "kind": ["suspend", "revoke", "penangguhan"],
        "code": [KUDUS[1]],
        "chosen": ["0" * 64],
        "ticket": ["0" * 64 + "." + "0" * 32],
        "form": ["csv"],
        "reference": [reported],
    }
    yield Victim(desk, known, almighty(desk, "rokan-hulu", "kadis"))
    teken.close()


def addresses(victim: Victim, known: dict[str, list[str]]):
    """Every address of the desk with a name of something in it, and the methods that it takes."""
    for rule in victim.desk.app.url_map.iter_rules():
        if rule.endpoint not in WHO or not rule.arguments or rule.rule.split("/")[2] in HIS:
            continue
        paths = [rule.rule]
        for name in rule.arguments:
            plain = next(part for part in rule.rule.replace(">", "<").split("<") if part.split(":")[-1] == name)
            paths = [path.replace(f"<{plain}>", value) for path in paths for value in known.get(name, ["1"])]
        for path in paths:
            yield path, rule.methods - {"HEAD", "OPTIONS"}


FORM = {
    "verb": "verify", "revision": "1", "position": "0", "tindakan": "lewati", "alasan": "other", "catatan": "x",
    "uraian": "Alasan contoh", "sebab": "rusak", "pilihan": "menolak", "nomor": "1/2026", "keputusan": "1/2026",
    "hasil": "dijawab",
}  # fmt: skip


def test_no_address_shows_or_changes_anything_of_another_office(victim):
    before, tried = victim.stored, 0
    for path, methods in addresses(victim, victim.known):
        for method in sorted(methods):
            if method == "GET":
                victim.stranger.get(path)
            else:
                victim.stranger.post(path, FORM)
            tried += 1
            at = (method, path, victim.stranger.status)
            assert victim.stranger.status < 500, (at, victim.stranger.text)
            assert NAME not in victim.stranger.page, at
            assert victim.stranger.status in {303, 400, 403, 404, 409, 415, 422} or "contoh/" in path, at
            if method == "POST":
                assert victim.stored == before, at
    assert tried > 60


def test_names_that_are_none_are_answered_plainly(victim):
    for hostile in HOSTILE:
        known = {name: ["1" if name in {"number", "no"} else hostile] for name in victim.known} | {"form": ["csv"]}
        if hostile.isdigit():
            known |= {"number": [hostile], "no": [hostile], "permit": victim.known["permit"][:1]}
        for path, methods in addresses(victim, known):
            for method in sorted(methods):
                if method == "GET":
                    victim.stranger.get(path)
                else:
                    victim.stranger.post(path, FORM)
                assert victim.stranger.status < 500, (method, path[:200], victim.stranger.status)
                assert not any(one.startswith("a=") for one in victim.stranger.headers.getlist("Set-Cookie"))


def test_a_text_that_no_database_takes_is_refused(victim):
    victim.stranger.get("/meja/?cari=a%00b")
    assert victim.stranger.status == 400
    victim.stranger.post("/meja/loket/cari", {"cari": "a\0b"})
    assert victim.stranger.status == 400
    nobody = victim.desk.stranger()
    nobody.post("/meja/masuk", {"login": "a\0b", "password": "salah sekali"})
    assert nobody.status == 400


def test_every_form_needs_the_sessions_own_token(victim):
    """Also those that hold a passphrase."""
    before = victim.stored
    for path, methods in addresses(victim, victim.known):
        if "POST" in methods:
            victim.stranger.post(path, FORM, csrf="x" * 32)
            assert victim.stranger.status == 403, path
    assert victim.stored == before
