"""Whom we trust: the anchors and issuing certificates that the operator gave, read from their files."""

from __future__ import annotations

from functools import lru_cache
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
    return Trust(certificates(settings.trust_file), certificates(below) if below.is_file() else ())


def certificates(path: Path) -> tuple[bytes, ...]:
    """Return the certificates of a PEM file as DER; the file is read again when it has changed. Raises OSError, ValueError."""
    there = path.stat()
    return _read(path, (there.st_ino, there.st_mtime_ns, there.st_size))


@lru_cache(maxsize=8)  # every document of a batch asks
def _read(path: Path, _version: tuple[int, ...]) -> tuple[bytes, ...]:
    found = x509.load_pem_x509_certificates(path.read_bytes())
    return tuple(certificate.public_bytes(Encoding.DER) for certificate in found)
