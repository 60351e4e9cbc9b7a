"""Signed checkpoints of the journal, as C2SP signed notes with Ed25519.

A checkpoint that has left the machine shows any later rewrite of journal or register, even one by the database's owner (I11).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from service.keyfile import key_file

ORIGIN = "teken/jurnal"
_ED25519 = b"\x01"


class CheckpointInvalid(Exception):
    """The text is no note of ours, or its signature does not hold."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The journal had `length` events and this head (hex SHA-256)."""

    length: int
    head: str


@dataclass(frozen=True, slots=True)
class Notary:
    """Holds the checkpoint key."""

    key: Ed25519PrivateKey

    @classmethod
    def at(cls, path: Path) -> Notary:
        """Read the key file, or make it (mode 0600) on first use. Safe when several processes start at once."""
        return cls(key_file(path))

    @property
    def verifier(self) -> bytes:
        """The 32 raw bytes of the public key."""
        return self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def note(self, checkpoint: Checkpoint) -> str:
        """Return the signed note's text."""
        text = _text(checkpoint)
        signature = base64.b64encode(_key_id(self.verifier) + self.key.sign(text.encode())).decode()
        return f"{text}\n— {ORIGIN} {signature}\n"


def read(note: str, verifier: bytes) -> Checkpoint:
    """Return what the note says.

    Raises CheckpointInvalid unless the signature holds under `verifier`.
    """
    try:
        text, signature_line = note.split("\n\n", 1)
        origin, length, head = text.split("\n")
        dash, name, encoded = signature_line.strip().split(" ")
        blob = base64.b64decode(encoded, validate=True)
        checkpoint = Checkpoint(int(length), base64.b64decode(head, validate=True).hex())
        if (origin, dash, name) != (ORIGIN, "—", ORIGIN) or blob[:4] != _key_id(verifier):
            raise CheckpointInvalid("another origin or key")
        Ed25519PublicKey.from_public_bytes(verifier).verify(blob[4:], (text + "\n").encode())
    except (ValueError, binascii.Error, InvalidSignature) as error:
        raise CheckpointInvalid("not a signed checkpoint") from error
    return checkpoint


def _text(checkpoint: Checkpoint) -> str:
    return f"{ORIGIN}\n{checkpoint.length}\n{base64.b64encode(bytes.fromhex(checkpoint.head)).decode()}\n"


def _key_id(verifier: bytes) -> bytes:
    return hashlib.sha256(ORIGIN.encode() + b"\n" + _ED25519 + verifier).digest()[:4]
