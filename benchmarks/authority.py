"""The authorities of the development keys in this process: time-stamps whose own cost is known, and CRLs."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from asn1crypto import keys, tsp
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

from signing import Evidence, HttpTimestamper, Trust


@dataclass(frozen=True, slots=True)
class LocalTimestamper(HttpTimestamper):
    """The client as it is, but whom it asks is in this process; `spent` adds up what the authority itself takes."""

    authority: Any = None
    spent: list[float] = field(default_factory=list)

    def _post(self, body: bytes) -> bytes:
        before = time.process_time()
        answer: bytes = asyncio.run(self.authority.async_request_tsa_response(tsp.TimeStampReq.load(body))).dump()
        self.spent.append(time.process_time() - before)
        return answer


def timestamper(folder: Path) -> LocalTimestamper:
    """Open the time-stamping authority of a development PKI."""
    secret = (folder / "passphrase").read_bytes().strip()
    key, certificate, chain = pkcs12.load_key_and_certificates((folder / "tsa.p12").read_bytes(), secret)
    assert key is not None
    assert certificate is not None
    store = SimpleCertificateStore()
    store.register_multiple(asn1.Certificate.load(one.public_bytes(Encoding.DER)) for one in chain)
    private = keys.PrivateKeyInfo.load(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
    authority = DummyTimeStamper(asn1.Certificate.load(certificate.public_bytes(Encoding.DER)), private, store)
    known = trust(folder)
    return LocalTimestamper(
        "http://localhost/", anchors_der=known.anchors_der, others_der=known.intermediates_der, authority=authority
    )


def trust(folder: Path) -> Trust:
    """Trust the root of a development PKI."""
    return Trust((_certificate(folder, "root"),), (_certificate(folder, "issuing"),))


def crls(folder: Path) -> Evidence:
    """Return the fresh and empty lists of root and issuing CA."""
    return Evidence(crls_der=tuple(_crl(folder, name) for name in ("root", "issuing")))


def _certificate(folder: Path, name: str) -> bytes:
    return x509.load_pem_x509_certificate((folder / f"{name}.pem").read_bytes()).public_bytes(Encoding.DER)


def _crl(folder: Path, name: str) -> bytes:
    key: Any = load_pem_private_key((folder / f"{name}.key.pem").read_bytes(), None)
    now = datetime.now(UTC)
    return (
        x509.CertificateRevocationListBuilder()
        .issuer_name(x509.load_der_x509_certificate(_certificate(folder, name)).subject)
        .last_update(now - timedelta(minutes=1))
        .next_update(now + timedelta(days=7))
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .add_extension(x509.CRLNumber(1), critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )
