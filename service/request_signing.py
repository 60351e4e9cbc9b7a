"""Requests that prove their key without sending it: an HMAC over method, target, time, nonce and body, once and within five minutes.

Authorization: TEKEN-HMAC-SHA256 Key=<prefix>, Timestamp=<seconds>, Nonce=<16 to 64>, Signature=<hex>
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, insert
from sqlalchemy.exc import IntegrityError

from service.api_keys import signing_key
from service.clients import Client, admitted, live_key
from service.clock import stamp
from service.errors import Unauthenticated
from service.store.client_tables import request_nonces

if TYPE_CHECKING:
    from service.wiring import Teken

SCHEME: Final = "TEKEN-HMAC-SHA256"
WINDOW: Final = timedelta(minutes=5)
REMEMBERED: Final = 2 * WINDOW
"""A nonce of before is of no request that would still be believed."""


class SignatureStale(Unauthenticated):
    """The request's time is more than five minutes from ours."""

    code = "signature_stale"


class SignatureUsed(Unauthenticated):
    """The nonce came before: the request is a copy."""

    code = "signature_used"


@dataclass(frozen=True, slots=True)
class Signed:
    """A request as it came. `target` is path and query as sent; `timestamp` in seconds since 1970."""

    key: str
    timestamp: int
    nonce: str
    signature: str
    method: str
    target: str
    body_sha256: str

    @property
    def text(self) -> bytes:
        """What is signed."""
        parts = (SCHEME, self.method, self.target, str(self.timestamp), self.nonce, self.body_sha256)
        return "\n".join(parts).encode()


def header(key: str, method: str, target: str, body: bytes, *, at: datetime, nonce: str) -> str:
    """Return the Authorization header that signs a request with an API key `prefix.secret`; what a client does."""
    prefix, _, secret = key.partition(".")
    request = Signed(prefix, int(at.timestamp()), nonce, "", method, target, hashlib.sha256(body).hexdigest())
    signature = hmac.new(signing_key(secret), request.text, hashlib.sha256).hexdigest()
    return f"{SCHEME} Key={prefix}, Timestamp={request.timestamp}, Nonce={nonce}, Signature={signature}"


def authenticate_signed(teken: Teken, request: Signed) -> Client:
    """Return the client that signed the request.

    Raises Unauthenticated, SignatureStale, SignatureUsed, KeyExpired; the last three only to who has the secret.
    """
    row = live_key(teken, request.key, to_sign=True)
    key = bytes.fromhex(row.signing) if row is not None and row.signing else signing_key("")
    right = hmac.compare_digest(hmac.new(key, request.text, hashlib.sha256).hexdigest(), request.signature)
    if row is None or not row.signing or not right:
        raise Unauthenticated
    now = teken.clock.now()
    if abs(now - _at(request.timestamp)) > WINDOW:
        raise SignatureStale
    client = admitted(teken, row)
    _once(teken, request, now)
    return client


def _once(teken: Teken, request: Signed, now: datetime) -> None:
    """Note the nonce; what is older than any request that would be believed is forgotten. Raises SignatureUsed."""
    try:
        with teken.db.write() as connection:
            connection.execute(delete(request_nonces).where(request_nonces.c.at < stamp(now - REMEMBERED)))
            connection.execute(insert(request_nonces).values(prefix=request.key, nonce=request.nonce, at=stamp(now)))
    except IntegrityError:
        raise SignatureUsed from None


def _at(seconds: int) -> datetime:
    return datetime.fromtimestamp(min(seconds, 10**11), UTC)
