"""The service's openers for keys that are not files: the enrolled certificate decides, whatever is behind it."""

from __future__ import annotations

import dataclasses
import os
import re
from pathlib import Path

import pytest

from service.host import Bsre, Csc, SigningHost, Token
from service.keys import KeyDiffers, KeyMissing, KeyRing, give_up
from service.openers import OfficeKeys, at_bsre, at_csc, in_token
from service.problems import problem_texts
from service.sop.model import SigningChoice
from signing import Institution, KeyUnusable, Passphrase, Signer, backends, returned, samecontent
from signing.backends import token
from signing.errors import ADVICE
from tests.signing.cscserver import CREDENTIAL, TOKEN, csc_server
from tests.signing.cscserver import PIN as CSC_PIN
from tests.signing.softhsm import LABEL, MODULE, PIN

OWNER = "p256-kepala"  # without an office, the label is the owner


@pytest.fixture
def tokens(softhsm, pkis, tmp_path, monkeypatch):
    monkeypatch.setitem(os.environ, "SOFTHSM2_CONF", softhsm.environment["SOFTHSM2_CONF"])
    folder = pkis["p256"].folder
    chain = (folder / "kepala.cert.pem").read_bytes() + (folder / "issuing.pem").read_bytes()
    (tmp_path / f"{OWNER}.cert.pem").write_bytes(chain)
    for left_open in token._OPEN.values():  # by other tests of this process, which share the token
        left_open.close()
        left_open._users = 0
    return Token(MODULE, LABEL, tmp_path, tmp_path)


def test_a_token_opens_with_a_typed_pin_or_a_file(tokens, pki):
    enrolled = pki.key("kepala")
    with pytest.raises(KeyMissing):
        in_token(tokens, OWNER, enrolled.certificate_sha256, None)
    (tokens.pins / f"{OWNER}.pin").write_bytes(PIN + b"\n")
    typed = bytearray(PIN)
    opened = in_token(tokens, OWNER, enrolled.certificate_sha256, typed)
    typed[:] = bytes(len(typed))  # as the caller wipes it
    again = in_token(tokens, OWNER, enrolled.certificate_sha256, None)
    for key in (opened, again):
        assert key.sign_attributes(b"1")
        assert key.chain_der == enrolled.chain_der
    give_up(opened)
    assert again.sign_attributes(b"1"), "the token is still lent"
    give_up(again)
    with pytest.raises(KeyUnusable, match="pin_needed"):
        again.sign_attributes(b"1")


def test_a_token_that_holds_another_key_than_enrolled(tokens, pki):
    with pytest.raises(KeyDiffers):
        in_token(tokens, OWNER, pki.key("segel").certificate_sha256, bytearray(PIN))
    with pytest.raises(KeyMissing):
        in_token(tokens, "nobody", "", bytearray(PIN))


def test_a_remote_key(pki, tmp_path):
    enrolled = pki.key("kepala").certificate_sha256
    (tmp_path / "token").write_text(TOKEN)
    with csc_server(pki) as server:
        service = Csc(server.url, {"rohil/kadis": CREDENTIAL}, tmp_path / "token")
        assert at_csc(service, "rohil/kadis", enrolled, bytearray(CSC_PIN.encode())).sign_attributes(b"1")
        with pytest.raises(KeyUnusable, match="passphrase_wrong"):
            at_csc(service, "rohil/kadis", enrolled, bytearray(b"0")).sign_attributes(b"1")
        with pytest.raises(KeyDiffers):
            at_csc(service, "rohil/kadis", pki.key("segel").certificate_sha256, None)
        with pytest.raises(KeyMissing):
            at_csc(service, "rohil/lain", enrolled, None)
    assert TOKEN not in repr(service)


def test_bsre_for_a_person_or_a_seal(tmp_path):
    (tmp_path / "sandi").write_text("sandi")
    accounts = {"rohil/kadis": "0000907391846205", "rohil/sekdis": "sekdis@dinas.example"}
    service = Bsre("https://bsre.example", "contoh", tmp_path / "sandi", accounts, {"rohil": "segel-contoh"})
    typed = bytearray(b"frasa")
    courier = at_bsre(service, "rohil/kadis", "ab", typed)
    typed[:] = bytes(len(typed))
    assert courier.client.who == Signer(nik="0000907391846205")
    assert courier.secret() == Passphrase("frasa")
    give_up(courier)
    with pytest.raises(KeyUnusable, match="pin_needed"):
        courier.secret()
    assert at_bsre(service, "rohil/sekdis", "ab", bytearray(b"x")).client.who == Signer(email="sekdis@dinas.example")
    assert at_bsre(service, "rohil/segel", "ab", None).client.who == Institution("segel-contoh")
    for owner, secret in (("rohil/kadis", None), ("rohil/lain", bytearray(b"x")), ("malang/segel", None)):
        with pytest.raises(KeyMissing):
            at_bsre(service, owner, "ab", secret)
    assert "0000907391846205" not in repr(service) + repr(courier)


def test_the_office_says_where_a_key_is(tmp_path):
    from tests.support.office import OFFICES

    office = OFFICES.offices["rokan-hulu"]
    for head, seal in (("pkcs11", "csc"), ("bsre", "pkcs11"), ("csc", "bsre")):
        chosen = dataclasses.replace(office, signing=SigningChoice(head, "strict", seal))
        keys = OfficeKeys(KeyRing(tmp_path, tmp_path / "x", tmp_path / "y"), SigningHost(), {office.code: chosen})
        for owner in (f"{office.code}/kadis", f"{office.code}/segel", "lain/kadis"):
            with pytest.raises(KeyMissing):
                keys.open_with(owner, "ab", bytearray(b"x"))
            with pytest.raises(KeyMissing):
                keys.key(owner, "ab")


def test_whatever_stops_a_signer_is_told_in_words():
    sources = [*Path(backends.__file__).parent.glob("*.py"), Path(returned.__file__), Path(samecontent.__file__)]
    named = {word for file in sources for word in re.findall(r'"([a-z_]+)"', file.read_text())} & ADVICE.keys()
    assert {"pin_wrong", "outcome_unknown", "returned_content"} < named
    assert not named - problem_texts().keys()
