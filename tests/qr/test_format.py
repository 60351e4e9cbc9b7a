"""The fragment of an offline QR: what is written is read, and nothing else is (docs/QR.md)."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import date

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from service import qr
from service.codes import ALPHABET
from service.qr import Payload, QrInvalid

KEY = ec.derive_private_key(0x7E4E4, ec.SECP256R1())
PUBLIC = KEY.public_key()
CODE = "7K3M9QX2V5B8N4TD"
PAYLOAD = Payload(
    office="rokan-hulu",
    kid=qr.kid_of(PUBLIC),
    kind="SIPM",
    number="503.445/DPMPTSP-SIPM/XI/2026/001",
    holder="Putri Contoh Handayani, A.Md.",
    valid_from=date(2026, 11, 20),
    valid_to=date(2031, 11, 20),
)
BODY = qr.written(PAYLOAD)
codes = st.text(ALPHABET, min_size=16, max_size=16)
words = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=30)
days = st.dates(date(1970, 1, 1), date(2149, 6, 1))


@given(code=codes, name=words, number=words, kind=words, span=st.lists(days, min_size=2, max_size=2).map(sorted))
@settings(max_examples=200)
def test_what_is_signed_is_read(code, name, number, kind, span):
    said = replace(PAYLOAD, holder=name, number=number, kind=kind, valid_from=span[0], valid_to=span[1])
    fragment = qr.signed(code, said, KEY)
    assert qr.signed(code, said, KEY) == fragment  # the same each time: a retry draws the same modules
    if len(fragment) <= qr.LONGEST:
        assert qr.checked(code, fragment, PUBLIC) == said
        with pytest.raises(QrInvalid):
            qr.checked(code[1:] + ("1" if code[0] == "0" else "0"), fragment, PUBLIC)


def test_a_name_of_29_letters_takes_a_symbol_of_version_10_at_most():
    from signing.appearance import qr_modules

    url = f"HTTPS://IZIN.ROHUL.EXAMPLE/V/{CODE}#{qr.signed(CODE, PAYLOAD, KEY)}"
    assert (len(PAYLOAD.holder), len(qr_modules(url))) == (29, 57)


def test_any_changed_byte_is_refused():
    whole = base64.b32decode(_padded(qr.signed(CODE, PAYLOAD, KEY)))
    for at in range(len(whole)):
        for change in (1, 0x80, 0xFF):
            forged = whole[:at] + bytes([whole[at] ^ change]) + whole[at + 1 :]
            with pytest.raises(QrInvalid):
                qr.checked(CODE, base64.b32encode(forged).decode().rstrip("="), PUBLIC)


def _spelled(*members, **_):
    return cbor2.dumps(list(members))


MEMBERS = cbor2.loads(BODY)
NOT_CANONICAL = {
    "longer head": b"\x98\x08" + BODY[1:],
    "indefinite": b"\x9f" + BODY[1:] + b"\xff",
    "longer integer": BODY.replace(b"\x88\x01", b"\x88\x18\x01", 1),
    "longer text head": BODY.replace(b"\x64SIPM", b"\x78\x04SIPM", 1),
    "tagged": b"\xc0" + BODY,
    "something behind": BODY + b"\x00",
    "cut": BODY[:-1],
    "empty": b"",
    "a map": cbor2.dumps({"v": 1}),
    "another version": _spelled(2, *MEMBERS[1:]),
    "one member more": _spelled(*MEMBERS, 0),
    "one member less": _spelled(*MEMBERS[:-1]),
    "truth for one": _spelled(True, *MEMBERS[1:]),
    "text for bytes": _spelled(*MEMBERS[:2], "abcd", *MEMBERS[3:]),
    "short key id": _spelled(*MEMBERS[:2], b"abc", *MEMBERS[3:]),
    "empty number": _spelled(*MEMBERS[:4], "", *MEMBERS[5:]),
    "line break": _spelled(*MEMBERS[:5], "A\nB", *MEMBERS[6:]),
    "turned text": _spelled(*MEMBERS[:5], "A\u202eB", *MEMBERS[6:]),
    "ends before it begins": _spelled(*MEMBERS[:6], MEMBERS[7], MEMBERS[6]),
    "before 1970": _spelled(*MEMBERS[:6], -1, MEMBERS[7]),
    "far day": _spelled(*MEMBERS[:7], 0x10000),
    "no utf-8": BODY.replace(b"Putri", b"Putr\xff", 1),
}


@pytest.mark.parametrize("body", NOT_CANONICAL.values(), ids=NOT_CANONICAL)
def test_another_spelling_is_nothing_though_it_be_signed(body):
    signature = qr._sign(KEY, b"teken/qr/1\n" + qr.code_bits(CODE) + body)
    with pytest.raises(QrInvalid):
        qr.checked(CODE, base64.b32encode(body + signature).decode().rstrip("="), PUBLIC)


@pytest.mark.parametrize("fragment", ["", "A", "0189", "a" * 100, "A" * 401, "AAAA====", "Ä" * 40, "A" * 100])
def test_what_is_no_fragment_is_refused(fragment):
    with pytest.raises(QrInvalid):
        qr.checked(CODE, fragment, PUBLIC)


def test_stray_bits_behind_the_last_letter_are_refused():
    fragment = qr.signed(CODE, replace(PAYLOAD, holder="Putri Contoh Handayani, A.Md.K"), KEY)
    assert len(fragment) % 8, "this one has spare bits"
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    other = fragment[:-1] + letters[letters.index(fragment[-1]) ^ 1]
    with pytest.raises(QrInvalid):
        qr.checked(CODE, other, PUBLIC)


def test_a_signature_of_another_kind_or_key_is_refused():
    body = BODY + qr.signed_list(BODY, KEY)
    with pytest.raises(QrInvalid):
        qr.checked(CODE, base64.b32encode(body).decode().rstrip("="), PUBLIC)
    stranger = ec.derive_private_key(5, ec.SECP256R1())
    with pytest.raises(QrInvalid):
        qr.checked(CODE, qr.signed(CODE, PAYLOAD, stranger), PUBLIC)
    with pytest.raises(QrInvalid):  # signed with its key, but naming another
        qr.checked(CODE, qr.signed(CODE, PAYLOAD, stranger), stranger.public_key())


@given(st.text(max_size=120))
def test_a_shortened_name_fits_and_says_that_it_was_cut(name):
    short = qr.short(name)
    assert len(short.encode()) <= qr.NAME_BYTES
    assert qr.short(short) == short
    assert short == name or short.endswith("…") or len(name) >= len(short)


def test_an_id_in_a_list_says_nothing_of_its_code():
    assert len(qr.list_id(CODE)) == 8
    assert qr.list_id(CODE) == qr.list_id("7k3m-9qx2-v5b8-n4td")
    assert qr.list_id(CODE) != qr.list_id(CODE[:-1] + "E")


def test_a_key_is_published_as_its_coordinates():
    assert qr.public_key(*qr.coordinates(PUBLIC)) == PUBLIC
    with pytest.raises(QrInvalid):
        qr.public_key(qr.coordinates(PUBLIC)[0], qr.coordinates(PUBLIC)[0])


def _padded(fragment: str) -> str:
    return fragment + "=" * (-len(fragment) % 8)
