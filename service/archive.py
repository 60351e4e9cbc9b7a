"""Immutable bytes addressed by their SHA-256, in a local folder. Nothing is ever overwritten or deleted here."""

from __future__ import annotations

import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from service import failpoints


class ArchiveDamaged(Exception):
    """Stored bytes are missing or no longer match their name (I8)."""


def sha256(data: bytes) -> str:
    """Return the lower-case hex SHA-256."""
    return hashlib.sha256(data).hexdigest()


@dataclass(frozen=True, slots=True)
class LocalArchive:
    """A folder `ab/cdef...`; files are complete, durable (file and folder fsync) and read-only once they have their name."""

    root: Path

    def put(self, data: bytes) -> str:
        """Store and return the SHA-256. Storing the same bytes again is a no-op."""
        name = sha256(data)
        path = self._path(name)
        if path.exists():
            return name
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.parent / f".{name[:8]}-{secrets.token_hex(6)}"
        _write_durably(temporary, data)
        failpoints.passing("archive.after_temporary")
        temporary.rename(path)
        _sync_folder(path.parent)
        _sync_folder(self.root)
        return name

    def get(self, name: str) -> bytes:
        """Return the bytes.

        Raises ArchiveDamaged if they are missing or do not hash to their name.
        """
        try:
            data = self._path(name).read_bytes()
        except FileNotFoundError:
            raise ArchiveDamaged(f"missing: {name}") from None
        if sha256(data) != name:
            raise ArchiveDamaged(f"hash differs: {name}")
        return data

    def has(self, name: str) -> bool:
        """Tell whether the name exists (not whether it is sound)."""
        return self._path(name).exists()

    def _path(self, name: str) -> Path:
        assert len(name) == 64 and set(name) <= set("0123456789abcdef"), "an archive name is a SHA-256 in hex"  # noqa: PLR2004, PT018
        return self.root / name[:2] / name[2:]


def _write_durably(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o440)
    try:
        with os.fdopen(descriptor, "wb", closefd=False) as file:
            file.write(data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
