"""Shapes that the parts of the contract share (OpenAPI 3.1)."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
TEXT: Json = {"type": "string"}
WHEN: Json = {"type": "string", "format": "date-time"}
MAYBE_TEXT: Json = {"type": ["string", "null"]}
MAYBE_WHEN: Json = {"type": ["string", "null"], "format": "date-time"}


def whole(**members: Json) -> Json:
    """Return an object that always has all of these members."""
    return {"type": "object", "required": list(members), "properties": members}


def certificate(*, subject: str, example: str) -> Json:
    """Return what is told of a certificate; the descriptions of two members are the caller's."""
    return whole(
        sha256=TEXT,
        subject={**TEXT, "description": subject},
        organization=TEXT,
        issuer=TEXT,
        valid_from=WHEN,
        valid_to=WHEN,
        is_example={"type": "boolean", "description": example},
    )
