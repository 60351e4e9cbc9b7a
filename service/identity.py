"""Who a host is: a long-term key that the others pin. It vouches for a signing host's processes, and for what a web host hands over.

What is in the database is only a claim: a row counts if a pinned identity signed exactly it, and only until the moment that it names.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from service.canonical import dumps
from service.clock import instant, stamp
from service.keyfile import key_file, write_once

if TYPE_CHECKING:
    from service.settings import Settings

CONTEXT = "teken/signer/v1\n"
LIFETIME = timedelta(seconds=60)
REFRESH = timedelta(seconds=15)
SKEW = timedelta(seconds=30)
"""How far two hosts' clocks may be apart."""
_OPEN_TO_OTHERS = 0o077


class IdentityExposed(Exception):
    """The identity's file can be read by others: whoever copied it can pose as this host."""


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
    """A host's key."""

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
        """What the others pin."""
        return encoded(self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    def announce(self, process: str, public_key: bytes, now: datetime) -> Announcement:
        """Vouch for a process's ephemeral key for a minute."""
        said = Announcement(process, self.public, encoded(public_key), stamp(now), stamp(now + LIFETIME))
        return Announcement(**{**asdict(said), "signature": self.sign(said.signed_text)})

    def sign(self, text: bytes) -> str:
        """Sign a text that begins with a context of its own; return base64."""
        return encoded(self.key.sign(text))


def holds(host_key: str, signature: str, text: bytes) -> bool:
    """Tell whether the host of this key (base64) signed the text."""
    try:
        Ed25519PublicKey.from_public_bytes(decoded(host_key)).verify(decoded(signature), text)
    except (ValueError, InvalidSignature):
        return False
    return True


def vouched(said: Announcement, pins: frozenset[str], now: datetime) -> bool:
    """Tell whether a pinned identity says so, and says it now: nothing expired, nothing post-dated, nothing long-lived."""
    if said.host_key not in pins:
        return False
    try:
        announced, expires = instant(said.announced_at), instant(said.expires_at)
    except ValueError:
        return False
    timely = announced - SKEW <= now < expires and expires - announced <= LIFETIME
    return timely and holds(said.host_key, said.signature, said.signed_text)


def pin_once(path: Path, identity: Identity) -> None:
    """On one machine: who starts first writes the pin that the others read. Never changed by us."""
    write_once(path, f"{identity.public}\n".encode(), 0o644)


def web_identity(settings: Settings) -> Identity:
    """Read or make this host's identity as a web host; on one machine, pin it for the signing processes that share the folder.

    Raises IdentityExposed.
    """
    identity = Identity.at(settings.web_identity_file)
    if not settings.pinned_web:
        pin_once(settings.web_pins, identity)
    return identity


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
