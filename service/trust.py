"""Whom we trust: the anchors and issuing certificates that the operator gave, read from their files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from signing import Trust

if TYPE_CHECKING:
    from service.settings import Settings


def trust(settings: Settings) -> Trust:
    """Return the pinned anchors with the issuing certificates below them."""
    below = settings.intermediates_file
    return Trust(_ders(settings.trust_file), _ders(below) if below.is_file() else ())


def _ders(path: Path) -> tuple[bytes, ...]:
    found = x509.load_pem_x509_certificates(path.read_bytes())
    return tuple(certificate.public_bytes(Encoding.DER) for certificate in found)
