"""Revocation over HTTP: what counts as an answer, what does not, who is asked how often; with a real CA's answers (certomancer)."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from signing import (
    Evidence,
    EvidenceFailed,
    HttpTimestamper,
    OnlineRevocation,
    TimestampFailed,
    chain_to_anchor,
    collect,
)
from signing.fetching import Caps
from signing.revocationproof import prove_crl
from tests.signing.authorities import BEGIN, YEAR, Authorities, Holder, points


@dataclass
class Site:
    """A web server whose answers are functions of the request's body; it counts what it is asked."""

    pages: dict[str, object] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def site():
    place = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            place.asked.append(self.path)
            answer = place.pages.get(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            content = answer(body) if callable(answer) else answer
            with contextlib.suppress(OSError):
                if isinstance(content, str):
                    self.send_response(302)
                    self.send_header("Location", content)
                    self.end_headers()
                    return
                self.send_response(200 if content is not None else 404)
                self.end_headers()
                for at in range(0, len(content or b""), 65536):
                    self.wfile.write(content[at : at + 65536])

        do_POST = do_GET  # noqa: N815  # the base class's name

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    place.url = f"http://127.0.0.1:{server.server_port}"
    yield place
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def world():
    return Authorities()


def asked(world: Authorities, holder: Holder, source: OnlineRevocation, at: datetime = BEGIN, used=None) -> Evidence:
    return source.evidence(holder.certificate, world.issuing.certificate, at, used or at)


def refused(world, holder, source, at=BEGIN) -> str:
    with pytest.raises(EvidenceFailed) as caught:
        asked(world, holder, source, at)
    assert caught.value.advice
    return caught.value.code


def given(*crls: bytes, ocsps: tuple[bytes, ...] = ()) -> OnlineRevocation:
    return OnlineRevocation(given=Evidence(crls_der=crls, ocsps_der=ocsps))


def test_a_chain_ends_at_a_given_anchor_and_nowhere_else(world):
    head = world.signer("Kepala")
    chain = chain_to_anchor(head.der, [world.issuing.der], [world.root.der], BEGIN)
    assert [one.subject for one in chain] == [one.certificate.subject for one in (head, world.issuing, world.root)]
    impostor = Authorities()
    for pool, anchors, at in (
        ([], [world.root.der], BEGIN),
        ([world.issuing.der], [impostor.root.der], BEGIN),
        ([impostor.issuing.der], [world.root.der], BEGIN),
        ([world.issuing.der], [world.root.der], BEGIN + 40 * YEAR),
        ([head.der], [head.der], BEGIN),
    ):
        with pytest.raises(EvidenceFailed, match="chain_incomplete"):
            chain_to_anchor(head.der, pool, anchors, at)
    with pytest.raises(EvidenceFailed, match="chain_incomplete"):
        chain_to_anchor(b"no certificate", [], [world.root.der])


def test_a_whole_chain_is_collected(world):
    chain = chain_to_anchor(world.signer("Kepala").der, [world.issuing.der], [world.root.der])
    found = collect(chain, given(*world.crls(BEGIN)), BEGIN)
    assert len(found.certificates_der) == 3
    assert len(found.crls_der) == 2


def test_what_is_no_answer(world):
    head, other = world.signer("Kepala", extra=points("http://127.0.0.1:9/")), Authorities()
    fresh = world.crl(world.issuing, BEGIN)
    idp = x509.IssuingDistributionPoint

    def point(**more):
        base = dict.fromkeys(("full_name", "relative_name", "only_some_reasons"))
        base |= dict.fromkeys(
            ("only_contains_user_certs", "only_contains_ca_certs", "indirect_crl", "only_contains_attribute_certs"),
            False,
        )
        return ((idp(**(base | more)), True),)

    elsewhere = [x509.UniformResourceIdentifier("http://other/")]
    for der, at in (
        (fresh, BEGIN + timedelta(days=8)),
        (fresh, BEGIN - timedelta(days=1)),
        (world.crl(world.root, BEGIN), BEGIN),
        (world.crl(world.issuing, BEGIN, key=other.issuing.key), BEGIN),
        (world.crl(world.issuing, BEGIN, extra=((x509.DeltaCRLIndicator(1), True),)), BEGIN),
        (world.crl(world.issuing, BEGIN, extra=point(only_contains_ca_certs=True)), BEGIN),
        (world.crl(world.issuing, BEGIN, extra=point(indirect_crl=True)), BEGIN),
        (world.crl(world.issuing, BEGIN, extra=point(full_name=elsewhere)), BEGIN),
        (b"<html>", BEGIN),
    ):
        with pytest.raises(EvidenceFailed, match="revocation_wrong"):
            prove_crl(der, head.certificate, world.issuing.certificate, at, at)
    assert asked(
        world, head, given(world.crl(world.issuing, BEGIN, extra=point(only_contains_user_certs=True)))
    ).crls_der


def test_ocsp_answers(world):
    head, other = world.signer("Kepala"), world.signer("Orang Lain")
    signs = [ExtendedKeyUsageOID.OCSP_SIGNING]
    responder = world.signer("OCSP", usage=("digital_signature",), extended=signs, extra=(x509.OCSPNoCheck(),))
    checked = world.signer("OCSP 2", usage=("digital_signature",), extended=signs)
    stranger = Authorities().signer("OCSP", usage=("digital_signature",), extended=signs, extra=(x509.OCSPNoCheck(),))
    good = world.ocsp(head, BEGIN)
    assert asked(world, head, given(ocsps=(good,))).ocsps_der == (good,)
    assert asked(world, head, given(ocsps=(world.ocsp(head, BEGIN, responder),)))
    needs_list = world.ocsp(head, BEGIN, checked)
    assert refused(world, head, given(ocsps=(needs_list,))) == "revocation_no_source"
    found = asked(world, head, given(world.crl(world.issuing, BEGIN), ocsps=(needs_list,)))
    assert (found.ocsps_der, len(found.crls_der)) == ((needs_list,), 1)
    for der, at in (
        (good, BEGIN + timedelta(days=2)),
        (world.ocsp(other, BEGIN), BEGIN),
        (world.ocsp(head, BEGIN, stranger), BEGIN),
        (world.ocsp(head, BEGIN, other), BEGIN),
        (b"\x30\x03\x0a\x01\x06", BEGIN),
    ):
        assert refused(world, head, given(ocsps=(der,)), at) == "revocation_wrong"


def test_revoked_means_revoked_when_it_was_used():
    world = Authorities()
    head = world.signer("Kepala")
    world.revoke(head, BEGIN)
    for source in (given(world.crl(world.issuing, BEGIN)), given(ocsps=(world.ocsp(head, BEGIN),))):
        assert refused(world, head, source) == "certificate_revoked"
        assert asked(world, head, source, used=BEGIN - timedelta(hours=1))


def test_addresses_in_the_certificate_ocsp_first(site):
    world = Authorities()
    head = world.signer("Kepala", extra=points(f"{site.url}/crl", f"{site.url}/ocsp"))
    site.pages = {
        "/crl": world.crl(world.issuing, BEGIN),
        "/ocsp": lambda body: world.ocsp(head, BEGIN) if body else None,
    }
    source = OnlineRevocation()
    assert source.has_source(head.certificate)
    assert asked(world, head, source).ocsps_der
    assert site.asked == ["/ocsp"]
    site.pages["/ocsp"] = b"<html>"
    assert asked(world, head, OnlineRevocation()).crls_der
    assert site.asked == ["/ocsp", "/ocsp", "/crl"]


def test_an_address_that_is_configured_serves_certificates_that_name_none(site):
    world = Authorities()
    site.pages = {"/crl": world.crl(world.issuing, BEGIN)}
    head = world.signer("Kepala")
    assert refused(world, head, OnlineRevocation()) == "revocation_no_source"
    assert not OnlineRevocation().has_source(head.certificate)
    assert asked(world, head, OnlineRevocation((f"{site.url}/crl",))).crls_der


def test_a_batch_asks_once_and_again_when_it_is_no_longer_fresh(site):
    world = Authorities()
    source = OnlineRevocation((f"{site.url}/crl",))
    site.pages = {"/crl": world.crl(world.issuing, BEGIN, days=1)}
    for _ in range(50):
        asked(world, world.signer("Kepala"), source)
    assert len(site.asked) == 1
    asked(world, world.signer("Kepala"), source, BEGIN + timedelta(minutes=61))
    assert len(site.asked) == 2
    source = OnlineRevocation((f"{site.url}/crl",))
    ends = BEGIN + timedelta(days=1)
    asked(world, world.signer("Kepala"), source, ends - timedelta(minutes=5))
    site.pages["/crl"] = world.crl(world.issuing, ends, days=1)
    assert asked(world, world.signer("Kepala"), source, ends + timedelta(minutes=5)).crls_der


def test_who_is_down_is_asked_again_after_a_minute(site):
    world = Authorities()
    source = OnlineRevocation((f"{site.url}/crl",))
    for _ in range(20):
        assert refused(world, world.signer("Kepala"), source) == "revocation_unreachable"
    assert len(site.asked) == 1
    site.pages = {"/crl": world.crl(world.issuing, BEGIN)}
    assert asked(world, world.signer("Kepala"), source, BEGIN + timedelta(seconds=61)).crls_der


def test_caps_on_size_and_time(site):
    world = Authorities()
    head = world.signer("Kepala")

    over = threading.Event()
    site.pages = {"/large": b"\x30" * 200_000, "/slow": lambda _: over.wait(60) and b"x"}
    large, slow = Caps(seconds=60, size=100_000), Caps(seconds=0.3, size=100_000)
    assert refused(world, head, OnlineRevocation((f"{site.url}/large",), crl_caps=large)) == "revocation_wrong"
    try:
        source = OnlineRevocation((f"{site.url}/slow",), crl_caps=slow)
        assert refused(world, head, source) == "revocation_unreachable"
    finally:
        over.set()


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/crl", "data:,x"])
def test_no_way_leads_off_the_web(site, target):
    world = Authorities()
    site.pages = {"/crl": target}
    assert refused(world, world.signer("K"), OnlineRevocation((f"{site.url}/crl",))) == "revocation_unreachable"
    assert refused(world, world.signer("K"), OnlineRevocation((target,))) == "revocation_unreachable"
    assert len(site.asked) == 1


CERTOMANCER = """
external-url-prefix: "{base}"
keysets:
  office:
    path-prefix: {folder}
    keys:
      root: {{path: root.pem}}
      issuing: {{path: issuing.pem}}
      ocsp: {{path: ocsp.pem}}
      tsa: {{path: tsa.pem}}
      kepala: {{path: kepala.pem}}
      mantan: {{path: mantan.pem}}
pki-architectures:
  office:
    keyset: office
    entity-defaults: {{country-name: ID, organization-name: CONTOH}}
    entities:
      root: {{common-name: Root}}
      issuing: {{common-name: Penerbit}}
      ocsp: {{common-name: OCSP}}
      tsa: {{common-name: TSA}}
      kepala: {{common-name: Kepala}}
      mantan: {{common-name: Mantan}}
    certs:
      root:
        subject: root
        issuer: root
        validity: &long {{valid-from: "2020-01-01T00:00:00+0000", valid-to: "2060-01-01T00:00:00+0000"}}
        profiles: [{{id: simple-ca, params: {{crl-repo: root}}}}]
      issuing:
        subject: issuing
        issuer: root
        validity: *long
        profiles: [{{id: simple-ca, params: {{crl-repo: issuing}}}}]
      ocsp:
        subject: ocsp
        issuer: issuing
        validity: *long
        profiles: [ocsp-responder]
      tsa:
        subject: tsa
        issuer: issuing
        validity: *long
        extensions:
          - {{id: extended_key_usage, critical: true, value: [time_stamping]}}
      kepala: &signer
        subject: kepala
        issuer: issuing
        validity: *long
        extensions:
          - {{id: key_usage, critical: true, smart-value: {{schema: key-usage, params: [digital_signature]}}}}
          - {{id: authority_information_access, smart-value: {{schema: aia-urls, params: {{ocsp-responder-names: [office]}}}}}}
      mantan:
        <<: *signer
        subject: mantan
        revocation: {{revoked-since: "2021-01-01T00:00:00+0000", reason: key_compromise}}
    services:
      ocsp:
        office: {{for-issuer: issuing, responder-cert: ocsp}}
      crl-repo:
        root: {{for-issuer: root, simulated-update-schedule: P30D}}
        issuing: {{for-issuer: issuing, simulated-update-schedule: P30D}}
      time-stamping:
        tsa: {{signing-cert: tsa}}
"""


@pytest.fixture(scope="module")
def certomancer(tmp_path_factory):
    """A CA, its CRLs, OCSP responder and TSA as another project made them, over HTTP: (base URL, its certificates)."""
    import yaml
    from certomancer.integrations.animator import Animator, AnimatorArchStore
    from certomancer.registry import CertomancerConfig
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    from werkzeug.serving import make_server

    folder, served = tmp_path_factory.mktemp("certomancer"), []
    server = make_server("127.0.0.1", 0, lambda environ, start: served[0](environ, start), threaded=True)
    port = server.server_port
    for name in ("root", "issuing", "ocsp", "tsa", "kepala", "mantan"):
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / f"{name}.pem").write_bytes(pem)
    text = CERTOMANCER.format(base=f"http://127.0.0.1:{port}", folder=folder)
    config = CertomancerConfig(yaml.safe_load(text), str(folder))
    whole = datetime.now(UTC).replace(microsecond=0)  # it would write fractions of seconds, which RFC 5280 forbids
    app = Animator(AnimatorArchStore(config.pki_archs), at_time=whole, with_web_ui=False, allow_time_override=False)
    served.append(app)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    arch = next(iter(config.pki_archs.values()))
    yield f"http://127.0.0.1:{port}/office", lambda name: arch.get_cert(name).dump()
    server.shutdown()
    thread.join()


