"""Immutable bytes addressed by their SHA-256: one port, a local folder or a bucket behind it. Nothing is ever overwritten or deleted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Protocol

from service.archive.errors import ArchiveDamaged, ArchiveUnreachable
from service.archive.local import LocalArchive
from service.archive.names import Listed, sha256
from service.archive_place import Bucket, Folder

__all__ = ["Archive", "ArchiveDamaged", "ArchiveUnreachable", "Listed", "LocalArchive", "open_archive", "sha256"]


class Archive(Protocol):
    """What callers may rely on; every implementation passes tests/archive/contract.py.

    Bytes stand under their name whole or not at all. Damage is always told (ArchiveDamaged), never returned; a store that can't be asked
    raises ArchiveUnreachable, which says nothing about the bytes.
    """

    def put(self, data: bytes) -> str:
        """Store and return the SHA-256; again is a no-op, over damaged bytes it raises ArchiveDamaged."""
        ...

    def get(self, name: str) -> bytes:
        """Return the bytes of this name, hashed anew."""
        ...

    def has(self, name: str) -> bool:
        """Tell whether something stands under the name, sound or not."""
        ...

    def keep(self, name: str, now: datetime) -> None:
        """From now on it is a released document: whatever lock there is, is set. May be called again."""
        ...

    def names(self, after: str = "") -> Iterator[Listed]:
        """Yield what is stored, in the order of its names, beginning after one of them."""
        ...

    def mend(self, name: str, data: bytes) -> None:
        """For the scrub alone: give a missing or damaged name its own bytes again, and keep aside what stood there."""
        ...

    def put_mark(self, order: tuple[int, int], data: bytes) -> None:
        """Keep a word beside the documents; the one of the highest order is the newest. Again is a no-op."""
        ...

    def newest_mark(self) -> bytes | None:
        """Return the newest such word; None before the first."""
        ...

    def tried(self, now: datetime) -> Mapping[str, str]:
        """Return how the store takes what it must refuse (service/archive/trial.py); empty where there is nothing to try."""
        ...


def open_archive(place: Folder | Bucket, credentials: Path | None = None) -> Archive:
    """Return the archive at a place; nothing is asked of it yet."""
    if isinstance(place, Folder):
        return LocalArchive(place.path)
    from service.archive.s3 import S3Archive

    return S3Archive(place, credentials)
