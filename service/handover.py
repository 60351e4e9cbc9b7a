"""Seals a passphrase to living signing processes, together with all that it may be used for; opens it on their side.

Anybody can seal to a public key, so the web host signs what it sealed, and a signing process looks at nothing else.
X25519 with a fresh sender key per recipient, HKDF-SHA256, ChaCha20-Poly1305; the context is bound as associated data.
Passphrases and derived keys live in bytearrays and are overwritten here. What the libraries copy inside is theirs.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from service.canonical import dumps
from service.clock import instant, stamp
from service.identity import SKEW, Identity, holds

CONTEXT = "teken/handover/v2"
SEALED_BY = "teken/sealed-by/v1\n"
"""What the web host signs begins with it: its key signs nothing else, and no other signature of ours reads like this."""
FRESH = timedelta(minutes=5)
"""How late a signing process may still take what was sealed to it: longer than its slowest document takes."""
LONGEST = 255
"""Bytes of a passphrase."""
_KEY, _TAG = 32, 16
_NONCE = bytes(12)  # each key seals once
_HEX = b"0123456789abcdef"
_OPENING, _CLOSING = b',"passphrase":"', b'"}'
_TAIL = (
    2 * LONGEST
)  # the plaintext is as long for a short passphrase: its length stays unknown to who sees the ciphertext


class HandoverBroken(Exception):
    """The ciphertext was not made for this key and this batch, was changed, or is not freshly signed by a pinned web host."""


Document = tuple[str, str, str]
"""A permit, the SHA-256 of the bytes that were read, and the address that the signature draws beyond them."""


@dataclass(frozen=True, slots=True)
class Authority:
    """What the official allowed: exactly these documents, until then, with this certificate. Instants are `clock.stamp` texts."""

    batch: str
    official: str
    certificate_sha256: str
    expires_at: str
    documents: tuple[Document, ...]
    """Sorted."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """A living signing process and its ephemeral public key."""

    id: str
    public_key: bytes


@dataclass(frozen=True, slots=True)
class Sealed:
    """What is stored for one signing process. Host key and signature are base64, the web host's."""

    batch: str
    signer: str
    sender_key: bytes
    ciphertext: bytes
    host_key: str = ""
    sealed_at: str = ""
    signature: str = ""

    @property
    def signed_text(self) -> bytes:
        """Everything but the signature."""
        told = {"batch": self.batch, "signer": self.signer, "sender_key": self.sender_key.hex()}
        told |= {"ciphertext_sha256": hashlib.sha256(self.ciphertext).hexdigest()}
        return (SEALED_BY + dumps({**told, "host_key": self.host_key, "sealed_at": self.sealed_at})).encode()


def seal(authority: Authority, passphrase: bytearray, recipients: Iterable[Recipient]) -> list[Sealed]:
    """Seal to each recipient. The passphrase is the caller's to wipe.

    Raises ValueError if it is empty or longer than LONGEST bytes.
    """
    if not 0 < len(passphrase) <= LONGEST:
        raise ValueError("length of the passphrase")
    plaintext = _plaintext(authority, passphrase)
    try:
        return [_sealed(authority.batch, plaintext, recipient) for recipient in recipients]
    finally:
        wipe(plaintext)


def signed(sealed: Sealed, web: Identity, now: datetime) -> Sealed:
    """The web host vouches for what it sealed just now."""
    said = replace(sealed, host_key=web.public, sealed_at=stamp(now))
    return replace(said, signature=web.sign(said.signed_text))


def check(sealed: Sealed, pins: frozenset[str], now: datetime) -> None:
    """Raise HandoverBroken unless a pinned web host signed exactly this, and lately."""
    try:
        fresh = timedelta() <= now - instant(sealed.sealed_at) + SKEW <= FRESH + SKEW
    except ValueError:
        fresh = False
    if not (fresh and sealed.host_key in pins and holds(sealed.host_key, sealed.signature, sealed.signed_text)):
        raise HandoverBroken(sealed.batch)


