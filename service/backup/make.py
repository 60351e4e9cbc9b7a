"""Makes a backup: database, list of documents, settings, newest checkpoint; the manifest last."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from service import durable, failpoints, highwater, standings
from service.archive import ArchiveDamaged, LocalArchive
from service.archive_named import MENTIONED, Named, Names
from service.backup import manifest, sealedkeys
from service.backup.engines import copied
from service.backup.errors import BackupRefused
from service.backup.manifest import CHECKPOINT, DATABASE, DOCUMENTS, FORM, KEYS, SETTINGS, Manifest
from service.canonical import dumps
from service.clock import stamp
from service.journal import newest_checkpoint

if TYPE_CHECKING:
    from service.settings import Settings
    from service.wiring import Teken

MADE: Final = "backup.made"
_ABNORMAL: Final = frozenset({"fail_at", "development_login"})
"""Nothing that a restored machine should have."""
_SECRET: Final = re.compile(r"(//|password=)(?:[^/@\s]+(?=@)|(?<=password=)[^&\s]*)")
"""Who logs in, in an address."""


@dataclass(frozen=True, slots=True)
class Made:
    """A finished backup, and the documents that it names and that could not be copied."""

    manifest: Manifest
    lost: tuple[str, ...]


def make(teken: Teken, folder: Path, *, pool: Path | None = None, passphrase: bytearray | None = None) -> Made:
    """Back up into a new folder. `pool`: copy the documents there as well, those that it has not yet. `passphrase`: seal the keys in.

    Raises BackupRefused("backup_place_taken" and what the engine's program says), StoreBusy, ArchiveUnreachable.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BackupRefused("backup_place_taken", place=str(folder))
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    with copied(teken, folder / DATABASE) as connection:
        failpoints.passing("backup.after_database")
        named, lost = _documents(teken, connection, folder, pool)
        mark = highwater.now(connection, teken.notary)
        schema = ",".join(sorted(MigrationContext.configure(connection).get_current_heads()))
        checkpoint = newest_checkpoint(connection)
        era = highwater.era(connection)
    durable.write(folder / CHECKPOINT, checkpoint.encode())
    durable.write(folder / SETTINGS, (dumps(_settings(teken.settings)) + "\n").encode())
    if passphrase is not None:
        durable.write(folder / KEYS, sealedkeys.sealed(teken.settings, passphrase))
    parts = {path.name: durable.sha256_of(path) for path in sorted(folder.iterdir()) if not path.name.startswith(".")}
    failpoints.passing("backup.before_manifest")
    made = Manifest(
        form=FORM,
        at=stamp(teken.clock.now()),
        engine=teken.db.dialect,
        schema=schema,
        journal=mark.length if mark else 0,
        era=era,
        last=dict(mark.last) if mark else {},
        documents=named,
        parts=parts,
    )
    manifest.write(folder, made, teken.notary)
    highwater.rise_everywhere(teken)
    standings.note(teken, MADE, str(folder.parent), made.journal, folder=folder.name, lost=len(lost))
    return Made(made, lost)


def _documents(teken: Teken, connection: Connection, folder: Path, pool: Path | None) -> tuple[int, tuple[str, ...]]:
    """List every archived file that the copy names (its name is its SHA-256), and copy what a pool lacks."""
    count, lost, store = 0, [], LocalArchive(pool) if pool else None
    with closing(Names(connection)) as names:
        names.open_pins(teken.archive)
        lines = []
        for one in _named(names):
            lines.append(one.name)
            count += 1
            if store is not None and not store.has(one.name):
                try:
                    store.put(teken.archive.get(one.name))
                except ArchiveDamaged:
                    lost.append(one.name)
            if count % 200 == 1:
                failpoints.passing("backup.between_documents")
    durable.write(folder / DOCUMENTS, "".join(f"{name}\n" for name in lines).encode())
    return count, tuple(lost)


def _named(names: Names) -> Iterator[Named]:
    return itertools.filterfalse(lambda one: one.kind == MENTIONED, names.after())


def _settings(settings: Settings) -> dict[str, str]:
    """What was set, without secrets: passwords are struck out, files are named and not read."""
    given = settings.model_dump(exclude_unset=True)
    return {name: _SECRET.sub(r"\1***", str(value)) for name, value in given.items() if name not in _ABNORMAL}
