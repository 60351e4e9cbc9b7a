"""What a signing process holds, in memory only: its ephemeral key, and each passphrase or key handed to it, for its batch and window.

Nothing here is ever written anywhere. What was wiped once is never taken again, whoever shows it.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from service.clock import instant
from service.errors import TekenError
from service.handover import Authority, Document, HandoverBroken, Sealed, check, unseal, wipe
from service.identity import REFRESH, Announcement, Identity
from service.keys import Courier, Opened, give_up, proven_by_use
from signing import SigningError

LONGEST_WINDOW = timedelta(minutes=60)
Opener = Callable[[str, str, bytearray], Opened]


class NotOnSealedList(TekenError):
    """The document is not one that the official sealed his passphrase for: it is never signed."""

    code = "not_on_sealed_list"


class WindowOver(TekenError):
    """This process no longer holds the batch's key."""

    code = "window_over"


@dataclass(slots=True)
class _Held:
    authority: Authority
    until: datetime
    deadline: float  # the same moment on a clock that nobody sets back
    passphrase: bytearray = field(repr=False)
    documents: frozenset[Document] = field(repr=False)
    key: Opened | None = field(default=None, repr=False)


class Custody:
    """One per signing process. `id` dies with the process, and so does everything that was sealed to it.

    `web_pins` gives the public keys of the web hosts that may hand over.
    """

    def __init__(self, identity: Identity, web_pins: Callable[[], frozenset[str]]) -> None:
        self.id = f"sgn_{secrets.token_hex(12)}"
        self._identity = identity
        self._web_pins = web_pins
        self._ephemeral = X25519PrivateKey.generate()
        self._held: dict[str, _Held] = {}
        self._seen: set[str] = set()
        self._newest: dict[str, str] = {}
        self._tried: dict[str, str | None] = {}
        self._announced: datetime | None = None

    def __reduce__(self) -> str:
        raise TypeError("custody is never pickled")

    def announcement(self, now: datetime) -> Announcement | None:
        """Return what to announce, None while the last announcement is fresh."""
        if self._announced is not None and timedelta() <= now - self._announced < REFRESH:
            return None
        self._announced = now
        return self._identity.announce(self.id, self._ephemeral.public_key().public_bytes_raw(), now)

    def has_seen(self, signature: str) -> bool:
        """Tell whether what bears this signature was shown already, and so is never taken (again)."""
        return signature in self._seen

    def take(self, sealed: Sealed, now: datetime) -> None:
        """Open what a pinned web host sealed to this process and hold it until its window ends; each seal counts once.

        Anything else changes nothing: what is held stays. Raises HandoverBroken.
        """
        if self.has_seen(sealed.signature):
            return
        self._seen.add(sealed.signature)
        check(sealed, self._web_pins(), now)
        if sealed.sealed_at < self._newest.get(sealed.batch, ""):
            raise HandoverBroken(sealed.batch)
        self._newest[sealed.batch] = sealed.sealed_at
        self._tried.pop(sealed.batch, None)
        self.drop(sealed.batch)
        authority, passphrase = unseal(sealed, self._ephemeral)
        until = _until(authority, now)
        if until is None:
            wipe(passphrase)
            raise HandoverBroken(sealed.batch)
        deadline = time.monotonic() + (until - now).total_seconds()
        self._held[sealed.batch] = _Held(authority, until, deadline, passphrase, frozenset(authority.documents))

    def batches(self, now: datetime) -> frozenset[str]:
        """Return the batches whose window is open; what is over is wiped here."""
        for batch, held in list(self._held.items()):
            if now >= held.until or time.monotonic() >= held.deadline:
                self.drop(batch)
        return frozenset(self._held)

    def ready(self, now: datetime) -> frozenset[str]:
        """Return the batches whose key is open."""
        return frozenset(batch for batch in self.batches(now) if self._held[batch].key is not None)

    def unproven(self, now: datetime) -> frozenset[str]:
        """Return the batches whose key is open, and whose secret only a first signature proves."""
        keys = {batch: self._held[batch].key for batch in self.ready(now)}
        return frozenset(batch for batch, key in keys.items() if key is not None and proven_by_use(key))

    def chunk(self, batch: str, now: datetime) -> int:
        """Return how many documents of a batch go to its service in one request; one where they are signed here."""
        courier = self._courier(batch, now)
        return courier.client.chunk if courier is not None else 1

    def once(self, batch: str, now: datetime) -> bool:
        """Tell whether what was typed is good for one request: the first one takes as many documents as it may."""
        courier = self._courier(batch, now)
        return courier is not None and courier.once

    def alone(self, batch: str, now: datetime) -> bool:
        """Tell whether a one-time code was typed: whoever proved it uses it, so that no service sees an old one twice."""
        courier = self._courier(batch, now)
        return courier is not None and courier.code is not None

    def _courier(self, batch: str, now: datetime) -> Courier | None:
        key = self._held[batch].key if batch in self.ready(now) else None
        return key if isinstance(key, Courier) else None

    def open(self, batch: str, opener: Opener) -> str | None:
        """Try the passphrase on the key, once, and return the fault's code; asked again, tell what the one attempt found."""
        if batch not in self._tried:
            held = self._held[batch]
            try:
                held.key = opener(held.authority.official, held.authority.certificate_sha256, held.passphrase)
                self._tried[batch] = None
            except (TekenError, SigningError) as error:
                self._tried[batch] = error.code
            finally:
                wipe(held.passphrase)
        return self._tried[batch]

    def key(self, batch: str, official: str, certificate_sha256: str, document: Document, now: datetime) -> Opened:
        """Return the key for one document: all that the signature will cover and draw must be as it was sealed.

        Raises WindowOver, NotOnSealedList.
        """
        held = self._held[batch] if batch in self.batches(now) else None
        if held is None or held.key is None:
            raise WindowOver(batch=batch)
        allowed = (held.authority.official, held.authority.certificate_sha256)
        if document not in held.documents or (official, certificate_sha256) != allowed:
            raise NotOnSealedList(batch=batch)
        return held.key

    def drop(self, batch: str) -> None:
        """Wipe what is held for a batch."""
        held = self._held.pop(batch, None)
        if held is not None:
            wipe(held.passphrase)
            if held.key is not None:
                give_up(held.key)
            held.key = None

    def close(self) -> None:
        """Wipe everything."""
        for batch in list(self._held):
            self.drop(batch)


def _until(authority: Authority, now: datetime) -> datetime | None:
    """Return when the window ends: as the official sealed it, and never later than an hour from now. None if it is over."""
    try:
        until = min(instant(authority.expires_at), now + LONGEST_WINDOW)
    except ValueError:
        return None
    return until if until > now else None