def test_the_answers_of_another_projects_ca(certomancer):
    _, certificate = certomancer
    now = datetime.now(UTC)
    source = OnlineRevocation()
    chain = chain_to_anchor(certificate("kepala"), [certificate("issuing")], [certificate("root")], now)
    found = collect(chain, source, now)
    assert (len(found.ocsps_der), len(found.crls_der)) == (1, 1)
    chain = chain_to_anchor(certificate("mantan"), [certificate("issuing")], [certificate("root")], now)
    with pytest.raises(EvidenceFailed, match="certificate_revoked"):
        collect(chain, source, now)
    tsa = chain_to_anchor(certificate("tsa"), [certificate("issuing")], [certificate("root")], now)
    assert len(collect(tsa, source, now).crls_der) == 2


def test_a_time_stamp_of_another_projects_authority(certomancer):
    base, certificate = certomancer
    url, digest = f"{base}/tsa/tsa", bytes(32)
    anchors = (certificate("root"),)
    assert HttpTimestamper(url, anchors_der=anchors, others_der=(certificate("issuing"),)).token(digest, "sha256")
    stranger = Authorities()
    with pytest.raises(TimestampFailed, match="tsa_token_wrong"):
        HttpTimestamper(url, anchors_der=(stranger.root.der,)).token(digest, "sha256")
