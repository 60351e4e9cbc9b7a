"""A Plh.'s days: what waits for the head's signature is the Plh.'s while his mandate runs, and nobody's case gets lost between the two."""

from __future__ import annotations

import pytest
from sqlalchemy import insert

from service import acts, people
from service.permits import State
from service.sop.model import Verb
from service.store.tables import mandates
from tests.desk.shelf import ROHIL, ROHUL, Upstream, until
from tests.support.office import row, work

OFFICE, KIND = ROHIL
HEAD, STAND_IN, CLERK = "kadis", "back_office_1", "back_office_2"


@pytest.fixture
def stands_in(desk, keys):
    """Call it: from now until tomorrow somebody stands in, with a certificate of his own."""

    def begin() -> None:
        mandate = {"id": "plh", "official": f"{OFFICE}/{STAND_IN}", "office": OFFICE, "role": "kepala_dinas"}
        days = {"valid_from": "2026-11-20", "valid_to": "2026-11-21", "decision": "800/1/2026"}
        with desk.teken.db.write() as connection:
            connection.execute(insert(mandates).values(**mandate, kind="plh", **days))
            pem = (keys / "malang.kadis.cert.pem").read_bytes()
            people.enrol(connection, f"{OFFICE}/{STAND_IN}", pem, desk.clock.now())

    return begin


def lists(person, upstream_id: str, path: str = "/meja/") -> bool:
    person.get(path)
    assert person.status == 200
    return upstream_id in person.text


def test_signatures_are_the_plhs_and_come_back(desk, stands_in):
    permit = until(desk.teken, Upstream(desk.teken, ROHIL).send(), Verb.SIGN)
    head, clerk = desk.at_work(OFFICE, HEAD), desk.at_work(OFFICE, CLERK)
    assert lists(head, "HULU-0001")
    stands_in()
    other = desk.at_work(OFFICE, STAND_IN)
    assert lists(other, "HULU-0001")
    assert "1 berkas menunggu Anda" in other.text
    assert not lists(head, "HULU-0001")
    assert "Tidak ada yang menunggu Anda" in head.text
    assert lists(head, "HULU-0001", "/meja/?lihat=semua")
    head.get(f"/meja/izin/{permit}")
    assert "Fajar Maulana Harahap" in head.text, "whoever looks is told who signs"
    assert 'id="keputusan"' not in head.page
    other.get(f"/meja/izin/{permit}")
    assert f"/meja/ttd/baca/{permit}" in other.page
    assert not lists(clerk, "HULU-0001")
    desk.clock.forward(days=2)
    head.log_in()
    assert lists(head, "HULU-0001")
    other.log_in()
    assert not lists(other, "HULU-0001")


def test_what_the_head_had_ordered_before_comes_to_the_plh(desk, stands_in):
    """Nobody signed it in time: the order lapses, the paper is made again, and whoever must act now has it in his list."""
    permit = until(desk.teken, Upstream(desk.teken, ROHIL).send(), Verb.SIGN)
    now = row(desk.teken, permit)
    acts.order_signature(desk.teken, f"{OFFICE}/{HEAD}", permit, seen_sha=now.final_sha)
    assert row(desk.teken, permit).state == State.SIGNING
    head = desk.at_work(OFFICE, HEAD)
    stands_in()
    other = desk.at_work(OFFICE, STAND_IN)
    assert not lists(other, "HULU-0001")
    work(desk.teken)
    assert row(desk.teken, permit).state == State.NUMBERED
    assert lists(other, "HULU-0001")
    assert not lists(head, "HULU-0001")
    other.get(f"/meja/ttd/baca/{permit}")
    assert other.status == 200


def test_what_is_stuck_is_seen_by_both(desk, stands_in):
    permit = until(desk.teken, Upstream(desk.teken, ROHIL).send(), Verb.SIGN)
    head = desk.at_work(OFFICE, HEAD)
    head_id = f"{OFFICE}/{HEAD}"
    acts.give_back(desk.teken, head_id, permit, reason="Nama belum sama")
    stands_in()
    other = desk.at_work(OFFICE, STAND_IN)
    for person in (head, other):
        assert lists(person, "HULU-0001", "/meja/?saring=returned")


def test_reading_acts_of_a_role_stay_with_everybody_who_holds_it(desk):
    """Only the one signature goes by the nearest mandate; a paraf may be given by whoever holds the role."""
    Upstream(desk.teken, ROHUL).send()
    mandate = {"id": "plh", "official": "rokan-hulu/kabid", "office": "rokan-hulu", "role": "kepala_seksi"}
    with desk.teken.db.write() as connection:
        connection.execute(insert(mandates).values(**mandate, kind="plh", valid_from="2026-01-01"))
    for who in ("kasi", "kabid"):
        assert lists(desk.at_work("rokan-hulu", who), "HULU-0001")
