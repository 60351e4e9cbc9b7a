"""A signer's certificate as the public may see it."""

from __future__ import annotations

import hashlib
import re

from cryptography import x509
from cryptography.x509.oid import NameOID, ObjectIdentifier

from certs.make_dev_pki import ORGANISATION
from service.verification.answers import Certificate

_NUMBER_OF_A_PERSON = re.compile(r"[\W_]*(?:\b(?:NIP|NIK)\b\W*)?\d(?:[ .-]?\d){7,}[)\]]?", re.IGNORECASE)
"""Issuers write a NIK or NIP into names; nobody needs it to know whose signature it is."""


def told(der: bytes) -> Certificate:
    """Return what the page shows. Of the subject nothing but name and organisation: the rest may be personal."""
    certificate = x509.load_der_x509_certificate(der)
    return Certificate(
        sha256=hashlib.sha256(der).hexdigest(),
        subject=_part(certificate.subject, NameOID.COMMON_NAME),
        organization=_part(certificate.subject, NameOID.ORGANIZATION_NAME),
        issuer=_part(certificate.issuer, NameOID.COMMON_NAME),
        valid_from=certificate.not_valid_before_utc,
        valid_to=certificate.not_valid_after_utc,
        is_example=_part(certificate.issuer, NameOID.ORGANIZATION_NAME) == ORGANISATION,
    )


def _part(name: x509.Name, which: ObjectIdentifier) -> str:
    found = name.get_attributes_for_oid(which)
    return _NUMBER_OF_A_PERSON.sub("", str(found[0].value)).lstrip(" -,:/").rstrip() if found else ""
