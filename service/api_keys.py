"""API keys `prefix.secret`: how they are made, and what is kept of them. Whoever has the database has no key."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime
from typing import Any, Final

from service.clock import stamp

_PURPOSE: Final = b"teken/request-signing/v1"


def fresh(client: str, now: datetime, expires_at: datetime | None = None) -> tuple[str, dict[str, Any]]:
    """Return a new key, and the row that is kept of it."""
    prefix, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    row = {
        "prefix": prefix,
        "client": client,
        "hash": key_hash(secret),
        "signing": signing_key(secret).hex(),
        "created_at": stamp(now),
        "expires_at": stamp(expires_at) if expires_at else None,
    }
    return f"{prefix}.{secret}", row


def key_hash(secret: str) -> str:
    """SHA-256 is enough for 256 random bits; a slow hash would only slow every request."""
    return hashlib.sha256(secret.encode()).hexdigest()


def signing_key(secret: str) -> bytes:
    """Return what requests are signed with, from the secret half of a key."""
    return hmac.new(secret.encode(), _PURPOSE, hashlib.sha256).digest()
