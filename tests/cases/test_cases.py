from __future__ import annotations

import copy
import json
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from service.cases import LIFETIME, CaseInvalid, address, diff, parse_case, restore
from service.errors import Fault
from service.sop.model import Photo
from tests.cases.sample import NOW, PNG, TODAY, TYPE, but, drop, payload, photo, put


def accept(body, permit_type=TYPE):
    return parse_case(body, permit_type, today=TODAY, now=NOW)


def faults(body, permit_type=TYPE):
    with pytest.raises(CaseInvalid) as caught:
        accept(body, permit_type)
    return {(fault.pointer, fault.code) for fault in caught.value.faults}


NO_ADDRESSES = (
    "siti",
    "siti@contoh",
    "siti@@contoh.id",
    ".siti@contoh.id",
    "siti@-contoh.id",
    "siti@[127.0.0.1]",
    '"si ti"@contoh.id',
    "siti@contoh.id, budi@contoh.id",
    "Siti <siti@contoh.id>",
    "sïti@contoh.id",
    "a" * 65 + "@contoh.id",
)


def test_a_good_case():
    accepted = accept(payload())
    case = accepted.case
    assert accepted.warnings == ()
    assert (case.office, case.type, case.upstream_id) == ("contoh", "sip-perekam-medis", "RV-2026-001234")
    assert case.get("applicant.tanggal_lahir") == date(1997, 1, 1)
    assert case.get("str.masa_berlaku") == LIFETIME
    assert case.str_until is None
    assert case.complete_at == datetime(2026, 11, 20, 1, 30, tzinfo=UTC)
    assert [row.no for row in case.attested] == [1, 2, 3]
    assert case.get("applicant.telepon") is None


def test_kept_forms():
    body = payload()
    put(body, "/applicant/nama", "  Siti\u00a0 Cafe\u0301  ")
    put(body, "/applicant/alamat", "Jalan Satu\r\n\tRT 01")
    put(body, "/applicant/telepon", "(0812) 3456-7890")
    put(body, "/applicant/email", " Siti.Contoh+izin@Contoh.Example ")
    put(body, "/str/nomor", "ab 1234567")
    put(body, "/practice/pimpinan/nip", "19700101 199503 1 001")
    case = accept(body).case
    assert case.get("applicant.nama") == "Siti Café"
    assert case.get("applicant.alamat") == "Jalan Satu RT 01"
    assert case.get("applicant.telepon") == "+6281234567890"
    assert case.get("applicant.email") == "Siti.Contoh+izin@contoh.example"
    assert case.get("str.nomor") == "AB 1234567"
    assert case.get("practice.pimpinan.nip") == "197001011995031001"


def test_every_fault_is_named_at_once():
    body = payload()
    drop(body, "/applicant/nama")
    put(body, "/applicant/nik", "123")
    put(body, "/practice/ke", "1")
    drop(body, "/attested/0")
    body["extra"] = 1
    assert faults(body) == {
        ("/applicant/nama", "required"),
        ("/applicant/nik", "nik_shape"),
        ("/practice/ke", "wrong_type"),
        ("/attested", "row_missing"),
        ("/extra", "unknown_key"),
    }


def test_an_empty_object_names_everything_that_is_required():
    found = faults({})
    for pointer in (
        "/office",
        "/type",
        "/upstream_id",
        "/request_kind",
        "/complete_at",
        "/applicant/nama",
        "/str/nomor",
    ):
        assert (pointer, "required") in found
    assert ("/attested", "row_missing") in found
    assert ("/requirements", "requirement_missing") in found


