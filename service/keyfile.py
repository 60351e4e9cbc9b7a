"""A raw Ed25519 private key in a file of mode 0600, made on first use. Safe when several processes start at once."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from service.durable import sync_folder


def key_file(path: Path) -> Ed25519PrivateKey:
    """Read the key, or make it: whoever comes first decides, and everybody else reads his."""
    if not path.exists():
        fresh = Ed25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        write_once(path, fresh, 0o600)
    return Ed25519PrivateKey.from_private_bytes(path.read_bytes())


def write_once(path: Path, content: bytes, mode: int) -> None:
    """Give the file its whole content at once; if it exists by then, it stays as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}-{secrets.token_hex(6)}")  # two containers may have the same pid
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(temporary, path)
        sync_folder(path.parent)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
