"""The RFC 3161 client against a real little TSA on localhost, honest and otherwise; and B-T end to end."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from asn1crypto import keys, tsp, x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

from signing import FirstThatAnswers, HttpTimestamper, TimestampFailed, inspect, prove, sign
from signing.tokenproof import prove_token
from tests.signing.world import HEAD, issue

DIGEST = hashlib.sha256(b"signature").digest()


@pytest.fixture(scope="module")
def authority(pkis):
    """A TSA that answers whatever it is asked, with the development PKI's own time-stamping certificate."""
    folder = pkis["rsa2048"].folder
    secret = (folder / "passphrase").read_bytes().strip()
    key, certificate, chain = pkcs12.load_key_and_certificates((folder / "tsa.p12").read_bytes(), secret)
    private = keys.PrivateKeyInfo.load(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
    store = SimpleCertificateStore()
    store.register_multiple(x509.Certificate.load(one.public_bytes(Encoding.DER)) for one in chain)
    return DummyTimeStamper(x509.Certificate.load(certificate.public_bytes(Encoding.DER)), private, store)


@contextlib.contextmanager
def serving(answer, status=200):
    """`answer` maps a request's bytes to a response's bytes."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            assert self.headers["Content-Type"] == "application/timestamp-query"
            body = answer(self.rfile.read(int(self.headers["Content-Length"])))
            with contextlib.suppress(OSError):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def honest(authority):
    def answer(body):
        return asyncio.run(authority.async_request_tsa_response(tsp.TimeStampReq.load(body))).dump()

    return answer


def refused(answer, status=200, timeout=5.0) -> str:
    with serving(answer, status) as url, pytest.raises(TimestampFailed) as caught:
        HttpTimestamper(url, timeout).token(DIGEST, "sha256")
    return caught.value.code


def test_an_honest_token_answers_our_request(authority):
    with serving(honest(authority)) as url:
        token = tsp.ContentInfo.load(HttpTimestamper(url).token(DIGEST, "sha256"))
    imprint = token["content"]["encap_content_info"]["content"].parsed["message_imprint"]
    assert imprint["hashed_message"].native == DIGEST


def test_b_t_end_to_end(authority, pkis):
    pki = pkis["rsa2048"]
    run = issue("head_only", pki)
    with serving(honest(authority)) as url:
        signed = sign(run.preview, pki.key("kepala"), run.flow.head_spec, timestamper=HttpTimestamper(url))
    assert signed.level == "B-T"
    assert prove(signed.pdf, dataclasses.replace(run.expected, level="B-T")).levels == ("B-T",)
    facts = inspect(signed.pdf, pki.trust).by_field(HEAD)
    assert facts.sound
    assert facts.trusted
    assert (facts.level, facts.timestamp_trusted) == ("B-T", True)
    assert facts.timestamp_at is not None


def test_document_timestamps_and_validation_data_count_as_updates(authority, pkis):
    """What long-term archiving appends (DSS, document time-stamp) leaves both signatures sound."""
    import io

    from pyhanko.sign.fields import InvisSigSettings
    from pyhanko.sign.signers import PdfTimeStamper
    from pyhanko.sign.validation import DocumentSecurityStore

    from tests.signing.world import writer, written

    pki = pkis["rsa2048"]
    run = issue("number_after", pki)
    update = writer(run.final)
    DocumentSecurityStore.supply_dss_in_writer(update, sig_contents=None, certs=authority.cert_registry)
    with_dss = written(update)
    found = inspect(with_dss, pki.trust)
    assert all(one.sound and one.trusted for one in found.signatures)
    assert (found.tail, found.has_dss, found.covers_whole_file) == ("updates", True, False)
    assert found.signatures[-1].modification == "lta"

    stamper = PdfTimeStamper(authority, "arsip_1", invis_settings=InvisSigSettings(box_out_of_bounds=True))
    stamped = stamper.timestamp_pdf(writer(with_dss), "sha256").getvalue()
    found = inspect(stamped, pki.trust)
    assert [one.kind for one in found.signatures] == ["signature", "signature", "timestamp"]
    assert all(one.sound and one.trusted for one in found.signatures)
    assert (found.tail, found.covers_whole_file) == ("nothing", True)
    assert io.BytesIO(stamped).read(len(run.final)) == run.final


def test_no_silent_downgrade(pki):
    run = issue("head_only", pki)
    with pytest.raises(TimestampFailed, match="tsa_unreachable"):
        sign(run.preview, pki.key("kepala"), run.flow.head_spec, timestamper=HttpTimestamper("http://127.0.0.1:9", 1))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"nonce": 7}, "tsa_token_wrong"),
        (
            {"message_imprint": {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": b"x" * 32}},
            "tsa_token_wrong",
        ),
        ({"message_imprint": {"hash_algorithm": {"algorithm": "sha512"}, "hashed_message": DIGEST}}, "tsa_token_wrong"),
    ],
)
def test_an_answer_to_another_question(authority, change, code):
    def answer(body):
        asked = tsp.TimeStampReq.load(body)
        for key, value in change.items():
            asked[key] = value
        return honest(authority)(asked.dump())

    assert refused(answer) == code


def test_refusals_and_nonsense():
    rejection = bytes.fromhex("30053003020102")  # PKIStatus 2, and no token: RFC 3161, 2.4.2
    without_token = bytes.fromhex("30053003020100")
    assert refused(lambda _: rejection) == "tsa_refused"
    assert refused(lambda _: without_token) == "tsa_token_wrong"
    assert refused(lambda _: b"<html>") == "tsa_token_wrong"
    assert refused(lambda _: b"") == "tsa_token_wrong"
    assert refused(lambda _: b"0" * 70_000) == "tsa_token_wrong"
    assert refused(lambda _: b"", status=503) == "tsa_refused"


def test_a_silent_authority_times_out():
    asked_no_more = threading.Event()
    try:
        assert refused(lambda _: asked_no_more.wait(60) and b"", timeout=0.2) == "tsa_unreachable"
    finally:
        asked_no_more.set()


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/", "tsa.example"])
def test_only_http(url):
    with pytest.raises(TimestampFailed):
        HttpTimestamper(url)


def test_the_second_authority_when_the_first_fails_or_lies(authority):
    def lies(body):
        asked = tsp.TimeStampReq.load(body)
        asked["nonce"] = 7
        return honest(authority)(asked.dump())

    with serving(honest(authority)) as good, serving(lies) as liar, serving(lambda _: b"", 503) as refusing:
        for bad in (liar, refusing, "http://127.0.0.1:9"):
            assert FirstThatAnswers((HttpTimestamper(bad, 1), HttpTimestamper(good))).token(DIGEST, "sha256")
        with pytest.raises(TimestampFailed, match="tsa_token_wrong"):
            FirstThatAnswers((HttpTimestamper(liar), HttpTimestamper(refusing))).token(DIGEST, "sha256")


def test_an_authority_that_is_down_costs_a_batch_one_wait(authority):
    class Down:
        asked = 0

        def token(self, digest, algorithm):
            self.asked += 1
            raise TimestampFailed("tsa_unreachable")

    down = Down()
    with serving(honest(authority)) as good:
        both = FirstThatAnswers((down, HttpTimestamper(good)))
        for _ in range(3):
            assert both.token(DIGEST, "sha256")
    assert down.asked == 1
    with pytest.raises(TimestampFailed, match="tsa_unreachable"):
        both.token(DIGEST, "sha256")
    assert down.asked == 2


def test_a_certificate_that_may_do_more_than_stamp_is_refused(pkis):
    """RFC 3161, 2.3: exactly this use, and critical."""
    from tests.signing.authorities import BEGIN, Authorities, Stamper

    world = Authorities()
    for holder in (world.signer("Kepala", kind="rsa2048"), world.tsa("TSA", begin=BEGIN.replace(year=2030))):
        token = Stamper(holder, lambda: BEGIN).token(DIGEST, "sha256")
        with pytest.raises(TimestampFailed, match="tsa_token_wrong"):
            prove_token(token)
    assert prove_token(Stamper(world.tsa("TSA"), lambda: BEGIN).token(DIGEST, "sha256"), (world.root.der,)).at == BEGIN


def test_with_anchors_only_their_authorities_are_believed(authority, pkis, impostor):
    ours = pkis["rsa2048"].anchor
    with serving(honest(authority)) as url:
        assert HttpTimestamper(url, anchors_der=(ours,)).token(DIGEST, "sha256")
        with pytest.raises(TimestampFailed, match="chain_incomplete"):
            HttpTimestamper(url, anchors_der=(impostor.anchor,)).token(DIGEST, "sha256")
