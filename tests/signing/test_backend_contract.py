"""What every signing back-end promises, run against all of them; also against one that lives in memory only."""

from __future__ import annotations

import hashlib
import itertools
import os
import re
from datetime import UTC, datetime, timedelta

import pytest
from asn1crypto import parser
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from signing import (
    Backend,
    Capabilities,
    CscSecret,
    CscService,
    Expectation,
    ExpectedSignature,
    SignatureSpec,
    SigningFailed,
    lacks,
    open_csc,
    open_pkcs11,
    prove,
    sign,
)
from tests.signing.cscserver import CREDENTIAL, TOKEN, csc_server
from tests.signing.cscserver import PIN as CSC_PIN
from tests.signing.softhsm import LABEL, MODULE, PIN
from tests.signing.world import FLOWS, HEAD, prepared


class MemoryBackend:
    """A key that was born in this process and dies with it."""

    digest = "sha256"
    chain_der = ()
    capabilities = Capabilities(
        prepared_field=True, certify=True, vector_appearance=True, seal_last=True, batch=True, look_up=False
    )

    def __init__(self):
        self._key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Memory (CONTOH)")])
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(self._key.public_key())
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
        certificate = builder.not_valid_after(now + timedelta(days=1)).sign(self._key, hashes.SHA256())
        self.certificate_der = certificate.public_bytes(Encoding.DER)
        self.certificate_sha256 = hashlib.sha256(self.certificate_der).hexdigest()

    def sign_attributes(self, attributes):
        return self._key.sign(attributes, ec.ECDSA(hashes.SHA256()))


def token_key(softhsm, pkis, key):
    """Open a key in the token: the only login of this process, and never a wrong one."""
    os.environ["SOFTHSM2_CONF"] = softhsm.environment["SOFTHSM2_CONF"]
    name = f"{key}-kepala"
    chain = pkis[key].key("kepala").chain_der
    return open_pkcs11(MODULE, LABEL, name, PIN, certificate_der=softhsm.certificate(name), chain_der=chain)


KINDS = ["pkcs12-rsa2048", "pkcs12-p256", "pkcs11-rsa2048", "pkcs11-p256", "csc-rsa2048", "csc-p256", "memory"]


@pytest.fixture(scope="module", params=KINDS)
def backend(request, pkis):
    kind, _, key = request.param.partition("-")
    if kind == "csc":
        with csc_server(pkis[key]) as server:
            yield open_csc(CscService(server.url, CREDENTIAL, TOKEN), CscSecret(CSC_PIN))
    elif kind == "pkcs11":
        yield token_key(request.getfixturevalue("softhsm"), pkis, key)
    else:
        yield MemoryBackend() if kind == "memory" else pkis[key].key("kepala")


def verify(backend, signature, attributes):
    key = x509.load_der_x509_certificate(backend.certificate_der).public_key()
    algorithm = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384()}[backend.digest]
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, attributes, padding.PKCS1v15(), algorithm)
    else:
        key.verify(signature, attributes, ec.ECDSA(algorithm))


def test_it_is_a_backend(backend):
    assert isinstance(backend, Backend)
    assert isinstance(backend.capabilities, Capabilities)
    assert backend.digest in {"sha256", "sha384"}


def test_it_can_do_what_every_procedure_needs(backend):
    assert not lacks(backend.capabilities, ["prepared_field", "certify", "vector_appearance", "seal_last", "batch"])


def test_its_certificate_is_named_by_its_hash(backend):
    assert backend.certificate_sha256 == hashlib.sha256(backend.certificate_der).hexdigest()


def test_its_chain_is_nearest_first_and_without_itself(backend):
    links = [x509.load_der_x509_certificate(der) for der in (backend.certificate_der, *backend.chain_der)]
    for subject, issuer in itertools.pairwise(links):
        subject.verify_directly_issued_by(issuer)
    assert backend.certificate_der not in backend.chain_der


@pytest.mark.parametrize("attributes", [b"", b"1", b"x" * 5000])
def test_its_signature_verifies_against_its_certificate(backend, attributes):
    for _ in range(3):
        verify(backend, backend.sign_attributes(attributes), attributes)


def test_a_whole_document(backend):
    flow = FLOWS["head_only"]
    preview = prepared(flow.fields)
    signed = sign(preview, backend, flow.head_spec)
    assert signed.certificate_sha256 == backend.certificate_sha256
    expected = ExpectedSignature.by(backend, HEAD, certify=True, permission=flow.permission)
    prove(signed.pdf, Expectation(preview=preview, signatures=(expected,)))


def test_its_signature_leaves_no_room_in_which_bytes_could_hide(backend):
    """RSA's are all of one length; ECDSA's numbers may begin with zeros, which DER leaves away."""
    flow = FLOWS["head_only"]
    digits = re.findall(rb"/Contents <(\w+)>", sign(prepared(flow.fields), backend, flow.head_spec).pdf)[0]
    container = bytes.fromhex(digits.decode())
    key = x509.load_der_x509_certificate(backend.certificate_der).public_key()
    most = 0 if isinstance(key, rsa.RSAPublicKey) else 8
    assert 0 <= len(container) - parser.peek(container) <= most


def test_it_shows_no_secret(backend):
    assert "PRIVATE" not in repr(backend)
    assert "0x" not in repr(backend) or isinstance(backend, MemoryBackend)


@pytest.mark.parametrize("failure", [OSError("pin 1234"), ValueError("pin 1234"), KeyError("pin 1234")])
def test_a_back_end_that_raises_something_foreign(failure):
    class Broken(MemoryBackend):
        def sign_attributes(self, attributes):
            raise failure

    with pytest.raises(SigningFailed) as caught:
        sign(prepared(FLOWS["head_only"].fields), Broken(), SignatureSpec(HEAD, "", ""))
    assert "1234" not in str(caught.value)
