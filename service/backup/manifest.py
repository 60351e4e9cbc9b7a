"""What a backup is made of: each part with its SHA-256, signed with the checkpoint key, written last. Without it there is no backup."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature

from service import durable
from service.backup.errors import BackupRefused
from service.canonical import dumps
from service.checkpoint import Notary

NAME = "manifest.json"
DATABASE, DOCUMENTS, SETTINGS, CHECKPOINT, KEYS = (
    "database",
    "documents.txt",
    "settings.json",
    "checkpoint.txt",
    "keys.sealed",
)
FORM = 1
_CONTEXT = b"teken/backup/v1\n"


@dataclass(frozen=True, slots=True)
class Manifest:
    """One backup: when, of which engine and schema, how far journal and series were, and its parts (name to SHA-256)."""

    form: int
    at: str
    engine: str
    schema: str
    journal: int
    era: int
    last: Mapping[str, int]
    documents: int
    parts: Mapping[str, str]


def write(folder: Path, manifest: Manifest, notary: Notary) -> None:
    """Finish a backup."""
    said = asdict(manifest)
    signature = notary.key.sign(_CONTEXT + dumps(said).encode()).hex()
    durable.write(folder / NAME, (dumps({"said": said, "signature": signature}) + "\n").encode())


def read(folder: Path, notary: Notary) -> Manifest:
    """Return a backup's manifest, with every part hashed again.

    Raises BackupRefused: `backup_unfinished`, `backup_foreign` (not signed with this checkpoint key), `backup_altered` (a part).
    """
    try:
        told: dict[str, Any] = json.loads((folder / NAME).read_text("utf-8"))
        said, signature = told["said"], bytes.fromhex(told["signature"])
    except (OSError, ValueError, KeyError, TypeError):
        raise BackupRefused("backup_unfinished", place=str(folder)) from None
    try:
        notary.key.public_key().verify(signature, _CONTEXT + dumps(said).encode())
        manifest = Manifest(**said)
    except (InvalidSignature, TypeError):
        raise BackupRefused("backup_foreign", place=str(folder)) from None
    if manifest.form != FORM:
        raise BackupRefused("backup_foreign", place=str(folder))
    for name, sha256 in manifest.parts.items():
        if not _sound(folder / name, sha256):
            raise BackupRefused("backup_altered", part=name)
    return manifest


def _sound(path: Path, sha256: str) -> bool:
    try:
        return durable.sha256_of(path) == sha256
    except OSError:
        return False
