"""Seals personal data and secrets for the database and the archive, with keys that lie outside both.

AES-256-GCM; the context (which table, which row) is authenticated, so that no sealed text opens in another's place.
The key file has one key a line, `<id> <base64 of 32 bytes> <day>`: the last one seals, all of them open.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from service import durable
from service.clock import SystemClock
from service.errors import TekenError
from service.keyfile import write_once

VERSION = "v1"
_FILE = "teken-sealed v1 "
_KEY, _NONCE = 32, 12
_OPEN_TO_OTHERS = 0o077


class VaultShut(TekenError):
    """The file of data keys is missing, unreadable, open to others, or lacks the key of what is to be opened."""

    code = "vault_shut"
    status = 503


class SealBroken(TekenError):
    """What is to be opened was changed, belongs elsewhere, or was never sealed by us."""

    code = "seal_broken"


@dataclass(frozen=True, slots=True)
class DataKey:
    """One key of the file. `made_on` is a day, for people."""

    id: str
    secret: bytes = field(repr=False)
    made_on: str

    @classmethod
    def fresh(cls, now: datetime) -> DataKey:
        """Make a key. Its id follows from it, so that a copying mistake shows."""
        secret = secrets.token_bytes(_KEY)
        return cls(_id_of(secret), secret, now.date().isoformat())

    @classmethod
    def read(cls, line: str) -> DataKey:
        """Read a line.

        Raises ValueError.
        """
        key, encoded, made_on = line.split(" ")
        secret = base64.b64decode(encoded, validate=True)
        if len(secret) != _KEY or key != _id_of(secret):
            raise ValueError("not a data key")
        return cls(key, secret, made_on)

    def hidden(self, context: str, *parts: str) -> str:
        """Return a hash (hex) of the parts under this key: to find what is sealed, not to read it."""
        secret = _derived(self.secret, f"hidden/{context}")
        return hmac.new(secret, "\x00".join(parts).encode(), "sha256").hexdigest()

    @property
    def line(self) -> str:
        """What stands in the file."""
        return f"{self.id} {base64.b64encode(self.secret).decode()} {self.made_on}"


class Vault:
    """The data keys of this installation, read when they are first needed and again when their file has changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp: tuple[int, int, int] | None = None
        self._keys: dict[str, DataKey] = {}

    def seal(self, plain: bytes, context: str) -> str:
        """Return `v1.<key id>.<base64url>`, which opens only under the same context. Two seals of one text differ.

        Raises VaultShut.
        """
        return self.seal_with(list(self.keys())[-1], plain, context)

    def seal_with(self, name: str, plain: bytes, context: str) -> str:
        """Seal with one of the file's keys, by its id."""
        key = self.keys()[name]
        nonce = secrets.token_bytes(_NONCE)
        sealed = nonce + AESGCM(key.secret).encrypt(nonce, plain, context.encode())
        return f"{VERSION}.{key.id}.{base64.urlsafe_b64encode(sealed).decode().rstrip('=')}"

    def open(self, sealed: str, context: str) -> bytes:
        """Return what was sealed under this context.

        Raises VaultShut when the key is not in the file, SealBroken for anything that `seal` did not make.
        """
        version, _, rest = sealed.partition(".")
        name, dot, encoded = rest.partition(".")
        if version != VERSION or not dot:
            raise SealBroken
        key = self.keys().get(name)
        if key is None:
            raise VaultShut(key=_shown(name))
        try:
            raw = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
            return AESGCM(key.secret).decrypt(raw[:_NONCE], raw[_NONCE:], context.encode())
        except (InvalidTag, binascii.Error, ValueError):
            raise SealBroken from None

    def seal_file(self, plain: bytes, context: str) -> bytes:
        """Seal what goes into the archive. The same bytes are sealed to the same bytes, so that they are stored once.

        Raises VaultShut.
        """
        key = list(self.keys().values())[-1]
        head = f"{_FILE}{key.id}\n".encode()
        named = f"{len(context)}:{context}".encode() + plain
        nonce = hmac.new(_derived(key.secret, "file-nonce"), named, "sha256").digest()[:_NONCE]
        return head + nonce + AESGCM(_derived(key.secret, "file")).encrypt(nonce, plain, context.encode())

    def open_file(self, sealed: bytes, context: str) -> bytes:
        """Return what `seal_file` sealed under this context.

        Raises VaultShut, SealBroken.
        """
        if not self.is_sealed(sealed):
            raise SealBroken
        name, rest = key_of_file(sealed), sealed.partition(b"\n")[2]
        key = self.keys().get(name)
        if key is None:
            raise VaultShut(key=_shown(name))
        try:
            return AESGCM(_derived(key.secret, "file")).decrypt(rest[:_NONCE], rest[_NONCE:], context.encode())
        except (InvalidTag, ValueError):
            raise SealBroken from None

    @staticmethod
    def is_sealed(stored: bytes) -> bool:
        """Tell whether these bytes of the archive say that they are sealed."""
        return stored.startswith(_FILE.encode())

    def keys(self) -> dict[str, DataKey]:
        """Return the keys by id, oldest first; the file is made on first use, and never again by a process that has seen it.

        Raises VaultShut.
        """
        try:
            found = self.path.stat()
        except FileNotFoundError:
            if self._keys:
                raise VaultShut from None
            write_once(self.path, f"{DataKey.fresh(SystemClock().now()).line}\n".encode(), 0o600)
            found = self.path.stat()
        except OSError:
            raise VaultShut from None
        stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
        if stamp != self._stamp:
            self._keys = self._read(found.st_mode)
            self._stamp = stamp
        return self._keys

    def add(self, now: datetime) -> DataKey:
        """Put a new key at the end of the file, in one step: it seals from now on, in every process that sees the file."""
        key = DataKey.fresh(now)
        self._replace([*self.keys().values(), key])
        return key

    def leave_out(self, name: str) -> DataKey | None:
        """Take a key out of the file, in one step, and return it; None if it is not there. The newest stays: it seals."""
        keys = dict(self.keys())
        if name == list(keys)[-1]:
            raise ValueError("the newest key seals")
        gone = keys.pop(name, None)
        if gone is not None:
            self._replace([*keys.values()])
        return gone

    def put_back(self, key: DataKey) -> None:
        """Put a key that was taken out before all others."""
        self._replace([key, *(one for one in self.keys().values() if one.id != key.id)])

    def _replace(self, keys: Iterable[DataKey]) -> None:
        durable.write(self.path, "".join(f"{key.line}\n" for key in keys).encode())

    def _read(self, mode: int) -> dict[str, DataKey]:
        if mode & _OPEN_TO_OTHERS:
            raise VaultShut
        try:
            keys = [DataKey.read(line) for line in self.path.read_text("ascii").splitlines() if line]
        except (OSError, ValueError):
            raise VaultShut from None
        if not keys:
            raise VaultShut
        return {one.id: one for one in keys}


def key_of(sealed: str) -> str:
    """Return the id of the key that sealed a text; empty for what is not sealed."""
    version, _, rest = sealed.partition(".")
    return rest.partition(".")[0] if version == VERSION else ""


def key_of_file(stored: bytes) -> str:
    """Return the id of the key that sealed a file of the archive; empty for what is not sealed."""
    head = stored.partition(b"\n")[0]
    return head[len(_FILE) :].decode("ascii", "replace") if Vault.is_sealed(stored) else ""


@lru_cache(256)
def _derived(secret: bytes, purpose: str) -> bytes:
    return HKDF(SHA256(), _KEY, salt=None, info=f"teken/{purpose}".encode()).derive(secret)


def _id_of(secret: bytes) -> str:
    return "k" + hashlib.sha256(b"teken/data-key/v1\n" + secret).hexdigest()[:12]


def _shown(name: str) -> str:
    return name if name.isalnum() and len(name) <= _KEY else "?"
