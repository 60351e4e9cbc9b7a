"""Whether this host's copies of the keys that all hosts share are the ones that the database knows. Makes no file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, select

from service.checkpoint import CheckpointInvalid, Notary, read
from service.desk.secret import DeskKey
from service.doctor.findings import Note, fault, well
from service.journal import newest_checkpoint
from service.store.desk_tables import accounts

if TYPE_CHECKING:
    from service.doctor.view import View

CHECKPOINT: Final = "checkpoint.key"
DESK: Final = "desk.key"


def look_at_shared_keys(view: View) -> Iterator[Note]:
    """The checkpoints' key made the newest one, the desk's key opens a second factor. Data keys are tried by every start."""
    home = view.settings.home
    with view.read() as connection:
        other = [
            path
            for path, is_ours in ((home / CHECKPOINT, _notes_ours), (home / DESK, _desk_ours))
            if not is_ours(connection, path)
        ]
    for path in other:
        yield fault("shared_key_other", str(path))
    if not other:
        yield well("shared_keys_fine", str(home))


def _notes_ours(connection: Connection, path: Path) -> bool:
    note = newest_checkpoint(connection)
    if not note:
        return True
    try:
        read(note, Notary(Ed25519PrivateKey.from_private_bytes(path.read_bytes())).verifier)
    except (CheckpointInvalid, OSError, ValueError):
        return False
    return True


def _desk_ours(connection: Connection, path: Path) -> bool:
    sealed = select(accounts.c.id, accounts.c.totp_sealed).where(accounts.c.totp_sealed.is_not(None)).limit(1)
    known = connection.execute(sealed).first()
    if known is None:
        return True
    return path.is_file() and DeskKey.at(path).open(known.totp_sealed, known.id) is not None
