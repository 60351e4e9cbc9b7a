"""Who asks over the API: by an API key that is sent, or by a request that is signed with one."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from flask import request

from service.clients import Client, authenticate
from service.errors import Unauthenticated
from service.request_signing import SCHEME, Signed, authenticate_signed
from service.web import reading

if TYPE_CHECKING:
    from service.wiring import Teken

_BEARER = re.compile(r"bearer +([A-Za-z0-9_-]{1,64}\.[A-Za-z0-9_-]{1,128})", re.IGNORECASE)
_SIGNED = re.compile(
    SCHEME
    + r" +Key=([A-Za-z0-9_-]{1,64}), *Timestamp=([0-9]{1,12}), *Nonce=([A-Za-z0-9_-]{16,64}), *Signature=([0-9a-f]{64})"
)


def client(teken: Teken) -> Client:
    """Return the client of the request. Raises Unauthenticated, TooLarge."""
    given = request.headers.get("Authorization", "")
    if (key := _BEARER.fullmatch(given)) is not None:
        return authenticate(teken, key[1])
    if (signed := _SIGNED.fullmatch(given)) is not None:
        return authenticate_signed(teken, _signed(*signed.groups()))
    raise Unauthenticated


def _signed(key: str, timestamp: str, nonce: str, signature: str) -> Signed:
    target = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or request.full_path
    body = hashlib.sha256(reading.raw()).hexdigest()
    return Signed(key, int(timestamp), nonce, signature, request.method, target, body)
