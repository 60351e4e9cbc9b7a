"""Photos in the archive: sealed, and named by the hash of what is stored there. The same photo is stored once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service.wiring import Teken

_CONTEXT = "archive/photo"


def keep(teken: Teken, picture: bytes) -> str:
    """Store a cleaned photo; return its name in the archive."""
    return teken.archive.put(teken.vault.seal_file(picture, _CONTEXT))


def read(teken: Teken, name: str) -> bytes:
    """Return a photo; one that was stored before photos were sealed is returned as it is.

    Raises ArchiveDamaged, ArchiveUnreachable, VaultShut, SealBroken.
    """
    stored = teken.archive.get(name)
    return teken.vault.open_file(stored, _CONTEXT) if teken.vault.is_sealed(stored) else stored
