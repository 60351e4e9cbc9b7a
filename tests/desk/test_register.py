"""The register book: pages, voids, closings, exports, numbers used outside, entries of before; and who may not see or change it."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime

import pypdfium2
import pytest
from openpyxl import load_workbook
from sqlalchemy import func, select, text

from service import acts, corrections, register
from service.audit import audit
from service.desk import registerbook, sessions
from service.errors import Conflict
from service.permits import State
from service.sop.model import Verb
from service.store.book_tables import closings, earlier_entries
from service.store.tables import register as entries
from tests.desk.racing import at_once
from tests.desk.shelf import MALANG, ROHIL, Upstream, until
from tests.support.office import client_of, payload, play, post, row

SERIES = "rokan-hilir/nakes/sip-perekam-medis/2026"
TABLE = (
    "Nomor;Tanggal;Nama;Jenis;Tempat Praktik;Berlaku sampai;Keterangan\n"
    "503.440/001/SIP-PM/DPMPTSP/2025;14-03-2025;Contoh Satu;Izin Praktik Perekam Medis;RSUD Contoh;14-03-2030;\n"
    "503.440/002/SIP-PM/DPMPTSP/2025;2025-04-01;-1+1 Contoh;Izin Praktik Perekam Medis;Klinik Contoh;;hilang\n"
)


@pytest.fixture
def hilir(desk):
    return Upstream(desk.teken, ROHIL)


@pytest.fixture
def clerk(desk):
    return desk.at_work("rokan-hilir", "back_office_1")


def numbered(desk, hilir, number: int = 1, **changes) -> str:
    return until(desk.teken, hilir.send(number, **changes), Verb.SIGN)


def book(person, **query) -> str:
    person.get("/meja/register/buku", query_string={"seri": SERIES, **query})
    return person.text


def test_the_book_says_what_is_not_in_force_any_more_and_by_what(desk, hilir, clerk):
    old, other, third = (until(desk.teken, hilir.send(number), Verb.PRINT) for number in (1, 2, 3))
    numbers = {permit: row(desk.teken, permit).number for permit in (old, other, third)}
    moved = until(desk.teken, hilir.send(4, request_kind="CABUT_PINDAH", replaces=numbers[old]), Verb.PRINT)
    renewed = until(desk.teken, hilir.send(5, request_kind="PERPANJANGAN", replaces=numbers[other]), Verb.PRINT)
    acts.decide(desk.teken, "rokan-hilir/kadis", third, to=State.SUSPENDED, decision="SK-7/2026", reason="pemeriksaan")
    book(clerk)
    shown = re.findall(r"<tr>.*?</tr>", clerk.page, re.S)
    for permit, said, by in (
        (old, "Izin dicabut", row(desk.teken, moved).number),
        (other, "Digantikan izin baru", row(desk.teken, renewed).number),
        (third, "Izin dibekukan", "SK-7/2026"),
    ):
        [line] = [one for one in shown if numbers[permit] in one.partition("</td>")[0]]
        assert said in line
        assert by in line
        assert "<s>" not in line, "its number stands"
    clerk.get("/meja/register/buku.csv", query_string={"seri": SERIES})
    assert f"Izin dicabut: {row(desk.teken, moved).number}" in clerk.page
    acts.decide(desk.teken, "rokan-hilir/kadis", third, to=State.IN_FORCE, decision="SK-8/2026", reason="selesai")
    assert "Izin dibekukan" not in book(clerk)


def test_the_book_shows_every_number_and_strikes_a_void(desk, hilir, clerk):
    first = numbered(desk, hilir, 1, applicant__nama="Wening Contoh")
    numbered(desk, hilir, 2, applicant__nama="Bagus Contoh")
    corrections.withdraw(desk.teken, hilir.client, first, "salah unggah")
    clerk.get("/meja/register")
    assert "Buku Registrasi Izin Tenaga Kesehatan" in clerk.text
    shown = book(clerk)
    assert shown.index("/001/") < shown.index("/002/")
    assert re.search(r"<s>[^<]*/001/[^<]*</s>", clerk.page)
    assert not re.search(r"<s>[^<]*/002/[^<]*</s>", clerk.page)
    assert "Dibatalkan permohonan ditarik" in shown
    assert "Wening Contoh" in shown
    assert "Bagus Contoh" in shown
    assert "Wening" not in book(clerk, masa="2026-10")


def test_pages_of_a_hundred_lose_no_number(desk, hilir, clerk):
    permit = numbered(desk, hilir)
    teken = desk.teken
    office, kind = teken.offices.office("rokan-hilir"), teken.offices.permit_type(*ROHIL)
    day = datetime(2026, 11, 20, tzinfo=UTC).date()
    with teken.db.write() as connection:
        for _ in range(204):
            register.reserve(connection, office, kind, day=day, by="uji", reason="x", at=desk.clock.now())
    found = []
    for number in (1, 2, 3):
        book(clerk, hal=number)
        found += [int(one) for one in re.findall(r"strong\">503[^/]*/(\d+)/", clerk.page)]
    assert found == list(range(1, 206))
    assert "Halaman 3 dari 3" in clerk.text
    assert row(teken, permit).number_no == 1


def test_a_month_is_closed_once_it_is_over_and_stays_what_it_was(desk, hilir, clerk):
    first = numbered(desk, hilir, 1)
    numbered(desk, hilir, 2)
    book(clerk)
    assert "Tutup November 2026" not in clerk.text
    clerk.post("/meja/register/tutup", {"seri": SERIES, "masa": "2026-11"})
    assert (clerk.status, "belum dapat ditutup" in clerk.text) == (409, True)
    desk.clock.forward(days=12)
    clerk.log_in()
    assert "Tutup November 2026" in book(clerk)
    clerk.post("/meja/register/tutup", {"seri": SERIES, "masa": "2026-11"})
    assert clerk.status == 303
    clerk.post("/meja/register/tutup", {"seri": SERIES, "masa": "2026-11"})
    assert clerk.status == 409
    with desk.teken.db.read() as connection:
        [closing] = connection.execute(select(closings)).all()
    assert (closing.allotted, closing.voided, closing.reserved) == (2, 0, 0)
    assert "/001/" in closing.first
    assert "/002/" in closing.last
    assert closing.checkpoint.startswith("teken/jurnal")
    corrections.withdraw(desk.teken, hilir.client, first, "dibatalkan")
    assert "Masih sama" in book(clerk), "a later void belongs to its own month"
    assert "Dibatalkan" in clerk.text
    assert not audit(desk.teken).violations
    with desk.teken.db.write() as connection:
        connection.execute(text("DROP TRIGGER register_no_update"))
        connection.execute(text("UPDATE register SET number = 'x' WHERE seq = 1"))
    assert "Berbeda dari yang ditutup" in book(clerk)


def test_a_year_is_closed_by_the_offices_own_calendar(desk, hilir, clerk):
    numbered(desk, hilir)
    desk.clock.at = datetime(2026, 12, 31, 16, 59, tzinfo=UTC)
    clerk.log_in()
    assert "Tutup 2026" not in book(clerk)
    desk.clock.at = datetime(2026, 12, 31, 17, 1, tzinfo=UTC)
    assert "Tutup 2026" in book(clerk), "midnight in Jakarta"


def test_two_who_close_at_once_close_once(desk, hilir, clerk):
    numbered(desk, hilir)
    desk.clock.forward(days=12)
    clerk.log_in()
    who = sessions.find(desk.teken, clerk.browser.get_cookie("teken_meja").value)
    answers = at_once(*[lambda: registerbook.close(desk.teken, who, SERIES, "2026-11")] * 2)
    assert [one.code for one in answers if isinstance(one, Conflict)] == ["period_closed"]
    with desk.teken.db.read() as connection:
        assert connection.execute(select(func.count()).select_from(closings)).scalar_one() == 1


def test_a_number_used_outside_is_never_given_and_the_audit_is_content(desk, hilir, clerk):
    numbered(desk, hilir, 1)
    clerk.get("/meja/register/mulai")
    assert "Nomor sisipan" in clerk.text
    clerk.post("/meja/register/cadangkan", {"jenis": "sip-perekam-medis", "keperluan": " "})
    assert clerk.status == 422
    clerk.post("/meja/register/cadangkan", {"jenis": "sip-perekam-medis", "keperluan": "Surat manual, Kasi Perizinan"})
    assert clerk.status == 200
    assert "/002/" in clerk.text
    third = numbered(desk, hilir, 3)
    assert row(desk.teken, third).number_no == 3
    shown = book(clerk)
    assert "Dipakai di luar Teken" in shown
    assert "Surat manual, Kasi Perizinan" in shown
    found = audit(desk.teken)
    assert not found.violations
    with desk.teken.db.write() as connection:
        assert connection.execute(select(func.count()).select_from(entries)).scalar_one() == 3
        connection.execute(text("DROP TRIGGER register_no_delete"))
        connection.execute(text("DELETE FROM register WHERE kind = 'reserve'"))
    assert {one.invariant for one in audit(desk.teken).violations} >= {"I2", "I11"}


def test_earlier_entries_are_taken_over_and_marked(desk, hilir, clerk):
    clerk.get("/meja/register/mulai")
    sent = {"seri": "nakes", "berkas": (io.BytesIO(TABLE.encode()), "agenda.csv")}
    clerk.post("/meja/register/pra-teken", sent)
    assert clerk.status == 303
    clerk.get(clerk.headers["Location"])
    assert "Contoh Satu" in clerk.text
    assert "pra-Teken" in clerk.text
    assert "14 Maret 2025" in clerk.text
    first = numbered(desk, hilir)
    assert row(desk.teken, first).number_no == 1, "the counter is its own"
    assert not audit(desk.teken).violations
    clerk.get("/meja/register/mulai")
    sent = {"seri": "nakes", "berkas": (io.BytesIO(TABLE.encode()), "agenda.csv")}
    clerk.post("/meja/register/pra-teken", sent)
    assert clerk.status == 422
    assert clerk.text.count("nomor sudah ada") == 2
    table = clerk.browser.get("/meja/register/buku.csv?seri=pra-teken").data.decode()
    assert ";'-1+1 Contoh;" in table


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("503/051.a/SIP/2025;14-03-2025;Contoh;Izin;;;", "nomor sisipan"),
        ("503/51A/SIP/2025;14-03-2025;Contoh;Izin;;;", "nomor sisipan"),
        ("503/1/SIP/2025;31-02-2025;Contoh;Izin;;;", "tanggal tidak terbaca"),
        ("503/1/SIP/2025;14-03-2025;Contoh;Izin;;kapan;", "tanggal tidak terbaca"),
        ("503/1/SIP/2026;14-03-2027;Contoh;Izin;;;", "tanggal belum tiba"),
        ("503/1/SIP/2025;14-03-2025;;Izin;;;", "wajib diisi"),
        ("503/1/SIP/2025;14-03-2025;=1+1;Izin;;;", "wajib diisi"),
        ("503/1/SIP/2025;14-03-2025;Contoh;Izin;=1+1;;", "wajib diisi"),
        (f"503/1/SIP/2025;14-03-2025;{'x' * 301};Izin;;;", "terlalu panjang"),
    ],
)
def test_one_wrong_line_takes_nothing_over(desk, clerk, line, words):
    clerk.get("/meja/register/mulai")
    sent = {"seri": "nakes", "berkas": (io.BytesIO((TABLE + line + "\n").encode()), "agenda.csv")}
    clerk.post("/meja/register/pra-teken", sent)
    assert clerk.status == 422
    assert f"Baris 4: {words}" in clerk.text or words in clerk.text
    with desk.teken.db.read() as connection:
        assert connection.execute(select(func.count()).select_from(earlier_entries)).scalar_one() == 0


def test_an_earlier_number_may_be_replaced_and_a_stranger_not(desk, clerk):
    clerk.get("/meja/register/mulai")
    clerk.post("/meja/register/pra-teken", {"seri": "nakes", "berkas": (io.BytesIO(TABLE.encode()), "a.csv")})
    client = client_of(desk.teken, "rokan-hilir")
    old = "503.440/001/SIP-PM/DPMPTSP/2025"
    body = payload(*ROHIL, "HULU-9", replaces=old, request_kind="PERPANJANGAN", applicant__nama="Contoh Satu")
    permit = post(desk.teken, client, body).body["id"]
    play(desk.teken, permit)
    assert row(desk.teken, permit).state == State.IN_FORCE
    assert row(desk.teken, permit).replaces is None
    for wrong in ("503.440/999/SIP-PM/DPMPTSP/2025",):
        from service.errors import CaseInvalid

        with pytest.raises(CaseInvalid):
            post(desk.teken, client, {**body, "upstream_id": "HULU-10", "replaces": wrong})


def test_exports_hold_the_same_rows_and_no_formula(desk, hilir, clerk):
    numbered(desk, hilir, 1, applicant__nama="=HYPERLINK(1) Contoh")
    numbered(desk, hilir, 2, applicant__nama="Bagus Contoh")
    csv = clerk.browser.get("/meja/register/buku.csv", query_string={"seri": SERIES})
    assert csv.data.startswith(b"\xef\xbb\xbf")
    lines = csv.data.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("Nomor;Tanggal;Nama;Jenis izin;Tempat praktik")
    assert len(lines) == 3
    assert ";'=HYPERLINK(1) Contoh;" in lines[1]
    sheet = load_workbook(
        io.BytesIO(clerk.browser.get("/meja/register/buku.xlsx", query_string={"seri": SERIES}).data)
    ).active
    assert [cell.value for cell in sheet["C"]][1:] == ["=HYPERLINK(1) Contoh", "Bagus Contoh"]
    assert {cell.data_type for line in sheet.iter_rows() for cell in line if cell.value} == {"s"}
    paper = clerk.browser.get("/meja/register/buku.pdf", query_string={"seri": SERIES})
    document = pypdfium2.PdfDocument(io.BytesIO(paper.data))
    words = document[0].get_textpage().get_text_bounded()
    assert "Bagus Contoh" in words
    assert "Halaman 1 dari 1" in words
    assert document[0].get_width() > document[0].get_height()
    document.close()


ROUTES = [
    *(("get", address, 403) for address in ("/meja/register", "/meja/register/mulai", "/meja/register/pra-teken.csv")),
    *(("get", f"/meja/register/buku{kind}?seri={SERIES}", 403) for kind in ("", ".csv", ".xlsx", ".pdf")),
    *(("post", f"/meja/register/{act}", 403) for act in ("tutup", "pra-teken", "cadangkan")),
]


def test_outsiders_see_and_change_nothing(desk, hilir):
    numbered(desk, hilir, 1, applicant__nama="Wening Contoh")
    fields = {"seri": SERIES, "masa": "2026-11", "jenis": "sip-perekam-medis", "keperluan": "x"}
    aide, stranger = desk.at_work("rokan-hilir", duties=("ajudan",)), desk.stranger()
    reader = desk.at_work("rokan-hilir", "kadis")
    other = desk.at_work("malang", "perekonomian_1")
    for method, address, refused in ROUTES:
        given = [dict(fields)] if method == "post" else []
        for person in (aide, stranger, other, reader):
            if person is reader and ".csv" not in address and "buku." in address:
                continue  # no text
            getattr(person, method)(address, *given)
        assert aide.status == refused, address
        assert stranger.status in {303, 403}, address
        assert all("Wening" not in person.page for person in (aide, stranger, other)), address
        if method == "post":
            assert reader.status == 403, address
        if "seri=" in address:
            assert other.status == 404, address
    other.post("/meja/register/tutup", fields)
    assert other.status == 404
    other.post("/meja/register/cadangkan", fields)
    assert other.status == 404
    with desk.teken.db.read() as connection:
        assert connection.execute(select(func.count()).select_from(entries)).scalar_one() == 1


def test_malangs_book_is_its_own(desk):
    permit = until(desk.teken, Upstream(desk.teken, MALANG).send(), Verb.DELIVER)
    person = desk.at_work("malang", "perekonomian_1")
    person.get("/meja/register")
    assert "Agenda Surat Keluar" in person.text
    person.get("/meja/register/buku", query_string={"seri": "malang/surat_keluar/2026"})
    assert row(desk.teken, permit).number in person.text
