"""The time-stamps of a signed file, told: who stamped, when, and what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.serialization import Encoding

from signing.certificates import describe_certificate
from signing.errors import SigningFailed, translated
from signing.holdings import holdings
from signing.tokenproof import Token


@dataclass(frozen=True, slots=True)
class StampFacts:
    """One time-stamp: the name in its certificate, that certificate's SHA-256 in hex, and the time that it states (UTC)."""

    by: str
    certificate_sha256: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Stamps:
    """`own` has one entry for each signature, in their order; `archive` are the document's, oldest first."""

    own: tuple[StampFacts | None, ...]
    archive: tuple[StampFacts, ...]


def read_stamps(pdf: bytes) -> Stamps:
    """Return the time-stamps of one of our own signed files. Raises SigningFailed for what can't be read as one."""
    with translated(SigningFailed, "extension_failed"):
        held = holdings(pdf)
        own = tuple(_told(one) if one else None for one in held.signature_stamps)
        return Stamps(own, tuple(_told(one) for one in held.document_stamps))


def _told(token: Token) -> StampFacts:
    certificate = describe_certificate(token.certificate.public_bytes(Encoding.DER))
    return StampFacts(certificate.subject_cn, certificate.sha256, token.at)
