"""Many applications from one sheet: what is told of each row, what a second person confirms, and what a hostile file can do."""

from __future__ import annotations

import csv
import io
import re
import zipfile

import pytest
from openpyxl import Workbook, load_workbook
from sqlalchemy import select, update
from werkzeug.datastructures import FileStorage

from service.demo import portrait
from service.desk import imports, questions
from service.permits import State
from service.store.desk_tables import proposals
from service.store.tables import mandates, permits
from tests.desk.forms import answers, upload
from tests.desk.test_entry import KUDUS, XSS, many, refusals
from tests.support.office import OFFICES, TYPES, holder, play, row, work

ROHIL = ("rokan-hilir", "sip-perekam-medis")


@pytest.fixture
def clerk(desk):
    return desk.at_work(ROHIL[0], "back_office_1")


@pytest.fixture
def checker(desk):
    return desk.at_work(ROHIL[0], "back_office_2")


def line(kind=ROHIL, upstream_id="", photo="", **changes) -> dict[str, str]:
    """One row by column, as a clerk fills it in."""
    given = answers(*kind, **changes)
    found = {}
    for one in imports.columns(OFFICES.permit_type(*kind)):
        text = given.get(one.name, "")
        if one.name + questions.LIFELONG in given:
            text = "seumur hidup"
        if one.kind == "tick" and text:
            text = given.get(one.name + questions.REFERENCE, "ya")
        found[one.name] = text
    return found | {"upstream_id": upstream_id, "photo": photo}


def as_csv(*lines: dict[str, str], delimiter: str = ";") -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(
        out,
        [name for name in lines[0] if name != "photo" or lines[0][name]],
        delimiter=delimiter,
        extrasaction="ignore",
    )
    writer.writeheader()
    writer.writerows(lines)
    return ("\ufeff" + out.getvalue()).encode()


def as_xlsx(*lines: dict) -> bytes:
    book = Workbook()
    names = [name for name in lines[0] if name != "photo" or lines[0][name]]
    book.active.append(names)
    for one in lines:
        book.active.append([one[name] for name in names])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def send(person, data: bytes, name: str = "daftar.csv", *, kind=ROHIL, photos=()) -> str:
    person.get("/meja/permohonan/impor")
    body = {"jenis": kind[1], "berkas": FileStorage(io.BytesIO(data), name)}
    if photos:
        body["foto"] = [FileStorage(io.BytesIO(picture), called) for called, picture in photos]
    return upload(person, "/meja/permohonan/impor", body)


def sent(person, data: bytes, **rest) -> str:
    send(person, data, **rest)
    assert person.status == 303, person.text
    return person.headers["Location"]


def test_sound_rows_are_confirmed_by_another_and_faulty_ones_are_told(desk, clerk, checker):
    bad = line(
        applicant__nama="Salah Contoh",
        applicant__nik="12",
        applicant__tanggal_lahir="31/02/1990",
        practice__ke="seribu",
    )
    address = sent(clerk, as_csv(line(), line(applicant__nama=f"Budi {XSS}"), bad))
    clerk.get(address)
    assert "Baris benar 2 Baris salah 1" in clerk.text
    assert "NIK: NIK terdiri atas 16 angka" in clerk.text
    assert "Tanggal lahir: Tulis tanggal yang ada" in clerk.text
    assert "Tulis dengan angka" in clerk.text
    assert XSS not in clerk.page
    assert "Setujui" not in clerk.text
    assert many(desk, permits) == 0
    clerk.post(address + "/setujui")
    assert clerk.status == 409
    checker.get("/meja/permohonan")
    assert "Impor 2 permohonan" in checker.text
    checker.get(address)
    assert "Setujui 2 permohonan" in checker.text
    checker.get(address + "/baris/2")
    assert answers(*ROHIL)["applicant.alamat"] in checker.text
    for line_no in (1, 4, 9):
        checker.get(f"{address}/baris/{line_no}")
        assert checker.status == 404
    checker.get(address)
    checker.post(address + "/setujui")
    checker.get(address)
    assert "2 permohonan diterima" in checker.text
    assert many(desk, permits) == 2
    first = re.search(r"/meja/izin/(izn_\w+)", checker.page)[1]
    work(desk.teken)
    play(desk.teken, first)
    assert row(desk.teken, first).state == State.IN_FORCE
    assert row(desk.teken, first).upstream_id.startswith("IMP-")


def test_the_same_sheet_twice_is_the_same_permits(desk, clerk, checker):
    data = as_csv(line(), line(upstream_id="LOKET-7", applicant__nama="Budi Contoh"))
    first = sent(clerk, data)
    assert sent(clerk, data) == first
    for address in (first, None):
        address = address or sent(clerk, data)
        checker.get(address)
        assert ("Sudah diterima sebelumnya" in checker.text) is (address != first)
        for _ in range(2):
            checker.post(address + "/setujui")
        assert many(desk, permits) == 2
    send(clerk, as_csv(line(upstream_id="LOKET-7", applicant__nama="Orang Lain")))
    assert clerk.status == 422
    assert "Permohonan dengan nomor ini sudah ada dengan isi lain" in clerk.text
    assert many(desk, proposals) == 2


