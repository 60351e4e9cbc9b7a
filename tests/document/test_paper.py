"""What is on the paper: golden texts, the draft, the attachment, the places of photo, stamp and QR."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pikepdf
import pytest

from service.document.check import template_check
from service.document.markers import expected_fields, markers, places
from service.document.typeset import DENSITIES
from service.sop import check
from tests.document.offices import AT, CODE, HEAD, KINDS, LEGAL, TEMPLATES, files, page, text

GOLDEN = Path(__file__).parent / "golden"
MM = 72 / 25.4
LONG = {
    "applicant.nama": "Prof. Dr. dr. Hj. Contoh Siti Rahmawati Kusumaningtyas Hadiningrat Wijaya, "
    "Sp.PK., M.Kes., Ph.D., A.Md.RMIK",
    "applicant.alamat": "Jalan Contoh Panjang Gang Melati Indah Nomor 12A, Perumahan Contoh Asri Blok C Nomor 7, "
    "RT 003 RW 014, Kelurahan Contoh Timur, Kecamatan Contoh Tengah, Kabupaten Contoh, Provinsi Contoh 12345",
    "practice.nama": "Rumah Sakit Umum Daerah Prof. Dr. Contoh Nama Pahlawan Kabupaten Contoh",
    "practice.alamat": "Jalan Kesehatan Contoh Raya Barat Nomor 45, Kompleks Rumah Sakit Contoh, RT 001 RW 002, "
    "Kelurahan Contoh Barat, Kecamatan Contoh Tengah, Kabupaten Contoh, Provinsi Contoh 12345",
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("draft", [False, True])
def test_text_is_the_golden_text(kind, draft, typeset):
    """A wanted change: `python -m tests.document.golden`, then read the difference."""
    expected = (GOLDEN / f"{kind}{'-draft' if draft else ''}.txt").read_text(encoding="utf-8")
    assert text(typeset(kind, page(kind, draft=draft)).pdf) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_markers_are_the_procedures(kind, typeset):
    assert sorted(markers(typeset(kind, page(kind)).pdf)) == sorted(expected_fields(KINDS[kind][1].procedure))


@pytest.mark.parametrize("kind", KINDS)
def test_draft_has_no_field_no_code_and_says_so(kind, typeset):
    for known in ({}, {"number": "1/2026", "set_on": date(2026, 1, 2), "valid_to": date(2031, 1, 2)}):
        pdf = typeset(kind, page(kind, draft=True, **known)).pdf
        shown = text(pdf)
        assert markers(pdf) == ()
        assert "DRAF" in shown
        assert "Bukan dokumen sah" in shown
        assert CODE not in shown.replace("-", "")
        assert b"/Annots" not in pdf
        assert json.loads(attachment(pdf))["code"] is None
        assert ("1/2026" in shown) is bool(known)


@pytest.mark.parametrize("kind", KINDS)
def test_rooms_do_not_overlap_and_qr_is_wide_enough(kind, typesetters):
    """Photo, room for a stamp, signature and seal lie apart; the QR has 25 mm or more, quiet zone included."""
    for density in DENSITIES:
        pdf = typesetters(kind).compile(page(kind, LONG), timestamp=AT, density=density, marks=True)
        rooms = {name: (at, rect) for name, at, rect in [*places(pdf), *places(pdf, "x-room:")]}
        qr = rooms["segel" if KINDS[kind][1].procedure.sealed else "ttd_kepala"][1]
        assert min(qr[2] - qr[0], qr[3] - qr[1]) >= 25 * MM
        assert ("foto" in rooms) is (KINDS[kind][1].photo is not None)
        pairs = [(a, b) for a in rooms for b in rooms if a < b]
        assert not [pair for pair in pairs if overlap(rooms[pair[0]], rooms[pair[1]])]


def overlap(one, other) -> bool:
    (page_a, (l1, b1, r1, t1)), (page_b, (l2, b2, r2, t2)) = one, other
    return page_a == page_b and l1 < r2 and l2 < r1 and b1 < t2 and b2 < t1


@pytest.mark.parametrize("kind", ["malang", "kudus"])
def test_later_fields_stand_on_their_text_lines(kind, typeset):
    """The value's baseline, 0.2 em above the field's lower edge, is the baseline of its label."""
    import pypdfium2

    pdf = typeset(kind, page(kind)).pdf
    rects = {name: rect for name, _, rect in places(pdf)}
    document = pypdfium2.PdfDocument(pdf)
    content = document[0].get_textpage()
    labels = {"nomor_register": "Nomor :", "tanggal_terbit": "Pada tanggal", "berlaku_sampai": "Berlaku sampai dengan"}
    for name, label in labels.items():
        left, bottom, right, top = rects[name]
        at = content.search(label)
        found = [at.get_next()]
        while (more := at.get_next()) is not None:
            found.append(more)
        edges = [content.get_charbox(start)[1] for start, _ in found]  # N, P and B stand on the baseline
        size = (top - bottom) / 1.4
        assert min(abs(bottom + 0.2 * size - edge) for edge in edges) < 0.3
        assert right - left > 60
    content.close()
    document.close()


@pytest.mark.parametrize("kind", KINDS)
def test_attached_data_are_the_printed_ones_and_never_the_nik(kind, typeset):
    pdf = typeset(kind, page(kind)).pdf
    raw = attachment(pdf)
    data = json.loads(raw)
    assert data["format"] == "teken-izin/1"
    assert data["code"] == CODE
    assert data["case"]["practice.nama"] == "RSUD Contoh Sejahtera"
    assert b"1407014101970001" not in raw + pdf
    assert "applicant.nik" not in data["case"]
    assert (data["number"] is None) is not KINDS[kind][1].procedure.number_first


def attachment(pdf: bytes) -> bytes:
    with pikepdf.open(io.BytesIO(pdf)) as document:
        assert list(document.attachments) == ["izin.json"]
        return document.attachments["izin.json"].get_file().read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_long_data_fit_one_page_and_are_whole(kind, typeset):
    made = typeset(kind, page(kind, LONG, signatory=replace(HEAD, prefix="Plt.")))
    shown = " ".join(text(made.pdf).split())
    assert made.pages == 1
    assert all(value in shown for value in LONG.values())
    assert "Plt. KEPALA DINAS PENANAMAN MODAL" in shown


def test_twenty_five_legal_lines_fit_a_long_sheet(typeset):
    basis = tuple(replace(LEGAL[0], text=f"Peraturan Contoh Nomor {n} Tahun 2020 tentang Hal {n}") for n in range(25))
    made = typeset("rohul", page("rohul", legal_basis=basis))
    assert made.pages == 1
    assert made.density > 0
    assert "25. Peraturan Contoh Nomor 24" in text(made.pdf)


@pytest.mark.parametrize("kind", KINDS)
def test_declares_and_holds_accessible_archive_structure(kind, typeset):
    with pikepdf.open(io.BytesIO(typeset(kind, page(kind)).pdf)) as document:
        meta = document.open_metadata()
        assert (meta["pdfaid:part"], meta["pdfaid:conformance"], meta["pdfuaid:part"]) == ("3", "A", "1")
        assert document.Root.MarkInfo.Marked
        assert str(document.Root.Lang).startswith("id")
        assert document.Root.ViewerPreferences.DisplayDocTitle
        assert meta["dc:title"] == KINDS[kind][1].name
        assert len(document.Root.AF) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_office_check_is_content(kind):
    office, permit = KINDS[kind]
    assert template_check(files(office.code, permit.code), office, permit) == []


def test_office_check_names_what_is_wrong():
    office, permit = KINDS["malang"]
    good = files(office.code, permit.code)
    name = "malang/sik-perekam-medis/permit.typ"
    lacks = {**good, name: good[name].replace(b"seal(), ", b"")}
    assert any("segel" in fault for fault in template_check(lacks, office, permit))
    broken = {**good, name: good[name] + b"\n#nothing-like-this()"}
    assert any("nothing-like-this" in fault for fault in template_check(broken, office, permit))
    strange = replace(office, paper=replace(office.paper, font="Comic Contoh"))
    assert any("Comic Contoh" in fault for fault in template_check(good, strange, permit))
    many = replace(permit, legal_basis=permit.legal_basis * 30)
    assert any("halaman" in fault for fault in template_check(good, office, many))


def test_every_office_of_the_tree_passes_its_own_check():
    assert check(TEMPLATES, template_check=template_check) == []
