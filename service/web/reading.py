"""What a request of a machine may look like: its body, its query. Anything else is refused with a code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from flask import request

from service.errors import BadRequest, Fault, LengthRequired, NotFound, TooLarge, UnsupportedMedia
from service.web import strictjson

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_BYTES = 4_000_000
_IDEMPOTENCY_KEY = re.compile(r"[!-~]{1,255}")
_PERMIT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NUMBER = re.compile(r"[0-9]{1,15}")


def body() -> tuple[Any, bytes]:
    """Return the JSON body, parsed and as it came.

    Raises LengthRequired, TooLarge, UnsupportedMedia, BadRequest.
    """
    if request.content_length is None:
        raise LengthRequired
    if request.content_length > MOST_BYTES:
        raise TooLarge
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype != "application/json" or charset not in {"utf-8", "utf8"}:
        raise UnsupportedMedia
    read = raw()
    return strictjson.loads(read), read


def raw() -> bytes:
    """Return the body as it came, however often it is asked for; none if nothing says how long it is. Raises TooLarge."""
    if (request.content_length or 0) > MOST_BYTES:
        raise TooLarge
    request.max_content_length = MOST_BYTES
    return request.get_data() if request.content_length is not None else b""


def idempotency_key() -> str | None:
    """Return the Idempotency-Key, if one was sent (draft-ietf-httpapi-idempotency-key-header-07).

    Raises BadRequest.
    """
    key = request.headers.get("Idempotency-Key")
    if key is not None and not _IDEMPOTENCY_KEY.fullmatch(key):
        raise BadRequest("idempotency_key_invalid")
    return key


def permit_id(text: str) -> str:
    """Return an id that may be one; anything else is as unknown as an unknown id."""
    if not _PERMIT_ID.fullmatch(text):
        raise NotFound("permit_unknown")
    return text


def numbers(**bounds: tuple[int, int, int]) -> Mapping[str, int]:
    """Return whole numbers of the query, by name: (default, minimum, maximum).

    Raises BadRequest naming every wrong one.
    """
    found, faults = {}, []
    for name, (default, minimum, maximum) in bounds.items():
        text = request.args.get(name, str(default))
        found[name] = int(text) if _NUMBER.fullmatch(text) else minimum - 1
        if not minimum <= found[name] <= maximum:
            params = {"minimum": str(minimum), "maximum": str(maximum)}
            faults.append(Fault(f"/{name}", "query_integer", params))
    if faults:
        raise BadRequest("query_invalid", faults=tuple(faults))
    return found
