"""The authorities of the development keys in this process: time-stamps, quickly made, whose own cost is known, and CRLs."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from asn1crypto import core, keys
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
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
from signing.cmsparts import take_apart
from signing.der import Tag, element, elements, inside, tlv

_V1, _GRANTED = b"\x02\x01\x01", bytes.fromhex("3003020100")
_POLICY, _STAMP, _SIGNED_DATA, _DIGEST = (
    core.ObjectIdentifier(number).dump()
    for number in (
        "1.3.6.1.4.1.4146.2.2",
        "1.2.840.113549.1.9.16.1.4",
        "1.2.840.113549.1.7.2",
        "1.2.840.113549.1.9.4",
    )
)


@dataclass(frozen=True, slots=True)
class LocalTimestamper(HttpTimestamper):
    """The client as it is, but whom it asks is in this process; `spent` adds up what the authority itself takes."""

    authority: Authority | None = None
    spent: list[float] = field(default_factory=list)

    def _post(self, body: bytes) -> bytes:
        before = time.process_time()
        assert self.authority is not None
        answer = self.authority.answer(body)
        self.spent.append(time.process_time() - before)
        return answer


class Authority:
    """A time-stamping authority that takes hardly longer than its key: what it always says, it has once from pyHanko's.

    An authority that works hard leaves the client a cold cache: pyHanko's opens its RSA key anew for each token, 20 ms.
    """

    def __init__(self, folder: Path) -> None:
        secret = (folder / "passphrase").read_bytes().strip()
        key, certificate, chain = pkcs12.load_key_and_certificates((folder / "tsa.p12").read_bytes(), secret)
        assert isinstance(key, rsa.RSAPrivateKey)
        assert certificate is not None
        store = SimpleCertificateStore()
        store.register_multiple(asn1.Certificate.load(one.public_bytes(Encoding.DER)) for one in chain)
        private = keys.PrivateKeyInfo.load(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
        pyhanko = DummyTimeStamper(asn1.Certificate.load(certificate.public_bytes(Encoding.DER)), private, store)
        self._key = key
        self._sample = take_apart(asyncio.run(pyhanko.async_dummy_response("sha256")).dump())

    def answer(self, body: bytes) -> bytes:
        """Answer a TimeStampReq with SHA-256: always granted."""
        _, imprint, nonce, _ = inside(
            body, element(body, 0, len(body)), Tag.INTEGER, Tag.SEQUENCE, Tag.INTEGER, Tag.BOOLEAN
        )
        now, serial = datetime.now(UTC), tlv(Tag.INTEGER, b"\1" + secrets.token_bytes(8))
        moment = tlv(Tag.GENERALIZED_TIME, f"{now:%Y%m%d%H%M%S}Z".encode())
        asked = body[imprint.start : imprint.stop], serial, moment, body[nonce.start : nonce.stop]
        return tlv(Tag.SEQUENCE, _GRANTED, self._token(tlv(Tag.SEQUENCE, _V1, _POLICY, *asked)))

    def _token(self, info: bytes) -> bytes:
        sample = self._sample
        version, identifier, digesting, attributes, signing, _ = sample.signer
        named = tlv(Tag.SEQUENCE, _DIGEST, tlv(Tag.SET, tlv(Tag.OCTETS, hashlib.sha256(info).digest())))
        fixed = [sample.bytes_of(one) for one in elements(sample.data, attributes)]
        signed = b"".join(sorted(named if _DIGEST in one else one for one in fixed))
        value = self._key.sign(tlv(Tag.SET, signed), padding.PKCS1v15(), hashes.SHA256())
        signer = tlv(
            Tag.SEQUENCE,
            *map(sample.bytes_of, (version, identifier, digesting)),
            tlv(Tag.CONTEXT_0, signed),
            sample.bytes_of(signing),
            tlv(Tag.OCTETS, value),
        )
        content = tlv(Tag.SEQUENCE, _STAMP, tlv(Tag.CONTEXT_0, tlv(Tag.OCTETS, info)))
        before, certificates = (
            map(sample.bytes_of, (sample.version, sample.digests)),
            sample.bytes_of(sample.certificates),
        )
        data = tlv(Tag.SEQUENCE, *before, content, certificates, tlv(Tag.SET, signer))
        return tlv(Tag.SEQUENCE, _SIGNED_DATA, tlv(Tag.CONTEXT_0, data))


def timestamper(folder: Path) -> LocalTimestamper:
    """Open the time-stamping authority of a development PKI."""
    known = trust(folder)
    return LocalTimestamper(
        "http://localhost/",
        anchors_der=known.anchors_der,
        others_der=known.intermediates_der,
        authority=Authority(folder),
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
