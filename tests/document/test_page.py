"""The strings of a page."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from service.document import Signatory, field_values, labels_of
from service.document.glyphs import missing_glyphs
from service.document.page import code_words, date_words, head_title, nip_words, number_words, write
from service.sop.model import FieldKind, LegalBasis
from tests.document.offices import KINDS, NUMBER, files, page

LABELS = labels_of(files("malang", "sik-perekam-medis"))


@pytest.mark.parametrize(
    ("kind", "value", "printed"),
    [
        ("date", "2026-01-01", "1 Januari 2026"),
        ("date", date(2027, 12, 31), "31 Desember 2027"),
        ("str_validity", "SEUMUR_HIDUP", "Seumur hidup"),
        ("str_validity", "2029-04-14", "14 April 2029"),
        ("integer", 1, "1 (satu)"),
        ("integer", 12, "12"),
        ("choice", "P", "Perempuan"),
        ("choice", "Lain", "Lain"),
        ("text", "SEUMUR_HIDUP", "SEUMUR_HIDUP"),
        ("nip", "197104141994031007", "19710414 199403 1 007"),
        ("address", "Jalan A\nRT 1\t RW 2 ", "Jalan A RT 1 RW 2"),
        ("name", "Mu\u0308ller", "Müller"),
        ("text", None, ""),
    ],
)
def test_values_are_written_as_officials_write_them(kind, value, printed):
    assert write(FieldKind(kind), value, LABELS) == printed


def test_words():
    assert [date_words(date(2026, month, 1), LABELS).split()[1] for month in (2, 8)] == ["Februari", "Agustus"]
    assert number_words(0, LABELS) == "0 (nol)"
    assert nip_words("12 34") == "12 34"
    assert code_words("7K3M9QXTB2WZ4HFD") == "7K3M-9QXT-B2WZ-4HFD"
    assert head_title("Kepala Dinas", "Dinas Contoh Kabupaten A") == "KEPALA DINAS CONTOH KABUPATEN A"
    assert head_title("Bupati", "Kabupaten A") == "BUPATI KABUPATEN A"


def test_the_nik_is_nowhere_even_where_an_office_prints_it():
    permit = KINDS["rohil-pm"][1]
    shown = tuple(replace(one, printed=True) for one in permit.fields)
    from service.document.page import facts
    from tests.document.offices import case

    assert "1407014101970001" not in str(facts(shown, case(permit), LABELS))
    assert "1407014101970001" not in str(page("rohil-pm"))


def test_legal_basis_is_what_holds_on_the_set_day():
    basis = (
        LegalBasis("Lama", None, date(2025, 12, 31)),
        LegalBasis("Baru", date(2026, 1, 1), None),
        LegalBasis("Nanti", date(2027, 1, 1), None),
    )
    known = {"number": NUMBER, "set_on": date(2025, 12, 31), "valid_to": date(2030, 12, 31)}
    assert page("rohil-pm", legal_basis=basis)["basis"] == ["Baru"]
    assert page("rohil-pm", legal_basis=basis, **known)["basis"] == ["Lama"]
    assert page("malang", legal_basis=basis, **known)["basis"] == ["Baru"]  # its date is not known yet: today counts


def test_number_after_signature_leaves_fields_open():
    assert page("malang")["number"] is None
    assert page("malang")["signature"]["date"] is None
    values = field_values(NUMBER, date(2026, 11, 23), date(2031, 11, 23), LABELS)
    assert values == {
        "nomor_register": NUMBER,
        "tanggal_terbit": "23 November 2026",
        "berlaku_sampai": "23 November 2031",
    }


def test_missing_glyphs_are_named():
    office, permit = KINDS["malang"]
    pinned = files(office.code, permit.code)
    assert missing_glyphs(page("malang"), pinned) == []
    made = page("malang", {"applicant.nama": "Ali \u0639", "practice.nama": "A\u202eB\u200bC"})
    found = missing_glyphs(made, pinned)
    assert ("/name", "\u0639") in found
    assert {char for pointer, char in found if pointer.startswith("/facts")} == {"\u202e", "\u200b"}


def test_a_signatory_may_lack_nip_and_rank():
    signature = page("malang", signatory=Signatory("Contoh", "Kepala Dinas"))["signature"]
    assert (signature["nip"], signature["rank"], signature["prefix"]) == ("", "", "")
