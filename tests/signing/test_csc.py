"""CSC remote signing against a small server on loopback: one authorisation for many, and nothing that waits for ever."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

import pytest

from signing import (
    BatchBackend,
    CscSecret,
    CscService,
    Expectation,
    ExpectedSignature,
    Paper,
    SignatureSpec,
    Signed,
    SigningError,
    open_csc,
    prove,
    sign_together,
)
from tests.signing.cscserver import CREDENTIAL, MOST, OTP, PIN, TOKEN, csc_server
from tests.signing.world import FLOWS, HEAD, prepared

AUTHORIZE, SIGN = "credentials/authorize", "signatures/signHash"


@pytest.fixture
def serve(pki):
    with ExitStack() as stack:
        yield lambda *traits: stack.enter_context(csc_server(pki, *traits))


def key(server, *, seconds=10.0, pin=PIN, otp=None):
    return open_csc(CscService(server.url, CREDENTIAL, TOKEN, seconds), CscSecret(pin, otp))


def code(work, *given) -> str:
    with pytest.raises(SigningError) as caught:
        work(*given)
    assert PIN not in str(caught.value)
    return caught.value.code


def papers(count):
    flow = FLOWS["head_only"]
    return [Paper(prepared(flow.fields, f"Pemegang {number}"), flow.head_spec) for number in range(count)]


def test_one_authorisation_for_many_documents(serve):
    server = serve()
    remote, batch = key(server), papers(5)
    assert isinstance(remote, BatchBackend)
    for paper, signed in zip(batch, sign_together(batch, remote), strict=True):
        expected = ExpectedSignature.by(remote, HEAD, certify=True, permission=1)
        prove(signed.pdf, Expectation(preview=paper.pdf, signatures=(expected,)))
    assert server.calls == ["credentials/info", AUTHORIZE, SIGN]


def test_a_paper_that_cannot_be_composed_fails_alone(serve, pki):
    good = papers(2)
    odd = Paper(good[0].pdf, SignatureSpec("no_such_field", "", ""))
    for local_or_remote in (key(serve()), pki.key("kepala")):
        results = sign_together([good[0], odd, good[1]], local_or_remote)
        assert [type(one).__name__ for one in results] == ["Signed", "SigningFailed", "Signed"]
        assert results[1].code == "field_missing"
        assert isinstance(results[2], Signed)
    assert sign_together([odd], key(serve()))[0].code == "field_missing"


def test_a_hash_that_was_not_authorised_is_refused(serve):
    assert code(key(serve("forgets")).sign_many, [b"1", b"2"]) == "hash_refused"


def test_a_signature_over_something_else_is_refused(serve):
    assert code(key(serve("scrambles")).sign_attributes, b"1") == "signature_wrong"


def test_an_answer_with_one_signature_less(serve):
    assert code(key(serve("loses_one")).sign_many, [b"1", b"2"]) == "backend_failed"


def test_nothing_waits_for_ever(serve):
    """The service is silent until the test ends."""
    server = serve("mute")
    remote = replace(key(server), _service=CscService(server.url, CREDENTIAL, TOKEN, 2.0))
    assert code(remote.sign_many, [b"1", b"2", b"3"]) == "backend_failed"
    assert not server.silence.is_set()


def test_a_wrong_pin_is_sent_once(serve):
    server = serve()
    remote = key(server, pin="1111")
    assert [code(remote.sign_attributes, b"1") for _ in range(3)] == ["passphrase_wrong"] * 3
    assert server.calls.count(AUTHORIZE) == 1


def test_a_one_time_code(serve):
    server = serve("otp")
    assert key(server, otp=OTP).sign_many([b"1", b"2"])
    assert code(key(server, otp="000000").sign_attributes, b"1") == "totp_wrong"


def test_more_than_the_credential_allows_is_not_begun(serve):
    server = serve()
    assert code(key(server).sign_many, [b"1"] * (MOST + 1)) == "spec_invalid"
    assert AUTHORIZE not in server.calls


def test_what_is_refused_at_opening(serve):
    server = serve()
    assert code(open_csc, CscService(server.url, "nobody", TOKEN), CscSecret(PIN)) == "service_refused"
    assert code(open_csc, CscService(server.url, CREDENTIAL, "stolen"), CscSecret(PIN)) == "service_refused"
    assert code(open_csc, CscService("http://127.0.0.1:9", CREDENTIAL, TOKEN), CscSecret(PIN)) == "service_unreachable"
    assert code(CscService, "http://csc.example", CREDENTIAL) == "service_insecure"
    assert code(key, serve("disabled")) == "account_inactive"


def test_a_forgotten_secret_authorises_nothing(serve):
    server = serve()
    remote = key(server)
    assert remote.sign_attributes(b"1")
    assert PIN not in repr(remote).replace(remote.certificate_sha256, "")  # 64 random digits may hold any four
    assert TOKEN not in repr(remote)
    remote.forget()
    assert code(remote.sign_attributes, b"2") == "pin_needed"
    assert server.calls.count(AUTHORIZE) == 1
