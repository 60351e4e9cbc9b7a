"""What a certificate decides about its key, for keys that live elsewhere: may it sign, with which digest, did it sign this."""

from __future__ import annotations

from cryptography import x509

from signing.backends import Digest
from signing.certificates import HASHES, describe_certificate, verifies
from signing.errors import KeyUnusable, SigningFailed


def fit_to_sign(certificate_der: bytes) -> Digest:
    """Return the one digest of the certificate's key; its dates are the caller's to ask, who knows the day.

    Raises KeyUnusable: key_unsupported, certificate_unfit.
    """
    facts = describe_certificate(certificate_der)
    problems = facts.unfit(facts.not_before)
    if "key" in problems:
        raise KeyUnusable("key_unsupported", facts.key)
    if "usage" in problems:
        raise KeyUnusable("certificate_unfit", "key usage does not allow signatures")
    return "sha384" if facts.key == "secp384r1" else "sha256"


def proven(signature: bytes, attributes: bytes, certificate_der: bytes, digest: Digest) -> bytes:
    """Return `signature` if it is the certificate's over `attributes`, so that no back-end is believed on its word.

    Raises SigningFailed signature_wrong.
    """
    key = x509.load_der_x509_certificate(certificate_der).public_key()
    if not verifies(key, signature, attributes, HASHES[digest]):
        raise SigningFailed("signature_wrong")
    return signature
