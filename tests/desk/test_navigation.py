"""The navigation says where one is, on the pages below a place too."""

from __future__ import annotations

import re

import pytest

from service.sop.model import Verb
from tests.desk.shelf import ROHIL, Upstream, until

OFFICE, KIND = ROHIL


def marked(person, path: str) -> list[tuple[str, str]]:
    person.get(path)
    assert person.status == 200, path
    nav = person.page.partition('class="nav"')[2].partition("</nav>")[0]
    return re.findall(r'<a href="([^"]+)" aria-current="(\w+)"', nav)


@pytest.mark.parametrize(
    ("path", "place", "says"),
    [
        ("/meja/", "/meja/", "page"),
        ("/meja/izin/{permit}", "/meja/", "true"),
        ("/meja/izin/{permit}/keputusan", "/meja/", "true"),
        ("/meja/ttd", "/meja/ttd", "page"),
        ("/meja/ttd/baca/{permit}", "/meja/ttd", "true"),
        ("/meja/keputusan", "/meja/keputusan", "page"),
        ("/meja/register", "/meja/register", "page"),
    ],
)
def test_the_head(desk, path, place, says):
    permit = until(desk.teken, Upstream(desk.teken, ROHIL).send(), Verb.SIGN)
    assert marked(desk.at_work(OFFICE, "kadis"), path.format(permit=permit)) == [(place, says)]


def test_a_page_of_no_place_marks_none(desk):
    clerk = desk.at_work(OFFICE, "back_office_1")
    assert marked(clerk, "/meja/loket/kolektif") == [("/meja/loket", "true")]
    assert marked(clerk, "/meja/permohonan/baru") == [("/meja/permohonan", "true")]
    assert marked(clerk, "/meja/survei") == []


@pytest.mark.parametrize(
    ("office", "official", "duties", "places"),
    [
        (OFFICE, "kadis", (), "Kotak masuk, Tanda tangan, Keputusan, Register, Laporan"),
        (OFFICE, "back_office_1", (), "Kotak masuk, Loket, Permohonan, Aduan, Register"),
        (OFFICE, None, ("admin",), "Kotak masuk, Aduan, Register, Laporan, Admin"),
        (OFFICE, None, ("auditor",), "Kotak masuk, Aduan, Register, Laporan, Audit"),
        (OFFICE, None, ("ajudan",), "Kotak masuk, Tanda tangan"),
        (OFFICE, None, ("operator",), "Kotak masuk, Pemantauan"),
        ("malang", "kadis", (), "Kotak masuk, Tanda tangan, Keputusan, Register, Laporan"),
    ],
)
def test_own_work_comes_first_and_no_more_than_a_phone_has_room_for(desk, office, official, duties, places):
    page = desk.at_work(office, official, duties=duties).get("/meja/")
    nav = page.partition('class="nav"')[2].partition("</nav>")[0]
    shown = re.findall(r"<span>([^<]+)</span>", nav)
    assert (", ".join(shown), len(shown) <= 5) == (places, True)
