"""The offices' QR keys: P-256, one file per office beside the seal's, under the seal's passphrase. Never a person's, never a document's."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from service.errors import TekenError
from service.keyfile import write_once

MODE: Final = 0o600


class QrKeyMissing(TekenError):
    """This process has no usable QR key of the office: none is there, or its passphrase is another."""

    code = "qr_key_missing"


@dataclass(frozen=True, slots=True)
class QrKeys:
    """Reads QR keys; a file that was replaced since (`teken qr rotate`) is read again."""

    folder: Path
    passphrase: Path
    _open: dict[str, tuple[tuple[int, int], EllipticCurvePrivateKey]] = field(default_factory=dict, repr=False)

    def key(self, office: str) -> EllipticCurvePrivateKey:
        """Return the office's key as its file holds it now. Raises QrKeyMissing."""
        path = file(self.folder, office)
        try:
            found = path.stat()
            stands = (found.st_ino, found.st_mtime_ns)
            known, key = self._open.get(office, ((0, 0), None))
            if key is None or known != stands:
                key = _loaded(path, self.passphrase)
                self._open[office] = (stands, key)
        except OSError:
            raise QrKeyMissing(office=office) from None
        return key


def file(folder: Path, office: str) -> Path:
    """Return where an office's key lies."""
    return folder / f"{office}.qr.pem"


def make(folder: Path, office: str, passphrase: bytes, *, replace: bool = False) -> bool:
    """Make the office's key if it has none; with `replace` a new one takes the place of the old, which nobody can use again."""
    path = file(folder, office)
    if path.exists() and not replace:
        return False
    fresh = generate_private_key(SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase)
    )
    if not replace:
        write_once(path, fresh, MODE)
        return True
    beside = path.with_name(f".{path.name}-{secrets.token_hex(6)}")
    write_once(beside, fresh, MODE)
    beside.replace(path)
    return True


def _loaded(path: Path, passphrase: Path) -> EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), passphrase.read_bytes().strip())
    except (ValueError, TypeError):
        raise QrKeyMissing(office=path.name.partition(".")[0]) from None
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        raise QrKeyMissing(office=path.name.partition(".")[0])
    return key
