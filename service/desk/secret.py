"""The desk's own key: seals TOTP secrets and hides who failed to log in. A copy of the database alone opens neither."""

from __future__ import annotations

import base64
import hmac
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from service.keyfile import write_once

_LENGTH, _NONCE = 32, 12


@dataclass(frozen=True, slots=True)
class DeskKey:
    """32 random bytes in a file of mode 0600, made on first use."""

    _root: bytes = field(repr=False)

    @classmethod
    def at(cls, path: Path) -> DeskKey:
        """Read or make the key."""
        if not path.exists():
            write_once(path, secrets.token_bytes(_LENGTH), 0o600)
        return cls(path.read_bytes())

    def seal(self, text: str, owner: str) -> str:
        """Encrypt for one owner; nobody else's row opens it."""
        nonce = secrets.token_bytes(_NONCE)
        sealed = ChaCha20Poly1305(self._derived("teken/desk/seal")).encrypt(nonce, text.encode(), owner.encode())
        return base64.b64encode(nonce + sealed).decode()

    def open(self, sealed: str, owner: str) -> str | None:
        """Decrypt what `seal` made for this owner; None for anything else."""
        raw = base64.b64decode(sealed)
        try:
            cipher = ChaCha20Poly1305(self._derived("teken/desk/seal"))
            return cipher.decrypt(raw[:_NONCE], raw[_NONCE:], owner.encode()).decode()
        except InvalidTag:
            return None

    def hidden(self, *parts: str) -> str:
        """Return a keyed hash of the parts: equal for equal parts, and telling nothing of them."""
        return hmac.new(self._derived("teken/desk/hidden"), "\x00".join(parts).encode(), "sha256").hexdigest()

    def _derived(self, purpose: str) -> bytes:
        return HKDF(SHA256(), _LENGTH, salt=None, info=purpose.encode()).derive(self._root)
