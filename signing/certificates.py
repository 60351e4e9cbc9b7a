"""What a certificate says about itself, why it must not sign today, and what its key signed. Trust and revocation are asked elsewhere."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from signing.errors import KeyUnusable, translated

HASHES: Final = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}
_RSA_BITS: Final = range(2048, 4096 + 1)
_CURVES: Final = {"secp256r1", "secp384r1"}


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """One certificate; times in UTC, `sha256` in lower-case hex, `key` as in `rsa2048` or `secp256r1`."""

    subject_cn: str
    issuer_cn: str
    serial: int
    sha256: str
    not_before: datetime
    not_after: datetime
    key: str
    may_sign: bool

    def unfit(self, at: datetime) -> tuple[str, ...]:
        """Why it must not sign at `at`: not_yet_valid, expired, key, usage. Empty = nothing speaks against it."""
        reasons = {
            "not_yet_valid": at < self.not_before,
            "expired": at > self.not_after,
            "key": not (self.key in _CURVES or (self.key.startswith("rsa") and int(self.key[3:]) in _RSA_BITS)),
            "usage": not self.may_sign,
        }
        return tuple(reason for reason, holds in reasons.items() if holds)


def describe_certificate(der: bytes) -> CertificateFacts:
    """Read a certificate. Raises KeyUnusable certificate_unfit if it can't be read."""
    with translated(KeyUnusable, "certificate_unfit"):
        certificate = x509.load_der_x509_certificate(der)
        return CertificateFacts(
            subject_cn=_common_name(certificate.subject),
            issuer_cn=_common_name(certificate.issuer),
            serial=certificate.serial_number,
            sha256=hashlib.sha256(der).hexdigest(),
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
            key=_key(certificate.public_key()),
            may_sign=_may_sign(certificate),
        )


def verifies(key: Any, signature: bytes, signed: bytes, algorithm: hashes.HashAlgorithm) -> bool:
    """Tell whether `signature` is the RSA (PKCS#1 v1.5) or ECDSA key's over `signed`; a key of another kind has none."""
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, signed, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, signed, ec.ECDSA(algorithm))
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _common_name(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else ""


def _key(key: object) -> str:
    if isinstance(key, rsa.RSAPublicKey):
        return f"rsa{key.key_size}"
    return key.curve.name if isinstance(key, ec.EllipticCurvePublicKey) else type(key).__name__


def _may_sign(certificate: x509.Certificate) -> bool:
    """Key usage digitalSignature or nonRepudiation (RFC 5280, 4.2.1.3); without the extension every use is open."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return usage.digital_signature or usage.content_commitment
