"""What BSrE's Esign Client Service answers, as integrators have seen it: numbers or texts, 500 with a file, keys misspelt.

A message of the service is never passed on: it may name a person. Only its number is.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from signing.backends.documents import Order, Result, Returned
from signing.backends.wire import Answer
from signing.errors import KeyUnusable, SigningError, SigningFailed

AccountStatus = Literal["active", "not_registered", "expired", "pending", "revoked", "unknown"]

_ACTIVE, _UNREGISTERED, _UNKNOWN_SIGNER, _WRONG_PASSPHRASE = 1111, 1110, 2011, 2031
_STATUS: Final[dict[str, AccountStatus]] = {
    "ISSUE": "active",
    "NOT_REGISTERED": "not_registered",
    "EXPIRED": "expired",
    "PENDING": "pending",
    "REVOKED": "revoked",
}
_TOO_MANY, _UNAVAILABLE = 429, 503
_LOGIN: Final = {401, 403}
_CLIENT_ERRORS: Final = range(300, 500)
_SERVER_ERRORS: Final = 500
_OWN_NUMBERS: Final = range(1000, 10000)
"""Lower ones are HTTP's, repeated in the body by the service or by whatever stands before it, or mean success."""
_DIGITS: Final = 9


@dataclass(frozen=True, slots=True)
class Verified:
    """The service's own opinion of a file: a hint, never our proof. `timestamped` counts signatures with a time-stamp."""

    valid: bool
    signatures: int
    fields: tuple[str, ...]
    timestamped: int


def status_code(body: Any) -> int | None:
    """The service's own number, which some builds send as text and some under another key."""
    if not isinstance(body, dict):
        return None
    for key in ("status_code", "statusCode", "code"):
        found = str(body.get(key, "")).strip()
        if found.isdecimal() and len(found) <= _DIGITS:
            return int(found)
    return None


def account_status(answer: Answer) -> AccountStatus:
    """What `user/check/status` says of a signer. Raises SigningFailed service_unclear, login_refused."""
    if answer.status in _LOGIN:
        raise SigningFailed("login_refused", f"HTTP {answer.status}")
    number, body = status_code(answer.json), answer.json if isinstance(answer.json, dict) else {}
    if number in {_UNREGISTERED, _UNKNOWN_SIGNER}:
        return "not_registered"
    word = str(body.get("status", "")).strip().upper().replace(" ", "_")
    if word in _STATUS:
        return _STATUS[word]
    if number == _ACTIVE:
        return "active"
    if number is None and not word:
        raise SigningFailed("service_unclear", f"HTTP {answer.status}")
    return "unknown"


def refusal(answer: Answer, *, totp: bool) -> SigningError:
    """Why a request for signatures gave none. Anything that may have happened after signing is `outcome_unknown`."""
    number = status_code(answer.json)
    told = f"HTTP {answer.status}" + (f", {number}" if number is not None else "")
    if number == _WRONG_PASSPHRASE:
        return KeyUnusable("totp_wrong" if totp else "passphrase_wrong", told)
    if number in {_UNKNOWN_SIGNER, _UNREGISTERED}:
        return KeyUnusable("not_registered", told)
    if answer.status in _LOGIN:
        return SigningFailed("login_refused", told)
    if _is_not_taken(answer):
        return SigningFailed("service_busy", told)
    if answer.status in _CLIENT_ERRORS or (answer.status < _SERVER_ERRORS and _is_fault(number)):
        return SigningFailed("service_refused", told)
    return SigningFailed("outcome_unknown", told)


def _is_not_taken(answer: Answer) -> bool:
    """A 503 without a moment to come back at may be a proxy's word for a service that went on signing."""
    return answer.status == _TOO_MANY or (answer.status == _UNAVAILABLE and answer.retry_after is not None)


def _is_fault(number: int | None) -> bool:
    return number in _OWN_NUMBERS and number != _ACTIVE


def files(answer: Answer) -> list[bytes | None] | None:
    """The files of an answer, whatever its status; None if it holds none. A file that can't be decoded is None."""
    body = answer.json if isinstance(answer.json, dict) else {}
    found = next((body[key] for key in ("file", "files", "base64_signed_file") if body.get(key)), None)
    listed = [found] if isinstance(found, str) else found
    if not isinstance(listed, list):
        return None
    decoded = [_decoded(one) for one in listed]
    return decoded if any(decoded) else None


def _decoded(text: Any) -> bytes | None:
    try:
        content = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except (ValueError, binascii.Error):
        return None
    return content if b"%PDF-" in content[:1024] else None


def matched(orders: Sequence[Order], returned: Sequence[bytes | None]) -> tuple[Result, ...]:
    """Each order with its file: by the bytes that were sent, then by place if none is missing.

    An order without a file may have been signed all the same: `outcome_unknown`.
    """
    left = list(returned)
    found: list[bytes | None] = []
    for order in orders:
        own = next((at for at, one in enumerate(left) if one is not None and one.startswith(order.pdf)), None)
        found.append(None if own is None else left[own])
        if own is not None:
            left[own] = None
    if len(returned) == len(orders):
        found = [own or (other if other in left else None) for own, other in zip(found, returned, strict=True)]
    unknown = SigningFailed("outcome_unknown", "the answer holds no file for it")
    return tuple(Result(Returned(one)) if one else Result(error=unknown) for one in found)


def verified(answer: Answer) -> Verified:
    """What `verify/pdf` says. HTTP 200 is not an opinion. Raises SigningFailed service_unclear, login_refused."""
    if answer.status in _LOGIN:
        raise SigningFailed("login_refused", f"HTTP {answer.status}")
    body = answer.json
    if not isinstance(body, dict) or "conclusion" not in body:
        raise SigningFailed("service_unclear", f"HTTP {answer.status}")
    entries = [one for one in body.get("signatureInformations") or [] if isinstance(one, dict)]
    sound = all(one.get("integrityValid") is True and one.get("certificateTrusted") is True for one in entries)
    stamps = [one.get("timestampInfomation") or one.get("timestampInformation") for one in entries]
    return Verified(
        valid=bool(entries) and sound and str(body["conclusion"]).upper() == "VALID",
        signatures=len(entries),
        fields=tuple(str(one.get("fieldName", "")) for one in entries),
        timestamped=sum(bool(stamp) for stamp in stamps),
    )
