"""Removes from a local archive what nothing names any more and what may hold personal data: sealed photos, and papers that nobody signed.

An office's files, signed bytes and anything of unknown kind stay, named or not. Buckets are not swept: their own life cycle is (docs).
"""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

from service.archive import Archive, ArchiveDamaged, LocalArchive, open_archive
from service.archive_named import Names
from service.archive_place import Folder
from service.vault import Vault

if TYPE_CHECKING:
    from service.wiring import Teken

_PDF, _SIGNED = b"%PDF", b"/ByteRange"


def sweep(teken: Teken, days: int, *, dry: bool = False) -> list[str]:
    """Remove, from the archive and its second copy, what has lain unnamed for `days`; return the names. 0 days: nothing.

    Whoever puts the same bytes again meanwhile makes them young (`LocalArchive.put`), and they stay.
    """
    if days <= 0:
        return []
    until = teken.clock.now() - timedelta(days=days)
    swept = []
    for place in filter(None, (teken.settings.archive, teken.settings.second_archive)):
        if not isinstance(place, Folder):
            continue
        archive = open_archive(place)
        assert isinstance(archive, LocalArchive), "a folder is a local archive"
        with teken.db.read() as connection:
            names = Names(connection, mentioned_in_log=False)
        with closing(names):
            names.open_pins(archive)
            for listed in archive.names():
                if listed.since < until and not names.has(listed.name) and _goes(archive, listed.name):
                    if not dry and not archive.remove(listed.name, until):
                        continue
                    swept.append(listed.name)
    return swept


def _goes(archive: Archive, name: str) -> bool:
    try:
        data = archive.get(name)
    except ArchiveDamaged:
        return False
    return Vault.is_sealed(data) or (data.startswith(_PDF) and _SIGNED not in data)