def test_a_row_may_correct_a_returned_case(desk, clerk, checker):
    from service import acts

    kind = ("malang", "sik-perekam-medis")
    both = {"official": "malang/sekretaris", "office": "malang", "role": "petugas_perekonomian", "kind": "plt"}
    with desk.teken.db.write() as connection:
        connection.execute(mandates.insert().values(id="dua", valid_from="2026-01-01", **both))
    clerk, checker = desk.at_work("malang", "perekonomian_1"), desk.at_work("malang", "sekretaris")
    for name in ("Budi Contoh", "Budi Contoh Utama"):
        checker.post(sent(clerk, as_csv(line(kind, "LOKET-7", applicant__nama=name)), kind=kind) + "/setujui")
        with desk.teken.db.read() as connection:
            permit = connection.execute(select(permits.c.id)).scalar_one()
        if name == "Budi Contoh":
            work(desk.teken)
            acts.give_back(desk.teken, holder(desk.teken, "malang", "petugas_perekonomian"), permit, reason="nama")
    assert row(desk.teken, permit).revision == 2


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize("kind", TYPES, ids="-".join)
def test_a_template_holds_the_types_columns_and_its_sample_is_never_imported(desk, kind, form):
    who = {"kudus": "gerai_1", "malang": "perekonomian_1"}.get(kind[0], "back_office_1")
    clerk = desk.at_work(kind[0], who)
    got = clerk.browser.get(f"/meja/permohonan/impor/contoh/{kind[1]}.{form}")
    assert got.status_code == 200
    data = got.data
    assert b"applicant.nik" in data or form == "xlsx"
    send(clerk, data, f"contoh.{form}", kind=kind)
    assert clerk.status == 422
    assert "tidak berisi baris permohonan" in clerk.text
    send(clerk, _without_sample_id(data, form), f"contoh.{form}", kind=kind, photos=[("FOTO-contoh.jpg", portrait())])
    assert clerk.status == 303, clerk.text


def test_what_is_typed_into_a_template_stays_text(desk, clerk):
    """A spreadsheet rounds a number of sixteen digits."""
    got = clerk.browser.get(f"/meja/permohonan/impor/contoh/{ROHIL[1]}.xlsx")
    sheet = load_workbook(io.BytesIO(got.data)).active
    assert sheet.max_row > 100
    assert {cell.number_format for row in sheet.iter_rows() for cell in row} == {"@"}


def _without_sample_id(data: bytes, form: str) -> bytes:
    """The template as a clerk uses it: the sample overwritten with his own row, here by the same invented one."""
    if form == "csv":
        return data.replace(b"CONTOH;", b"LOKET-1;", 1)
    book = load_workbook(io.BytesIO(data))
    book.active["A2"] = "LOKET-1"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_photos_come_beside_the_sheet_by_their_names(desk):
    clerk = desk.at_work("kudus", "gerai_1")
    rows = [line(KUDUS, photo=name, applicant__nama=f"Budi {name[0]}") for name in ("a.jpg", "b.jpg", "c.jpg")]
    address = sent(clerk, as_csv(*rows), kind=KUDUS, photos=[("A.JPG", portrait()), ("b.jpg", b"GIF89a")])
    clerk.get(address)
    assert "Baris benar 1 Baris salah 2" in clerk.text
    assert "Bukan foto JPEG atau PNG" in clerk.text
    assert "tidak ikut diunggah" in clerk.text


def test_a_workbooks_numbers_dates_and_formulas(desk, clerk):
    from datetime import datetime

    good = {
        **line(),
        "applicant.tanggal_lahir": datetime(1990, 4, 14),
        "complete_at": datetime(2026, 11, 18, 9, 0),
        "practice.ke": 1,
    }
    numeric = {**line(applicant__nama="Angka Contoh"), "applicant.nik": 3319005404970005}
    formula = {**line(), "applicant.nama": '=HYPERLINK("http://contoh.example")'}
    address = sent(clerk, as_xlsx(good, numeric, formula), name="daftar.xlsx")
    clerk.get(address)
    assert "Baris benar 1 Baris salah 2" in clerk.text
    assert "NIK: Sel ini berformat angka" in clerk.text
    assert "Sel ini berisi rumus" in clerk.text
    assert "HYPERLINK" not in clerk.page


def test_a_csv_with_formulas_is_text_that_is_refused(desk, clerk):
    send(clerk, as_csv(line(applicant__nama="=cmd|' /C calc'!A0")))
    assert clerk.status == 422
    assert "Sel ini berisi rumus" in clerk.text


def _bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("xl/worksheets/sheet1.xml", b"0" * 100_000_000)
    return out.getvalue()


