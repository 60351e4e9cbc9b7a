"""A public certificate as an admin brings it: read, looked at, never a private key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from service.clock import stamp
from service.errors import Fault, Invalid

MOST_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Brought:
    """What a certificate says of itself."""

    pem: str
    sha256: str
    subject: str
    issuer: str
    not_before: str
    not_after: str


def read(data: bytes, now: datetime, field: str = "berkas") -> Brought:
    """Read PEM or DER. Raises Invalid: no certificate, a private key beside it, a CA's, or over."""
    if b"PRIVATE KEY" in data:
        raise _unfit(field, "certificate_with_key")
    if not data or len(data) > MOST_BYTES:
        raise _unfit(field, "certificate_unreadable")
    try:
        one = x509.load_pem_x509_certificate(data) if b"-----BEGIN" in data else x509.load_der_x509_certificate(data)
        brought = Brought(
            one.public_bytes(Encoding.PEM).decode(),
            one.fingerprint(hashes.SHA256()).hex(),
            _name(one.subject),
            _name(one.issuer),
            stamp(one.not_valid_before_utc),
            stamp(one.not_valid_after_utc),
        )
        authority = _is_authority(one)
    except ValueError:
        raise _unfit(field, "certificate_unreadable") from None
    if authority:
        raise _unfit(field, "certificate_of_authority")
    if brought.not_after <= stamp(now):
        raise _unfit(field, "certificate_over")
    return brought


def named(der: bytes) -> str:
    """Return whom a stored certificate names."""
    return _name(x509.load_der_x509_certificate(der).subject)


def _is_authority(one: x509.Certificate) -> bool:
    try:
        return one.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _name(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else name.rfc4514_string()


def _unfit(field: str, code: str) -> Invalid:
    return Invalid(faults=(Fault(f"/{field}", code),))
