"""One canonical JSON text, so that equal content has equal bytes wherever it is hashed."""

from __future__ import annotations

import hashlib
import json
from typing import Any

GENESIS = "0" * 64


def dumps(value: Any) -> str:
    """Return sorted, compact, UTF-8-clean JSON (the RFC 8785 subset without floating point numbers)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(value: Any) -> str:
    """Return the hex SHA-256 of the canonical text."""
    return hashlib.sha256(dumps(value).encode()).hexdigest()
