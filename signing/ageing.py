"""When a version must be renewed: before its newest time-stamp's certificate expires or its algorithms lose their worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final, Literal

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from signing.errors import SigningFailed, translated
from signing.holdings import holdings
from signing.tokenproof import Token

SUNSETS: Final[Mapping[str, datetime]] = MappingProxyType({"rsa2048": datetime(2031, 1, 1, tzinfo=UTC)})
"""When an algorithm ends. RSA under 3072 bits is 112-bit security: allowed through 2030 (NIST SP 800-57 part 1, table 4)."""
_RSA_STRONG: Final = 3072


@dataclass(frozen=True, slots=True)
class Ageing:
    """Until when the file proves itself, what ends then, and whether the margin before it has begun."""

    until: datetime
    ends: Literal["certificate", "algorithm", "signature"]
    due: bool


def due_for_renewal(
    pdf: bytes, at: datetime, margin: timedelta, *, sunsets: Mapping[str, datetime] = SUNSETS
) -> Ageing:
    """Tell until when `pdf` proves itself: by its newest document time-stamp, else by its signatures' own time-stamps.

    Without any time-stamp it does so until a signer's certificate expires (`signature`). Raises SigningFailed.
    """
    with translated(SigningFailed, "extension_failed"):
        held = holdings(pdf)
        stamps = held.document_stamps[-1:] or tuple(filter(None, held.signature_stamps))
        if not held.stamped:
            until = min(use.certificate.not_valid_after_utc for use in held.uses)
            return Ageing(until, "signature", at >= until - margin)
        ends = [
            min((stamp.certificate.not_valid_after_utc, "certificate"), _sunset(stamp, sunsets)) for stamp in stamps
        ]
        until, why = min(ends)
        return Ageing(until, "algorithm" if why == "algorithm" else "certificate", at >= until - margin)


def _sunset(stamp: Token, sunsets: Mapping[str, datetime]) -> tuple[datetime, str]:
    never = datetime.max.replace(tzinfo=UTC)
    return min(sunsets.get(stamp.digest, never), sunsets.get(_key(stamp.certificate), never)), "algorithm"


def _key(certificate: x509.Certificate) -> str:
    key = certificate.public_key()
    return f"rsa{2048 if key.key_size < _RSA_STRONG else key.key_size}" if isinstance(key, rsa.RSAPublicKey) else ""
