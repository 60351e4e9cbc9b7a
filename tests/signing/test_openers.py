"""The service's openers for keys that are not files: the enrolled certificate decides, whatever is behind it."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from service.keys import KeyDiffers, KeyMissing
from service.openers import RemoteKeys, TokenKeys, open_bsre
from service.problems import problem_texts
from signing import Institution, KeyUnusable, Signer, Wire, backends, returned, samecontent
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
    return TokenKeys(MODULE, LABEL, tmp_path, tmp_path / "pin")


def test_a_token_opens_with_a_typed_pin_or_a_file(tokens, pki):
    enrolled = pki.key("kepala")
    with pytest.raises(KeyMissing):
        tokens.key(OWNER, enrolled.certificate_sha256)
    tokens.pin.write_bytes(PIN + b"\n")
    typed = bytearray(PIN)
    opened = tokens.open_with(OWNER, enrolled.certificate_sha256, typed)
    typed[:] = bytes(len(typed))  # as the caller wipes it
    for key in (opened, tokens.key(OWNER, enrolled.certificate_sha256)):
        assert key.sign_attributes(b"1")
        assert key.chain_der == enrolled.chain_der


def test_a_token_that_holds_another_key_than_enrolled(tokens, pki):
    with pytest.raises(KeyDiffers):
        tokens.open_with(OWNER, pki.key("segel").certificate_sha256, bytearray(PIN))
    with pytest.raises(KeyMissing):
        tokens.open_with("nobody", "", bytearray(PIN))


def test_a_remote_key(pki):
    enrolled = pki.key("kepala").certificate_sha256
    with csc_server(pki) as server:
        keys = RemoteKeys(server.url, {"rohil/kadis": CREDENTIAL}, TOKEN)
        assert keys.open_with("rohil/kadis", enrolled, bytearray(CSC_PIN.encode())).sign_attributes(b"1")
        with pytest.raises(KeyUnusable, match="passphrase_wrong"):
            keys.open_with("rohil/kadis", enrolled, bytearray(b"0")).sign_attributes(b"1")
        with pytest.raises(KeyDiffers):
            keys.open_with("rohil/kadis", pki.key("segel").certificate_sha256, None)
        with pytest.raises(KeyMissing):
            keys.open_with("rohil/lain", enrolled, None)
    assert TOKEN not in repr(keys)


def test_bsre_for_a_person_or_a_seal():
    wire = Wire("https://bsre.example", "contoh", "sandi")
    assert open_bsre(wire, nik="0000000000000001").who == Signer(nik="0000000000000001")
    assert open_bsre(wire, subscription="segel-contoh").who == Institution("segel-contoh")
    with pytest.raises(KeyUnusable):
        open_bsre(wire)


def test_whatever_stops_a_signer_is_told_in_words():
    sources = [*Path(backends.__file__).parent.glob("*.py"), Path(returned.__file__), Path(samecontent.__file__)]
    named = {word for file in sources for word in re.findall(r'"([a-z_]+)"', file.read_text())} & ADVICE.keys()
    assert {"pin_wrong", "outcome_unknown", "returned_content"} < named
    assert not named - problem_texts().keys()
