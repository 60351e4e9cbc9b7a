"""The QR that proves its own data without the server: what it says, how it is written, signed and read (docs/QR.md, ADR 0047).

Read strictly: one way to write each value, and nothing behind it. Knows no key file and no database.
"""

from __future__ import annotations

import base64
import hashlib
import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    EllipticCurvePublicNumbers,
)
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from service.codes import ALPHABET, normalised
from service.errors import TekenError

VERSION: Final = 1
LONGEST: Final = 400
"""Characters of a fragment that anybody reads at all."""
NAME_BYTES: Final = 60
SIGNATURE_BYTES: Final = 64
KID_BYTES: Final = 4
_HALF: Final = SIGNATURE_BYTES // 2
_PAPER: Final = b"teken/qr/1\n"
_LIST: Final = b"teken/qr-list/1\n"
_ID: Final = b"teken/qr-id/1\n"
_ID_BYTES: Final = 8
_EPOCH: Final = date(1970, 1, 1)
_LAST_DAY: Final = 0xFFFF
_BASE32: Final = re.compile(r"[A-Z2-7]+")
_ALGORITHM: Final = ECDSA(SHA256(), deterministic_signing=True)
_MEMBERS: Final = (int, str, bytes, str, str, str, int, int)


class QrInvalid(TekenError):
    """A fragment that is malformed, of another code, or not signed with this key: nothing in it counts."""

    code = "qr_invalid"


@dataclass(frozen=True, slots=True)
class Payload:
    """What a QR says. `kid` is the first four bytes of the key's fingerprint, `kind` the type's document code."""

    office: str
    kid: bytes
    kind: str
    number: str
    holder: str
    valid_from: date
    valid_to: date


def signed(code: str, payload: Payload, key: EllipticCurvePrivateKey) -> str:
    """Return the fragment: base32 of payload and signature, for this code alone. The same input gives the same text."""
    body = written(payload)
    return _text(body + _sign(key, _PAPER + code_bits(code) + body))


def checked(code: str, fragment: str, key: EllipticCurvePublicKey) -> Payload:
    """Return what a fragment says, if `key` signed it for this code. Raises QrInvalid."""
    body, signature = parted(fragment)
    _verify(key, signature, _PAPER + code_bits(code) + body)
    payload = read(body)
    if payload.kid != kid_of(key):
        raise QrInvalid
    return payload


def parted(fragment: str) -> tuple[bytes, bytes]:
    """Return the bytes that a fragment writes, and the signature over them, unproven. Raises QrInvalid."""
    if len(fragment) > LONGEST or _BASE32.fullmatch(fragment) is None:
        raise QrInvalid
    try:
        whole = base64.b32decode(fragment + "=" * (-len(fragment) % 8))
    except ValueError:
        raise QrInvalid from None
    if _text(whole) != fragment or len(whole) <= SIGNATURE_BYTES:
        raise QrInvalid
    return whole[:-SIGNATURE_BYTES], whole[-SIGNATURE_BYTES:]


def written(payload: Payload) -> bytes:
    """Return the payload as canonical CBOR (RFC 8949, 4.2.1). Raises QrInvalid: a value that no QR may hold."""
    days = [_days(payload.valid_from), _days(payload.valid_to)]
    body = cbor2.dumps(
        [VERSION, payload.office, payload.kid, payload.kind, payload.number, payload.holder, *days], canonical=True
    )
    if read(body) != payload:
        raise QrInvalid
    return body


def read(body: bytes) -> Payload:
    """Return what canonical CBOR says; another version, shape or spelling is nothing. Raises QrInvalid."""
    try:
        found: Any = cbor2.loads(body)
    except (cbor2.CBORDecodeError, ValueError, OverflowError):
        raise QrInvalid from None
    if type(found) is not list or tuple(map(type, found)) != _MEMBERS or cbor2.dumps(found, canonical=True) != body:
        raise QrInvalid
    version, office, kid, kind, number, holder, first, last = found
    texts = (office, kind, number, holder)
    if version != VERSION or len(kid) != KID_BYTES or not (0 <= first <= last <= _LAST_DAY):
        raise QrInvalid
    if not all(text and text.isprintable() for text in texts):
        raise QrInvalid
    return Payload(office, kid, kind, number, holder, *(_EPOCH + timedelta(days=day) for day in (first, last)))


def short(name: str) -> str:
    """Return a holder's name as a QR has room for it: at most 60 bytes, and three dots in one where it is cut."""
    name = unicodedata.normalize("NFC", name)
    if len(name.encode()) <= NAME_BYTES:
        return name
    return name.encode()[: NAME_BYTES - 3].decode(errors="ignore").rstrip() + "…"


def code_bits(code: str) -> bytes:
    """Return the 80 bits of a verification code. Raises QrInvalid: no code."""
    known = normalised(code)
    if known is None:
        raise QrInvalid
    value = 0
    for letter in known:
        value = value << 5 | ALPHABET.index(letter)
    return value.to_bytes(10, "big")


def list_id(code: str) -> bytes:
    """Return the eight bytes that stand for a code in a list; nobody reads the code from them."""
    return hashlib.sha256(_ID + code_bits(code)).digest()[:_ID_BYTES]


def signed_list(body: bytes, key: EllipticCurvePrivateKey) -> bytes:
    """Return the signature over a revocation list."""
    return _sign(key, _LIST + body)


def check_list(body: bytes, signature: bytes, key: EllipticCurvePublicKey) -> None:
    """Raise QrInvalid unless `key` signed this list."""
    _verify(key, signature, _LIST + body)


def kid_of(key: EllipticCurvePublicKey) -> bytes:
    """Return a key's id: the beginning of the SHA-256 of its uncompressed point."""
    return hashlib.sha256(key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)).digest()[:KID_BYTES]


def coordinates(key: EllipticCurvePublicKey) -> tuple[str, str]:
    """Return x and y as a key list has them (RFC 7518, 6.2.1)."""
    numbers = key.public_numbers()
    return _base64url(numbers.x.to_bytes(_HALF, "big")), _base64url(numbers.y.to_bytes(_HALF, "big"))


def public_key(x: str, y: str) -> EllipticCurvePublicKey:
    """Return the key with these coordinates. Raises QrInvalid: no point on the curve."""
    try:
        across, up = (int.from_bytes(base64.urlsafe_b64decode(one + "="), "big") for one in (x, y))
        return EllipticCurvePublicNumbers(across, up, SECP256R1()).public_key()
    except ValueError:
        raise QrInvalid from None


def _days(day: date) -> int:
    return (day - _EPOCH).days


def _text(whole: bytes) -> str:
    return base64.b32encode(whole).decode().rstrip("=")


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def _sign(key: EllipticCurvePrivateKey, message: bytes) -> bytes:
    return b"".join(half.to_bytes(_HALF, "big") for half in decode_dss_signature(key.sign(message, _ALGORITHM)))


def _verify(key: EllipticCurvePublicKey, signature: bytes, message: bytes) -> None:
    r, s = (int.from_bytes(signature[at : at + _HALF], "big") for at in (0, _HALF))
    try:
        key.verify(encode_dss_signature(r, s), message, ECDSA(SHA256()))
    except InvalidSignature:
        raise QrInvalid from None
