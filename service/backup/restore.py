"""Restores a backup into an empty place: everything is verified first, and numbering stays closed until the register is reconciled."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from service import failpoints
from service.archive import ArchiveDamaged, LocalArchive, open_archive
from service.audit import Findings, audit
from service.backup import manifest, sealedkeys
from service.backup.engines import load, refuse_taken
from service.backup.errors import BackupRefused
from service.backup.manifest import DATABASE, DOCUMENTS, KEYS, Manifest
from service.checkpoint import Notary
from service.store.migrate import known_revisions
from service.vault import Vault
from service.wiring import open_teken

if TYPE_CHECKING:
    from service.clock import Clock
    from service.settings import Settings


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored, what the audit found, and the documents that neither archive nor pool has."""

    manifest: Manifest
    findings: Findings
    missing: tuple[str, ...]


def restore(
    settings: Settings, clock: Clock, folder: Path, *, pool: Path | None = None, passphrase: bytearray | None = None
) -> Restored:
    """Load a backup where there is no database yet, and walk all of it. Numbering is closed from its first moment.

    `pool`: documents that the archive lacks are put back from there. `passphrase`: put back the keys that this machine lacks.
    Raises BackupRefused before anything was changed, StoreBusy, ArchiveUnreachable.
    """
    failpoints.arm(settings.fail_at)
    refuse_taken(settings)
    if passphrase is not None:
        _keys(settings, folder, passphrase)
    found = read(settings, folder)
    failpoints.passing("restore.before_documents")
    missing = _documents(settings, folder, pool)
    told = {"backup": found.at, "journal": found.journal, "known_numbers": dict(found.last)}
    notary, vault = Notary.at(settings.home / "checkpoint.key"), Vault(settings.data_keys_file)
    failpoints.passing("restore.before_database")
    load(settings, vault, notary, folder / DATABASE, clock.now(), told)
    teken = open_teken(settings, clock=clock)
    try:
        return Restored(found, audit(teken), missing)
    finally:
        teken.close()


def read(settings: Settings, folder: Path) -> Manifest:
    """Return a backup's manifest if it is whole, ours, of this engine, and not of a newer program. Raises BackupRefused."""
    if not (settings.home / "checkpoint.key").is_file():
        raise BackupRefused("backup_key_missing", file=str(settings.home / "checkpoint.key"))
    found = manifest.read(folder, Notary.at(settings.home / "checkpoint.key"))
    engine = "sqlite" if settings.database.startswith("sqlite") else "postgresql"
    if found.engine != engine:
        raise BackupRefused("backup_other_engine", engine=found.engine)
    if not set(found.schema.split(",")) <= known_revisions():
        raise BackupRefused("backup_newer")
    if not settings.data_keys_file.is_file():
        raise BackupRefused("backup_key_missing", file=str(settings.data_keys_file))
    return found


def _keys(settings: Settings, folder: Path, passphrase: bytearray) -> None:
    try:
        text = (folder / KEYS).read_bytes()
    except OSError:
        raise BackupRefused("backup_without_keys") from None
    sealedkeys.unseal(text, settings, passphrase)


def _documents(settings: Settings, folder: Path, pool: Path | None) -> tuple[str, ...]:
    """Put back what the archive lacks; return the names that are nowhere."""
    archive = open_archive(settings.archive, settings.archive_credentials)
    store, missing = LocalArchive(pool) if pool else None, []
    for name in (folder / DOCUMENTS).read_text("ascii").split():
        if archive.has(name):
            continue
        try:
            if store is None:
                raise ArchiveDamaged(f"missing: {name}")
            archive.put(store.get(name))
        except ArchiveDamaged:
            missing.append(name)
    return tuple(missing)