@pytest.mark.parametrize(
    ("pointer", "value", "where", "code"),
    [
        ("/office", "lain", "/office", "other_office"),
        ("/type", "lain", "/type", "other_type"),
        ("/upstream_id", "", "/upstream_id", "upstream_id_shape"),
        ("/upstream_id", "a" * 81, "/upstream_id", "upstream_id_shape"),
        ("/upstream_id", "a b", "/upstream_id", "upstream_id_shape"),
        ("/upstream_id", "RV-1\n", "/upstream_id", "upstream_id_shape"),
        ("/upstream_id", "a/../../etc/passwd", "/upstream_id", "upstream_id_shape"),
        ("/upstream_id", 17, "/upstream_id", "wrong_type"),
        ("/request_kind", "DUPLIKAT", "/request_kind", "not_a_choice"),
        ("/request_kind", ["BARU"], "/request_kind", "wrong_type"),
        ("/request_kind", "PERPANJANGAN", "/replaces", "replaces_required"),
        ("/replaces", "123", "/replaces", "replaces_forbidden"),
        ("/complete_at", "2026-11-20", "/complete_at", "instant_shape"),
        ("/complete_at", "2026-11-20T08:30:00", "/complete_at", "instant_shape"),
        ("/complete_at", "2026-02-30T08:30:00Z", "/complete_at", "instant_shape"),
        ("/complete_at", "2026-11-19T23:59:60Z", "/complete_at", "instant_shape"),
        ("/complete_at", "2026-11-20T02:06:00Z", "/complete_at", "in_the_future"),
        ("/complete_at", 0, "/complete_at", "wrong_type"),
        ("/attested", {}, "/attested", "wrong_type"),
        ("/attested/0", None, "/attested/0", "wrong_type"),
        ("/attested/0/no", 4, "/attested/0/no", "row_not_attested"),
        ("/attested/0/no", 2, "/attested/1/no", "repeated"),
        ("/attested/0/no", True, "/attested/0/no", "wrong_type"),
        ("/attested/1/by", {}, "/attested/1/by/name", "required"),
        ("/attested/1/by/nip", "1", "/attested/1/by/nip", "nip_shape"),
        ("/attested/1/by/name", "...", "/attested/1/by/name", "no_letter"),
        ("/attested/2/at", "2026-11-18T00:00:00Z", "/attested/2/at", "out_of_order"),
        ("/attested/2/at", "2027-11-18T00:00:00Z", "/attested/2/at", "in_the_future"),
        ("/attested/2/sign", "x", "/attested/2/sign", "unknown_key"),
        ("/requirements", [], "/requirements", "requirement_missing"),
        ("/requirements/0", {"code": "sim"}, "/requirements/0/code", "not_a_choice"),
        ("/requirements/1", {"code": "ktp"}, "/requirements/1", "repeated"),
        ("/requirements/1", {}, "/requirements/1/code", "required"),
        ("/requirements/1/reference", "", "/requirements/1/reference", "empty"),
        ("/applicant", None, "/applicant", "wrong_type"),
        ("/applicant/nama", None, "/applicant/nama", "wrong_type"),
        ("/applicant/nama", "", "/applicant/nama", "empty"),
        ("/applicant/nama", " \u3000 ", "/applicant/nama", "empty"),
        ("/applicant/nama", "a" * 121, "/applicant/nama", "too_long"),
        ("/applicant/nama", "-- 12 --", "/applicant/nama", "no_letter"),
        ("/applicant/nama", "Siti\nContoh", "/applicant/nama", "line_break"),
        ("/applicant/nama", "Siti\u2028Contoh", "/applicant/nama", "line_break"),
        ("/applicant/nama", "Siti\x00", "/applicant/nama", "control_character"),
        ("/applicant/nama", "Siti\x1b[31m", "/applicant/nama", "control_character"),
        ("/applicant/nama", "Siti\u202e", "/applicant/nama", "bidi_character"),
        ("/applicant/nama", "Si\u200bti", "/applicant/nama", "invisible_character"),
        ("/applicant/nama", "Si\u00adti", "/applicant/nama", "invisible_character"),
        ("/applicant/nama", "Siti\ufe0f", "/applicant/nama", "invisible_character"),
        ("/applicant/nama", "Siti\u3164", "/applicant/nama", "invisible_character"),
        ("/applicant/nama", "Siti\U000e0041", "/applicant/nama", "invisible_character"),
        ("/applicant/nama", "Siti\ue000", "/applicant/nama", "private_character"),
        ("/applicant/nama", "Siti\uffff", "/applicant/nama", "unassigned_character"),
        ("/applicant/nama", "Siti\ud800", "/applicant/nama", "surrogate"),
        ("/applicant/nama", "S" + "\u0301\u0300\u0302\u0303\u0304", "/applicant/nama", "stacked_marks"),
        ("/applicant/alamat", "Jalan\x0b\x07", "/applicant/alamat", "control_character"),
        ("/applicant/jenis_kelamin", "X", "/applicant/jenis_kelamin", "not_a_choice"),
        ("/applicant/tanggal_lahir", "1997-1-1", "/applicant/tanggal_lahir", "date_shape"),
        ("/applicant/tanggal_lahir", "1997-02-30", "/applicant/tanggal_lahir", "date_shape"),
        ("/applicant/tanggal_lahir", "1897-01-01", "/applicant/tanggal_lahir", "date_range"),
        ("/applicant/tanggal_lahir", "2026-11-20", "/applicant/tanggal_lahir", "born_in_the_future"),
        ("/applicant/telepon", "nol delapan", "/applicant/telepon", "phone_shape"),
        ("/applicant/email", "siti@contoh.id\nBcc: budi@contoh.id", "/applicant/email", "line_break"),
        *(("/applicant/email", text, "/applicant/email", "email_shape") for text in NO_ADDRESSES),
        ("/str/nomor", "?", "/str/nomor", "str_shape"),
        ("/str/masa_berlaku", "seumur hidup", "/str/masa_berlaku", "date_shape"),
        ("/str/masa_berlaku", "2026-11-20", "/str/masa_berlaku", "str_ended"),
        ("/practice/ke", 0, "/practice/ke", "too_small"),
        ("/practice/ke", 4, "/practice/ke", "too_big"),
        ("/practice/ke", 3, "/practice/ke", "place_limit"),
        ("/practice/ke", True, "/practice/ke", "wrong_type"),
        ("/practice/ke", 1.0, "/practice/ke", "wrong_type"),
        ("/practice/pimpinan/nip", "12", "/practice/pimpinan/nip", "nip_shape"),
        ("/attested", None, "/attested", "wrong_type"),
        ("/requirements", None, "/requirements", "wrong_type"),
        ("/photo", None, "/photo", "wrong_type"),
        ("/photo", "data:image/png", "/photo", "wrong_type"),
        ("/photo", {"media_type": "image/png"}, "/photo/data", "required"),
        ("/photo", photo(media_type="image/gif"), "/photo/media_type", "not_a_choice"),
        ("/photo", photo(media_type="image/jpeg"), "/photo/data", "photo_magic"),
        ("/photo", {"media_type": "image/png", "data": "iVBORw0KGgo"}, "/photo/data", "base64"),
        ("/photo", {"media_type": "image/png", "data": "iVBO Rw0K"}, "/photo/data", "base64"),
        ("/photo", {"media_type": "image/png", "data": "é"}, "/photo/data", "base64"),
        ("/photo", {"media_type": "image/png", "data": ""}, "/photo/data", "base64"),
        ("/photo", photo(PNG + bytes(2_000_000)), "/photo/data", "photo_too_large"),
        ("/1407014101970001", 1, "", "unknown_key"),
        ("/a~1b", 1, "", "unknown_key"),
    ],
)
def test_bad_input(pointer, value, where, code):
    found = faults(but(pointer, value))
    assert (where, code) in found
    assert not any("1407014101970001" in place for place, _ in found)


