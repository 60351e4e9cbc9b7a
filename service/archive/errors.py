"""What an archive can say instead of bytes. Whoever asks must tell the two apart: one is a loss, the other only a wait."""

from __future__ import annotations

from service.errors import Busy


class ArchiveDamaged(Exception):
    """Stored bytes are missing or no longer match their name (I8)."""


class ArchiveUnreachable(Busy):
    """Nothing is known of the bytes: the store does not answer (`archive_unreachable`) or refuses us (`archive_refused`)."""

    code = "archive_unreachable"
