"""A citizen reports a paper that does not match; the office that answers for it reads it, ends it, and forgets what he wrote."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from service.codes import grouped
from service.desk import mismatch
from service.store.report_tables import reports
from service.store.tables import events
from service.verification import at_host
from tests.desk.shelf import KUDUS
from tests.support.office import client_of, payload, play, post, row

UNKNOWN = "7K3M9QXT2WPA5D8H"
SAID = {"kode": UNKNOWN, "beda": ["name", "looks"], "uraian": "Fotonya\nberbeda", "kontak": "budi@contoh.example"}


@pytest.fixture
def host(desk):
    """The address of one office."""
    return desk.teken.offices.office("kudus").public_url


def stored(desk):
    with desk.teken.db.read() as connection:
        return connection.execute(select(reports).order_by(reports.c.at, reports.c.id)).all()


def send(desk, host, path="/lapor", *, headers=None, **changes):
    browser = desk.app.test_client()
    return browser.post(path, data=SAID | changes, base_url=host, headers=headers or {})


def issued(desk):
    client = client_of(desk.teken, "kudus")
    permit = post(desk.teken, client, payload(*KUDUS, "UJI-LAPOR")).body["id"]
    play(desk.teken, permit)
    return row(desk.teken, permit)


def shape(answer, code: str = "") -> tuple:
    """All that a prober sees, but for the report's random number, the request's id and the code that he typed himself."""
    headers = {name: value for name, value in answer.headers.items() if name not in {"Request-Id", "Content-Length"}}
    text = re.sub(r"nomor=[0-9A-Z]{8}", "nomor=", f"{headers.pop('Location', '')} {answer.text}")
    return answer.status_code, headers, text.replace(grouped(code), "") if code else text


def test_a_report_of_a_released_permit_reaches_its_office(desk, host):
    permit = issued(desk)
    answer = send(desk, desk.teken.offices.office("malang").public_url, kode=permit.code.lower())
    assert answer.status_code == 303
    (kept,) = stored(desk)
    assert (kept.office, kept.permit, kept.code, kept.state) == ("kudus", permit.id, permit.code, "new")
    assert (kept.text, kept.contact, kept.differs) == ("Fotonya\nberbeda", "budi@contoh.example", '["name","looks"]')
    thanks = desk.app.test_client().get(answer.headers["Location"], base_url=host).text
    assert f"{kept.id[:4]}-{kept.id[4:]}" in thanks


def test_an_unknown_code_stays_with_the_office_of_the_address(desk, host):
    send(desk, host)
    (kept,) = stored(desk)
    assert (kept.office, kept.permit, kept.code) == ("kudus", None, UNKNOWN)


def test_no_answer_tells_whether_a_code_is_registered(desk, host):
    """Unknown, malformed, not yet issued, of another office and released: forms and thanks are alike to the byte."""
    permit = issued(desk)
    waiting = post(
        desk.teken, client_of(desk.teken, "malang"), payload("malang", "sik-perekam-medis", "UJI-DRAF")
    ).body["id"]
    codes = [UNKNOWN, permit.code, row(desk.teken, waiting).code or "0" * 16]
    browser = desk.app.test_client()
    forms = [shape(browser.get(f"/V/{code}/lapor", base_url=host), code) for code in codes]
    assert len({repr(one) for one in forms}) == 1, forms
    sent = [shape(send(desk, host, f"/V/{code}/lapor", kode=code)) for code in [*codes, "x", "<i>"]]
    assert len({repr(one) for one in sent}) == 1, sent


def test_an_address_without_an_office_asks_for_one(desk):
    """Of a host that is no office's, where several offices are at home."""
    assert at_host(desk.teken, "localhost") is None
    browser = desk.app.test_client()
    assert 'name="kantor"' in browser.get("/lapor").text
    refused = browser.post("/lapor", data=SAID)
    assert refused.status_code == 422
    assert not stored(desk)
    assert browser.post("/lapor", data=SAID | {"kantor": "malang"}).status_code == 303
    assert stored(desk)[0].office == "malang"


def test_what_is_missing_or_too_long_is_said_and_nothing_is_lost(desk, host):
    answer = send(desk, host, beda=[], uraian="x" * 501, kontak="y" * 121)
    assert answer.status_code == 422
    assert answer.text.count('class="fault"') == 3
    assert "x" * 501 in answer.text
    assert not stored(desk)


def test_both_languages(desk, host):
    page = desk.app.test_client().get("/V/x/lapor?lang=en", base_url=host)
    assert "Report a mismatch" in page.text
    answer = send(desk, host, "/lapor?lang=en")
    assert answer.headers["Location"].endswith("lang=en")
    assert "Thank you" in desk.app.test_client().get(answer.headers["Location"], base_url=host).text


