"""JSON as RFC 8259 means it, and nothing that two readers could understand differently (RFC 7493, I-JSON)."""

from __future__ import annotations

import json
import math
from typing import Any

from service.errors import BadRequest

MOST_LEVELS = 20
MOST_DIGITS = 15  # every integer of 15 digits survives a JavaScript reader; identifiers are strings


def loads(raw: bytes) -> Any:
    """Return the value of a JSON text.

    Raises BadRequest: json_encoding, json_syntax, json_duplicate_key, json_number, json_depth, json_surrogate.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise BadRequest("json_encoding") from None
    if text.startswith("\ufeff"):
        raise BadRequest("json_encoding")
    try:
        value = json.loads(
            text, object_pairs_hook=_object, parse_int=_integer, parse_float=_decimal, parse_constant=_constant
        )
    except RecursionError:
        raise _too_deep() from None
    except json.JSONDecodeError:
        raise BadRequest("json_syntax") from None
    _check(value)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise BadRequest("json_duplicate_key")
    return members


def _integer(digits: str) -> int:
    if len(digits.lstrip("-")) > MOST_DIGITS:
        raise BadRequest("json_number")
    return int(digits)


def _decimal(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise BadRequest("json_number")
    return value


def _constant(_name: str) -> float:
    raise BadRequest("json_number")


def _check(value: Any) -> None:
    """Walk level by level, so that depth costs no stack."""
    level, depth = [value], 0
    while level:
        inner: list[Any] = []
        for item in level:
            if isinstance(item, str):
                _check_text(item)
            elif isinstance(item, dict):
                inner += item.keys()
                inner += item.values()
            elif isinstance(item, list):
                inner += item
        depth += any(isinstance(item, dict | list) for item in level)
        if depth > MOST_LEVELS:
            raise _too_deep()
        level = inner


def _check_text(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise BadRequest("json_surrogate") from None


def _too_deep() -> BadRequest:
    return BadRequest("json_depth", limit=str(MOST_LEVELS))
