"""Who a signing process is: its host's long-term identity vouches for the process's ephemeral key, and the web host pins identities.

What is in the database is only a claim: a row counts if a pinned identity signed exactly it, and only until the moment that it names.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from service.canonical import dumps
from service.clock import instant, stamp
from service.keyfile import key_file, write_once

CONTEXT = "teken/signer/v1\n"
LIFETIME = timedelta(seconds=60)
REFRESH = timedelta(seconds=15)
SKEW = timedelta(seconds=30)
"""How far two hosts' clocks may be apart."""
_OPEN_TO_OTHERS = 0o077


class IdentityExposed(Exception):
    """The identity's file can be read by others: whoever copied it can pose as this signing host."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """A signing process says: seal to this key until then. Keys and signature are base64."""

    id: str
    host_key: str
    public_key: str
    announced_at: str
    expires_at: str
    signature: str = ""

    @property
    def signed_text(self) -> bytes:
        """Everything but the signature, behind a context that no other signature of ours begins with."""
        return (CONTEXT + dumps({**asdict(self), "signature": ""})).encode()


@dataclass(frozen=True, slots=True)
class Identity:
    """A signing host's key."""

    key: Ed25519PrivateKey

    @classmethod
    def at(cls, path: Path) -> Identity:
        """Read or make the key.

        Raises IdentityExposed.
        """
        identity = cls(key_file(path))
        if path.stat().st_mode & _OPEN_TO_OTHERS:
            raise IdentityExposed(f"{path}: chmod 600")
        return identity

    @property
    def public(self) -> str:
        """What the web host pins."""
        return encoded(self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    def announce(self, process: str, public_key: bytes, now: datetime) -> Announcement:
        """Vouch for a process's ephemeral key for a minute."""
        said = Announcement(process, self.public, encoded(public_key), stamp(now), stamp(now + LIFETIME))
        return Announcement(**{**asdict(said), "signature": encoded(self.key.sign(said.signed_text))})


def vouched(said: Announcement, pins: frozenset[str], now: datetime) -> bool:
    """Tell whether a pinned identity says so, and says it now: nothing expired, nothing post-dated, nothing long-lived."""
    if said.host_key not in pins:
        return False
    try:
        announced, expires = instant(said.announced_at), instant(said.expires_at)
        Ed25519PublicKey.from_public_bytes(decoded(said.host_key)).verify(decoded(said.signature), said.signed_text)
    except (ValueError, InvalidSignature):
        return False
    return announced - SKEW <= now < expires and expires - announced <= LIFETIME


def pin_once(path: Path, identity: Identity) -> None:
    """On one machine: the first signing process that starts writes the pin that the web process reads. Never changed by us."""
    write_once(path, f"{identity.public}\n".encode(), 0o644)


def pins_of(listed: str, path: Path) -> frozenset[str]:
    """Return the pinned identities: the setting's comma list, or else the lines of the file, or else none."""
    given = listed.split(",") if listed else path.read_text().splitlines() if path.is_file() else []
    return frozenset(one.strip() for one in given if one.strip())


def encoded(raw: bytes) -> str:
    """Return base64."""
    return base64.b64encode(raw).decode()


def decoded(text: str) -> bytes:
    """Read base64.

    Raises ValueError.
    """
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error
