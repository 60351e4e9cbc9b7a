"""What the development PKI lacks and a validator asks for: revocation lists of both CAs, and a time-stamping authority."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from asn1crypto import keys as asn1keys
from asn1crypto import x509 as asn1x509
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

from tests.signing.test_timestamp import honest, serving

AUTHORITIES = ("root", "issuing")


def revocation_lists(keys: Path, out: Path, *, revoked: x509.Certificate | None = None) -> list[Path]:
    """Write a current CRL of the root and of the issuing CA, signed with the CA keys of the PKI in `keys`."""
    out.mkdir(parents=True, exist_ok=True)
    return [_revocation_list(keys, name, out / f"{name}.crl", revoked) for name in AUTHORITIES]


def _revocation_list(keys: Path, name: str, path: Path, revoked: x509.Certificate | None) -> Path:
    authority = x509.load_pem_x509_certificate((keys / f"{name}.pem").read_bytes())
    key = load_pem_private_key((keys / f"{name}.key.pem").read_bytes(), None)
    now = datetime.now(UTC)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    draft = x509.CertificateRevocationListBuilder().issuer_name(authority.subject).last_update(now)
    draft = draft.next_update(now + timedelta(days=7)).add_extension(x509.CRLNumber(1), critical=False)
    draft = draft.add_extension(identifier, critical=False)
    if revoked is not None and revoked.issuer == authority.subject:
        entry = x509.RevokedCertificateBuilder().serial_number(revoked.serial_number)
        draft = draft.add_revoked_certificate(entry.revocation_date(now - timedelta(hours=1)).build())
    path.write_bytes(draft.sign(key, hashes.SHA256()).public_bytes(Encoding.DER))
    return path


def authority(keys: Path) -> DummyTimeStamper:
    """The PKI's own TSA (tsa.p12), in this process."""
    secret = (keys / "passphrase").read_bytes().strip()
    key, certificate, chain = pkcs12.load_key_and_certificates((keys / "tsa.p12").read_bytes(), secret)
    private = asn1keys.PrivateKeyInfo.load(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
    store = SimpleCertificateStore()
    store.register_multiple(asn1x509.Certificate.load(one.public_bytes(Encoding.DER)) for one in chain)
    return DummyTimeStamper(asn1x509.Certificate.load(certificate.public_bytes(Encoding.DER)), private, store)


@contextlib.contextmanager
def time_stamping(keys: Path) -> Iterator[str]:
    """The address at which the PKI's TSA answers meanwhile (RFC 3161 over HTTP, loopback)."""
    with serving(honest(authority(keys))) as url:
        yield url
