"""The offline QR's keys and lists, as they stand in the contract (OpenAPI 3.1). Members are only ever added."""

from __future__ import annotations

from typing import Any

_TEXT = {"type": "string"}


def _object(**members: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(members), "properties": members}


_KEY = _object(
    office=_TEXT,
    kid={**_TEXT, "description": "The first four bytes of SHA-256 of the uncompressed point, in hex"},
    alg={"type": "string", "enum": ["ES256"]},
    x=_TEXT,
    y=_TEXT,
    state={"type": "string", "enum": ["active", "retired", "compromised"]},
    not_before={"type": "string", "format": "date-time"},
    not_after={"type": ["string", "null"], "format": "date-time", "description": "When it ended"},
)
_LIST = _object(
    office=_TEXT,
    list={**_TEXT, "description": "base64url of canonical CBOR: docs/QR.md"},
    signature={**_TEXT, "description": "base64url of r and s"},
)


def _read(operation: str, summary: str, answer: dict[str, Any]) -> dict[str, Any]:
    content = {"application/json": {"schema": answer}}
    return {
        "get": {
            "operationId": operation,
            "summary": summary,
            "security": [],
            "responses": {"200": {"description": "All of them", "content": content}},
        }
    }


OPENAPI_PATHS: dict[str, Any] = {
    "/api/v1/qr/keys": _read(
        "qrKeys",
        "Every key that ever signed the QR of a paper; no key needed",
        _object(keys={"type": "array", "items": _KEY}),
    ),
    "/api/v1/qr/revocations": _read(
        "qrRevocations",
        "A signed list per office of papers that are no longer in force; no key needed",
        _object(lists={"type": "array", "items": _LIST}),
    ),
}
