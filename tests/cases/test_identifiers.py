from __future__ import annotations

from datetime import date

import pytest

from service.identifiers import PROVINCES, IdentifierInvalid, Nik, parse_nik, parse_nip, parse_str


def code(parse, text):
    with pytest.raises(IdentifierInvalid) as caught:
        parse(text)
    assert text not in str(caught.value) or not text
    return caught.value.code


def test_there_are_38_provinces():
    assert len(PROVINCES) == 38


def test_published_structural_vectors():
    """bachors/nik_parse.js and Business::ID::NIK; the second has subdistrict 00, which is not judged."""
    assert parse_nik("3204110609970001") == Nik(6, 9, 97, "L")
    assert parse_nik("3273007101010001") == Nik(31, 1, 1, "P")
    assert parse_nik("3273007101010001").birth_date(date(2026, 1, 1)) == date(2001, 1, 31)


def test_the_synopsis_of_business_id_nik_is_no_vector():
    assert code(parse_nik, "3273010119800002") == "nik_date"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "nik_shape"),
        ("320411060997000", "nik_shape"),
        ("32041106099700011", "nik_shape"),
        ("3204110609970001\n", "nik_shape"),
        ("٣٢٠٤١١٠٦٠٩٩٧٠٠٠١", "nik_shape"),
        ("0004110609970001", "nik_province"),
        ("2004110609970001", "nik_province"),
        ("3204110009970001", "nik_date"),
        ("3204113209970001", "nik_date"),
        ("3204114009970001", "nik_date"),
        ("3204117209970001", "nik_date"),
        ("3204110600970001", "nik_date"),
        ("3204113002970001", "nik_date"),
        ("3204112902970001", "nik_date"),
        ("3204110609970000", "nik_serial"),
    ],
)
def test_impossible_nik(text, why):
    assert code(parse_nik, text) == why


def test_leap_day_of_2000_is_real_although_that_of_1900_is_not():
    assert parse_nik("3204112902000001").birth_date(date(2026, 1, 1)) == date(2000, 2, 29)


def test_the_century_makes_a_licensee_old_enough():
    assert parse_nik("3204110609150001").birth_date(date(2026, 1, 1)) == date(1915, 9, 6)
    assert parse_nik("3204110609080001").birth_date(date(2025, 9, 5)) == date(1908, 9, 6)
    assert parse_nik("3204110609080001").birth_date(date(2025, 9, 6)) == date(2008, 9, 6)


def test_nip_in_both_printed_forms():
    assert parse_nip("197001011995031001") == parse_nip("19700101 199503 1 001")
    assert parse_nip("199001012024212001").sex == "P"  # contract staff: month 21


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("19700101199503100", "nip_shape"),
        ("1970 0101 199503 1 001", "nip_shape"),
        ("197002301995031001", "nip_date"),
        ("197001011995001001", "nip_appointment"),
        ("197001011960031001", "nip_appointment"),
        ("197001011995033001", "nip_sex"),
        ("197001011995031000", "nip_serial"),
    ],
)
def test_impossible_nip(text, why):
    assert code(parse_nip, text) == why


def test_str_keeps_what_was_printed():
    assert parse_str("1221100120223039") == "1221100120223039"
    assert parse_str("32 1 1 100  3 19 095497") == "32 1 1 100 3 19 095497"
    assert parse_str("ab00001234567890") == "AB00001234567890"


@pytest.mark.parametrize("text", ["12345", "A" * 41, "ab_0000123", "-12345678", "ınvalid12345", "../../etc/passwd"])
def test_impossible_str(text):
    assert code(parse_str, text) == "str_shape"