@pytest.mark.parametrize("body", [None, [], "", 1, True, 1.5, [{}]])
def test_not_even_an_object(body):
    assert faults(body) == {("", "wrong_type")}
    with pytest.raises(CaseInvalid):
        address(body)


def test_address():
    assert address(payload()) == ("contoh", "sip-perekam-medis")
    with pytest.raises(CaseInvalid) as caught:
        address({"office": 1})
    assert {f.pointer for f in caught.value.faults} == {"/office", "/type"}


@pytest.mark.parametrize(
    "text",
    [
        "{{7*7}}",
        "{0.__class__}",
        '#read("/etc/passwd")',
        "<script>alert(1)</script>",
        "%s%n",
        "$(id) \\input{x}",
        "Ma'ruf; DROP--",
    ],
)
def test_template_syntax_is_just_text(text):
    body = payload()
    for place in ("/applicant/nama", "/practice/alamat"):
        put(body, place, f"Siti {text}")
    assert accept(body).case.get("applicant.nama") == f"Siti {text}"


@pytest.mark.parametrize(
    ("pointer", "value", "warning"),
    [
        ("/applicant/tanggal_lahir", "1997-01-02", Fault("/applicant/tanggal_lahir", "nik_birth_date")),
        ("/applicant/jenis_kelamin", "L", Fault("/applicant/jenis_kelamin", "nik_sex")),
        ("/str/masa_berlaku", "2027-01-18", Fault("/str/masa_berlaku", "str_ends_soon", {"days": "59"})),
    ],
)
def test_warnings_do_not_stop_a_case(pointer, value, warning):
    assert accept(but(pointer, value)).warnings == (warning,)


