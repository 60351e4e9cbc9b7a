"""The keys that a restored database needs, sealed with a passphrase: only where the operator asks for it, never in clear."""

from __future__ import annotations

import base64
import json
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from service.backup.errors import BackupRefused
from service.canonical import dumps
from service.keyfile import write_once

if TYPE_CHECKING:
    from service.settings import Settings

_CONTEXT = b"teken/backup/keys/v1"
_COST = 2**15


def files(settings: Settings) -> dict[str, Path]:
    """Return the key files by name: without them a restored database proves nothing and opens no name."""
    found = {
        "checkpoint.key": settings.home / "checkpoint.key",
        "desk.key": settings.home / "desk.key",
        "data.keys": settings.data_keys_file,
    }
    return {name: path for name, path in found.items() if path.is_file()}


def sealed(settings: Settings, passphrase: bytearray) -> bytes:
    """Return the keys, sealed."""
    plain = dumps({name: base64.b64encode(path.read_bytes()).decode() for name, path in files(settings).items()})
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    box = AESGCM(_key(passphrase, salt)).encrypt(nonce, plain.encode(), _CONTEXT)
    told = {"salt": salt.hex(), "nonce": nonce.hex(), "box": base64.b64encode(box).decode()}
    return dumps(told).encode()


def unseal(text: bytes, settings: Settings, passphrase: bytearray) -> None:
    """Put the keys back where this machine has none; what is there stays.

    Raises BackupRefused("backup_passphrase_wrong").
    """
    try:
        told = json.loads(text)
        key = _key(passphrase, bytes.fromhex(told["salt"]))
        plain = AESGCM(key).decrypt(bytes.fromhex(told["nonce"]), base64.b64decode(told["box"]), _CONTEXT)
    except (InvalidTag, ValueError, KeyError, TypeError):
        raise BackupRefused("backup_passphrase_wrong") from None
    places = {"data.keys": settings.data_keys_file}
    for name, encoded in json.loads(plain).items():
        write_once(places.get(name, settings.home / os.path.basename(name)), base64.b64decode(encoded), 0o600)  # noqa: PTH119 - of a name, not of a path


def _key(passphrase: bytearray, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=_COST, r=8, p=1).derive(bytes(passphrase))