def unseal(sealed: Sealed, key: X25519PrivateKey) -> tuple[Authority, bytearray]:
    """Open what was sealed to this key; the caller wipes the passphrase.

    Raises HandoverBroken.
    """
    plaintext = bytearray(max(0, len(sealed.ciphertext) - _TAG))
    try:
        public = key.public_key().public_bytes_raw()
        with _cipher(key, sealed.sender_key, _context(sealed.batch, sealed.signer, public, sealed.sender_key)) as use:
            use.cipher.decrypt_into(_NONCE, sealed.ciphertext, use.context, plaintext)
        authority, passphrase = _read(plaintext)
    except (ValueError, KeyError, TypeError, InvalidTag):
        raise HandoverBroken(sealed.batch) from None
    finally:
        wipe(plaintext)
    if authority.batch != sealed.batch:
        wipe(passphrase)
        raise HandoverBroken(sealed.batch)
    return authority, passphrase


def wipe(secret: bytearray) -> None:
    """Overwrite in place."""
    secret[:] = bytes(len(secret))


@dataclass(frozen=True, slots=True)
class _Use:
    cipher: ChaCha20Poly1305
    context: bytes


def _sealed(batch: str, plaintext: bytearray, to: Recipient) -> Sealed:
    mine = X25519PrivateKey.generate()
    public = mine.public_key().public_bytes_raw()
    ciphertext = bytearray(len(plaintext) + _TAG)
    with _cipher(mine, to.public_key, _context(batch, to.id, to.public_key, public)) as use:
        use.cipher.encrypt_into(_NONCE, plaintext, use.context, ciphertext)
    return Sealed(batch, to.id, public, bytes(ciphertext))


@contextmanager
def _cipher(mine: X25519PrivateKey, theirs: bytes, context: bytes) -> Iterator[_Use]:
    key, shared = bytearray(_KEY), mine.exchange(X25519PublicKey.from_public_bytes(theirs))
    try:
        HKDF(SHA256(), _KEY, salt=None, info=context).derive_into(shared, key)
        yield _Use(ChaCha20Poly1305(key), context)
    finally:
        wipe(key)
        _wipe_immutable(shared)


def _context(batch: str, signer: str, signer_key: bytes, sender_key: bytes) -> bytes:
    told = {"context": CONTEXT, "batch": batch, "signer": signer}
    return dumps({**told, "signer_key": signer_key.hex(), "sender_key": sender_key.hex()}).encode()


def _plaintext(authority: Authority, passphrase: bytearray) -> bytearray:
    """Canonical JSON, written so that the passphrase is never a str or bytes object: its key sorts last, its value is hex."""
    told = {
        "batch": authority.batch,
        "certificate_sha256": authority.certificate_sha256,
        "documents": sorted(authority.documents),
        "expires_at": authority.expires_at,
        "official": authority.official,
    }
    head = bytearray(dumps(told).encode())[:-1] + _OPENING
    whole = bytearray(len(head) + 2 * len(passphrase) + len(_CLOSING))  # at its full length at once: growing would copy
    whole[: len(head)] = head
    for place, byte in enumerate(passphrase):
        whole[len(head) + 2 * place], whole[len(head) + 2 * place + 1] = _HEX[byte >> 4], _HEX[byte & 15]
    whole[-len(_CLOSING) :] = _CLOSING
    padded = bytearray(b" ") * (len(head) + _TAIL + len(_CLOSING))
    padded[: len(whole)] = whole
    wipe(whole)
    return padded


def _read(plaintext: bytearray) -> tuple[Authority, bytearray]:
    split = plaintext.rindex(_OPENING)
    told = json.loads(bytes(plaintext[:split]) + b"}")
    start, end = split + len(_OPENING), plaintext.rindex(_CLOSING)
    passphrase = bytearray((end - start) // 2)
    for place in range(len(passphrase)):
        digits = start + 2 * place
        passphrase[place] = _HEX.index(plaintext[digits]) << 4 | _HEX.index(plaintext[digits + 1])
    documents = tuple((str(permit), str(sha), str(address)) for permit, sha, address in told.pop("documents"))
    return Authority(**told, documents=documents), passphrase


def _wipe_immutable(secret: bytes) -> None:
    """Overwrite a bytes object that nobody else holds (X25519's shared secret, which the library gives in no other form)."""
    ctypes.memset(id(secret) + bytes.__basicsize__ - 1, 0, len(secret))