def test_an_unusual_age_is_a_warning():
    body = but("/applicant/tanggal_lahir", "2009-11-21")
    assert "unusual_age" in {warning.code for warning in accept(body).warnings}


def test_sixty_days_of_str_are_enough():
    assert accept(but("/str/masa_berlaku", "2027-01-19")).warnings == ()


def test_attested_order_in_the_body_does_not_matter():
    body = payload()
    body["attested"].reverse()
    assert accept(body).case == accept(payload()).case


def test_the_applicant_need_not_be_named_in_his_own_row():
    body = payload()
    drop(body, "/attested/0/by")
    assert accept(body).case.attested[0].name is None


def test_without_the_exact_time_the_office_day_is_the_limit():
    with pytest.raises(CaseInvalid):
        parse_case(payload(complete_at="2026-11-21T00:00:00+07:00"), TYPE, today=TODAY)
    parse_case(payload(complete_at="2026-11-20T23:59:00+07:00"), TYPE, today=TODAY)


def test_photo_rules_of_the_type():
    required, without = replace(TYPE, photo=Photo("3x4", required=True)), replace(TYPE, photo=None)
    assert faults(payload(), required) == {("/photo", "required")}
    assert faults(payload(photo=photo()), without) == {("/photo", "photo_forbidden")}
    assert accept(payload(photo=photo()), required).case.photo.data == PNG
    accept(payload(), without)


def test_canonical_holds_the_photo_by_hash_only():
    case = accept(payload(photo=photo())).case
    assert json.loads(case.canonical())["photo"] == {"media_type": "image/png", "sha256": case.photo.sha256}


def test_restore_gives_back_the_same_case():
    body = payload(request_kind="PERPANJANGAN", replaces="503/001/2024", photo=photo())
    put(body, "/str/masa_berlaku", "2030-01-01")
    put(body, "/requirements/0/reference", "REF 1")
    case = accept(body).case
    again = restore(case.canonical(), TYPE, photo=PNG)
    assert again == case
    assert again.content_sha == case.content_sha


def test_secrets_stay_in_the_case():
    case = accept(payload(photo=photo())).case
    open_, public = json.dumps(case.without_secrets()), json.dumps(case.public())
    for secret in ("1407014101970001", case.photo.sha256, "Contoh Ahli Muda"):
        assert secret not in open_
    assert "Jalan Merdeka" in open_
    assert "Jalan Merdeka" not in public
    assert "Siti" in public
    assert "1407014101970001" not in repr(case)
    assert "Siti" not in repr(case)


def test_diff_names_what_changed():
    old = accept(payload()).case
    body = but("/applicant/nama", "Sinta Contoh")
    put(body, "/applicant/telepon", "081234567890")
    put(body, "/attested/2/at", "2026-11-19T05:00:00Z")
    assert diff(old, accept(body).case) == ("/applicant/nama", "/applicant/telepon", "/attested/2/at")
    assert diff(old, old) == ()


def test_faults_are_capped():
    body = payload() | {f"key_{chr(97 + i % 26)}{chr(97 + i // 26)}": 1 for i in range(500)}
    assert len(faults(copy.deepcopy(body))) == 100
