"""Random codes for people to read and type: Crockford base32, no I, L, O, U."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 16
_CONFUSED = str.maketrans({"I": "1", "L": "1", "O": "0"})


def crockford(length: int) -> str:
    """Return `length` random characters, five bits each."""
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in secrets.token_bytes(length))


def normalised(typed: str) -> str | None:
    """Return the verification code that a person meant, or None: any case, spaces or hyphens, I/L for 1, O for 0."""
    code = typed.replace("-", "").replace(" ", "").upper().translate(_CONFUSED)
    return code if len(code) == CODE_LENGTH and set(code) <= set(ALPHABET) else None


def grouped(code: str) -> str:
    """Return the code in groups of four, as it is printed."""
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


def readable_url(public_url: str, code: str) -> str:
    """Return the address in the QR, in upper case so that the QR stays in alphanumeric mode (§8). It works for ever."""
    parts = urlsplit(public_url)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}/V/{code}".upper()


def normalised_ticket(typed: str) -> str:
    """Return a ticket code as stored; anything that is none compares unequal."""
    return typed.replace("-", "").replace(" ", "").upper().translate(_CONFUSED)
