"""The survey's results through the web, and that no answer leads back to a permit."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import insert, inspect, select, text

from service import surveys
from service.app import create_app
from service.clock import SetClock
from service.skm import ELEMENTS
from service.sop.model import Verb
from service.store.tables import surveys as table
from tests.desk.people import Desk
from tests.desk.shelf import ROHIL, Upstream, until
from tests.support.office import NOW, open_office


def stored(teken, *forms, office="rokan-hilir", month="2026-11", kind="sip-perekam-medis"):
    rows = [
        {
            "id": f"{office}{month}{n}",
            "office": office,
            "type": kind,
            "month": month,
            "answers": json.dumps(dict(zip(ELEMENTS, map(int, form), strict=True))),
        }
        for n, form in enumerate(forms)
    ]
    with teken.db.write() as connection:
        connection.execute(insert(table), rows)


@pytest.mark.parametrize(
    ("forms", "value", "grade"),
    [
        (("444444444",), "100.00", "A · Sangat baik"),
        (("333333333",), "75.00", "C · Kurang baik"),
        (("111111111",), "25.00", "D · Tidak baik"),
        (("433433423", "334443333", "443434434"), "85.19", "B · Baik"),
    ],
)
def test_the_page_shows_the_regulations_figures(desk, forms, value, grade):
    stored(desk.teken, *forms)
    head = desk.at_work("rokan-hilir", "kadis")
    head.get("/meja/survei")
    assert value in head.text
    assert grade in head.text
    assert f"Jumlah jawaban {len(forms)}" in head.text


def test_periods_and_types_are_apart_and_another_office_is_not_seen(desk):
    stored(desk.teken, "444444444")
    stored(desk.teken, "111111111", month="2026-10", kind="sip-penata-anestesi")
    stored(desk.teken, "222222222", office="malang")
    head = desk.at_work("rokan-hilir", "kadis")
    head.get("/meja/survei?masa=2026")
    assert "62.50" in head.text
    assert "November 2026" in head.text
    assert "Izin Praktik Penata Anestesi" in head.text
    head.get("/meja/survei?masa=2026-10")
    assert "25.00" in head.text
    assert "100.00" not in head.text
    head.get("/meja/survei?masa=2025")
    assert "Belum ada jawaban" in head.text
    for wrong in ("2026-13", "x", "20261", "2026-1", "%"):
        head.get("/meja/survei", query_string={"masa": wrong})
        assert head.status == 400, wrong


def test_the_table_has_every_element(desk):
    stored(desk.teken, "444444444", "334444444")
    auditor = desk.at_work("rokan-hilir", duties=("auditor",))
    table = auditor.browser.get("/meja/survei.csv?masa=2026-11").data.decode()
    assert "U1;Persyaratan;3.500;87.50;0;0;1;1" in table
    assert "Nilai IKM;97.22" in table


def test_who_may_not_see_it(desk):
    stored(desk.teken, "444444444")
    aide = desk.at_work("rokan-hilir", duties=("ajudan",))
    for address in ("/meja/survei", "/meja/survei.csv"):
        aide.get(address)
        assert aide.status == 403
        stranger = desk.stranger()
        stranger.get(address)
        assert stranger.status == 303


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_neither_columns_nor_order_nor_transaction_lead_an_answer_to_a_permit(tmp_path, keys, request, engine):
    database = request.getfixturevalue("postgres") if engine == "postgresql" else ""
    teken = open_office(tmp_path, keys, clock=SetClock(NOW), database=database)
    desk = Desk(teken, SetClock(NOW), create_app(teken))
    hilir = Upstream(desk.teken, ROHIL)
    given = []
    for number in range(1, 9):
        permit = until(teken, hilir.send(number), Verb.SURVEY)
        answers = dict.fromkeys(ELEMENTS, 4) | {"U1": 1 + number % 4, "U2": 1 + number // 4}
        surveys.take(teken, None, permit, answers=answers)
        given.append(answers)
    with teken.db.read() as connection:
        columns = {one["name"] for one in inspect(connection).get_columns("surveys")}
        hidden = "rowid" if engine == "sqlite" else "xmin"
        rows = connection.execute(text(f"SELECT {hidden} AS hidden, id, answers FROM surveys")).all()
        by_id = [json.loads(one) for one in connection.execute(select(table.c.answers).order_by(table.c.id)).scalars()]
    assert columns == {"id", "office", "type", "month", "answers"}
    as_stored = [json.loads(one.answers) for one in rows]
    assert sorted(map(str, as_stored)) == sorted(map(str, given))
    assert given not in (as_stored, by_id), "1 : 40320 that this is chance"
    if engine == "postgresql":
        assert len({one.hidden for one in rows}) == 1, "one transaction wrote them all"
    teken.close()