def _entities(encoding: str = "utf-8") -> bytes:
    """A sound workbook whose sheet declares entities that multiply."""
    lines = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 9))
    declared = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE x [<!ENTITY l0 "ha">{lines}]>'
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(as_xlsx(line()))) as sound, zipfile.ZipFile(out, "w") as parts:
        for one in sound.namelist():
            text = sound.read(one).decode()
            if one.endswith("sheet1.xml"):
                text = declared + text.replace("<v>0</v>", "<v>&l8;</v>", 1)
                parts.writestr(one, text.encode(encoding))
            else:
                parts.writestr(one, text)
    return out.getvalue()


def _lying() -> bytes:
    """A directory that says a part is small when it is not."""
    data = bytearray(_bomb())
    size = (100_000_000).to_bytes(4, "little")
    return bytes(data.replace(size, (1000).to_bytes(4, "little")))


HOSTILE = {
    "nothing": (b"", "tidak berisi baris"),
    "blank lines": (b"\n\n;;;\n", "tidak berisi baris"),
    "only a header": (as_csv(line()).split(b"\r\n")[0], "tidak berisi baris"),
    "too large": (b"x" * 2_000_001, "paling besar 2 MB"),
    "too many rows": (as_csv(*[line()] * 501), "Paling banyak 500 baris"),
    "too many columns": (b";" * 150 + b"x\n", "Paling banyak 100 kolom"),
    "no text": (b"nama\n\xff\xfe\xfa", "UTF-8"),
    "nul bytes": (b"nama\n\x00", "bukan CSV atau XLSX"),
    "a field without end": (b'nama\n"x' + b"x" * 200_000, "bukan CSV atau XLSX"),
    "foreign columns": (b"nama;3319005404970005\nx;y\n", "Judul kolom ke-2"),
    "a column twice": (b"applicant.nama;applicant.nama\nx;y\n", "Kolom ke-2 sudah ada"),
    "a zip of something": (b"PK\x03\x04" + b"x" * 100, "bukan CSV atau XLSX"),
    "a bomb": (_bomb(), "paling besar"),
    "a lying bomb": (_lying(), "bukan CSV atau XLSX"),
    "entities": (_entities(), "bukan CSV atau XLSX"),
    "hidden entities": (_entities("utf-16"), "bukan CSV atau XLSX"),
    "a PDF": (b"%PDF-1.7\n" + b"\x80" * 50, "UTF-8"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_file_is_refused_in_words(desk, clerk, what):
    data, said = HOSTILE[what]
    send(clerk, data, "daftar.xlsx")
    assert clerk.status == 422, what
    assert said in clerk.text
    assert "3319005404970005" not in clerk.page
    assert (many(desk, proposals), many(desk, permits)) == (0, 0)


def test_five_hundred_rows_are_read_and_accepted(desk, clerk, checker):
    rows = [
        line(applicant__nama=f"Contoh {chr(65 + n // 26 % 26)}{chr(97 + n % 26)}", practice__nama=f"Klinik {n}")
        for n in range(500)
    ]
    address = sent(clerk, as_csv(*rows))
    checker.post(address + "/setujui")
    assert many(desk, permits) == 500


def test_outsiders_are_refused_and_that_is_noted(desk, clerk, checker):
    address = sent(clerk, as_csv(line()))
    kadis, other = desk.at_work(ROHIL[0], "kadis"), desk.at_work("malang", "perekonomian_1")
    template = "/meja/permohonan/impor/contoh/sip-perekam-medis.csv"
    for path in ("/meja/permohonan/impor", template, address, address + "/baris/2"):
        kadis.get(path)
        assert kadis.status == 403, path
    for path in ("/meja/permohonan/impor", address + "/setujui", address + "/tolak"):
        kadis.post(path, {"jenis": ROHIL[1]})
        assert kadis.status == 403, path
    assert [outcome for _, outcome in refusals(desk)] == ["role_forbids"] * 7
    for path in (template, address, address + "/baris/2"):
        other.get(path)
        assert other.status == 404, path
    for path in (address + "/setujui", address + "/tolak"):
        other.post(path)
        assert other.status == 404
    stranger = desk.stranger()
    for path in ("/meja/permohonan/impor", template, address):
        stranger.get(path)
        assert stranger.status == 303
    stranger.post(address + "/setujui")
    assert stranger.status == 403
    clerk.get(template.replace(".csv", ".exe"))
    assert clerk.status == 404
    checker.get(address)
    with desk.teken.db.write() as connection:
        ended = update(mandates).where(mandates.c.official == "rokan-hilir/back_office_2")
        connection.execute(ended.values(valid_to="2026-11-19"))
    checker.post(address + "/setujui")
    assert checker.status == 403
    assert many(desk, permits) == 0


def test_a_withdrawn_import_is_over(desk, clerk, checker):
    address = sent(clerk, as_csv(line()))
    clerk.get(address)
    clerk.post(address + "/tolak")
    clerk.get(address)
    assert "ditarik kembali" in clerk.text
    checker.post(address + "/setujui")
    assert (checker.status, many(desk, permits)) == (409, 0)
