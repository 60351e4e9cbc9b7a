"""The keys of what is sealed at rest: there, whole, nobody else's to read, those that the database needs, and not beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import make_url

from service.archive_place import Folder
from service.data_keys import lacking
from service.doctor.findings import Note, fault, warning, well
from service.vault import Vault, VaultShut

if TYPE_CHECKING:
    from service.doctor.view import View

_OTHERS: Final = 0o077


def look_at_data_keys(view: View) -> Iterator[Note]:
    """The file is never made here."""
    path = view.settings.data_keys_file
    where = str(path)
    if not path.is_file():
        yield fault("data_keys_missing", where)
        return
    mode = path.stat().st_mode
    if mode & _OTHERS:
        yield fault("file_exposed", where, mode=f"{mode & 0o777:04o}")
        return
    vault = Vault(path)
    try:
        keys = vault.keys()
        with view.read() as connection:
            missing = lacking(connection, vault)
    except VaultShut:
        yield fault("data_keys_unreadable", where)
        return
    if missing:
        yield fault("data_keys_lacking", where, keys=", ".join(missing))
    elif any(path.is_relative_to(place) for place in _copied(view)):
        yield warning("data_keys_beside", where)
    else:
        yield well("data_keys_fine", where, count=str(len(keys)))


def _copied(view: View) -> Iterator[Path]:
    """The folders that somebody carries off with the database or the archive."""
    url = make_url(view.settings.database)
    if url.get_backend_name() == "sqlite":
        yield Path(str(url.database)).parent
    if isinstance(view.settings.archive, Folder):
        yield view.settings.archive.path