def test_programs_fall_into_the_trap(desk, host):
    assert shape(send(desk, host, situs="http://spam.example")) == shape(send(desk, host))
    assert len(stored(desk)) == 1


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_form_of_somebody_elses_page_is_refused(desk, host, site):
    answer = send(desk, host, headers={"Sec-Fetch-Site": site})
    assert answer.status_code == 403
    assert not stored(desk)


@pytest.mark.parametrize("wrong", ["\0", "a\0b"])
def test_what_no_database_takes_is_refused(desk, host, wrong):
    assert {send(desk, host, **{name: wrong}).status_code for name in ("kode", "uraian", "kontak")} == {400}


def test_a_flood_of_text_is_refused(desk, host):
    assert send(desk, host, uraian="x" * 100_000).status_code == 413


def test_what_nobody_can_see_is_left_out(desk, host):
    send(desk, host, uraian="a\u202eb\u200b \x07c", kontak="x\r\nBcc: y")
    (kept,) = stored(desk)
    assert (kept.text, kept.contact) == ("ab c", "x\nBcc: y")


def test_neither_cookie_nor_script(desk, host):
    answer = desk.app.test_client().get("/V/x/lapor", base_url=host)
    assert "Set-Cookie" not in answer.headers
    assert "<script" not in answer.text
    assert "noindex" in answer.headers["X-Robots-Tag"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_thanks_shows_numbers_only(desk, host):
    browser = desk.app.test_client()
    for wrong in ("", "<script>", "1234567", "123456789", "ÄÖÜäöüßß", "ABCD%00EF"):
        assert browser.get(f"/lapor/terkirim?nomor={wrong}", base_url=host).status_code == 303


def test_the_desk_reads_and_ends_it(desk, host):
    permit = issued(desk)
    send(desk, host, kode=permit.code, uraian="<b>tebal</b>")
    clerk = desk.at_work("kudus", "gerai_1")
    assert re.search(r"Aduan</span><span class=\"count\">1<", clerk.page)
    clerk.get("/meja/aduan")
    (kept,) = stored(desk)
    assert kept.id[:4] in clerk.text
    assert kept.state == "new"
    clerk.get(f"/meja/aduan/{kept.id}")
    assert "&lt;b&gt;tebal&lt;/b&gt;" in clerk.page
    assert "budi@contoh.example" in clerk.text
    assert f"/meja/izin/{permit.id}" in clerk.page
    assert f"/V/{permit.code}" in clerk.page
    assert stored(desk)[0].state == "seen"
    clerk.get("/meja/")
    assert "Aduan</span></a>" in clerk.page
    clerk.post(f"/meja/aduan/{kept.id}/selesai", {"hasil": "dijawab", "catatan": " "})
    assert clerk.status == 422
    clerk.post(f"/meja/aduan/{kept.id}/selesai", {"hasil": "dijawab", "catatan": "Foto lama"})
    assert clerk.status == 303
    assert stored(desk)[0].state == "answered"
    clerk.post(f"/meja/aduan/{kept.id}/selesai", {"hasil": "ditutup", "catatan": "lagi"})
    assert clerk.status == 409
    clerk.get("/meja/aduan?lihat=selesai")
    assert kept.id[:4] in clerk.text
    with desk.teken.db.read() as connection:
        told = connection.execute(select(events).where(events.c.type == mismatch.ENDED)).all()
    assert [(one.office, one.client, one.permit) for one in told] == [("kudus", None, None)]
    assert "Foto" not in told[0].data
    assert "budi" not in told[0].data


def test_the_auditor_reads_and_does_nothing(desk, host):
    send(desk, host)
    (kept,) = stored(desk)
    auditor = desk.at_work("kudus", duties=("auditor",))
    auditor.get(f"/meja/aduan/{kept.id}")
    assert auditor.status == 200
    assert 'selesai"' not in auditor.page
    assert stored(desk)[0].state == "new"
    auditor.post(f"/meja/aduan/{kept.id}/selesai", {"hasil": "dijawab", "catatan": "x"})
    assert auditor.status == 403


def test_what_was_written_is_forgotten_after_ninety_days(desk, host):
    send(desk, host)
    desk.clock.forward(seconds=timedelta(days=60).total_seconds())
    send(desk, host)
    desk.clock.forward(seconds=timedelta(days=30, minutes=1).total_seconds())
    assert mismatch.forget(desk.teken) == 1
    old, young = stored(desk)
    assert (old.text, old.contact, old.code) == (None, None, UNKNOWN)
    assert young.contact
    assert mismatch.forget(desk.teken) == 0
    clerk = desk.at_work("kudus", "gerai_1")
    clerk.get(f"/meja/aduan/{old.id}")
    assert "Sudah dihapus" in clerk.text


def test_the_worker_forgets(desk, host):
    from service.renewal import Rounds

    send(desk, host)
    desk.clock.forward(seconds=timedelta(days=91).total_seconds())
    Rounds().spare(desk.teken)
    assert stored(desk)[0].contact is None
