"""The offline QR's keys and lists, as they stand in the contract (OpenAPI 3.1). Members are only ever added."""

from __future__ import annotations

from typing import Any

from service.web.shapes import MAYBE_WHEN, TEXT, WHEN, whole

_KEY = whole(
    office=TEXT,
    kid={**TEXT, "description": "The first four bytes of SHA-256 of the uncompressed point, in hex"},
    alg={"type": "string", "enum": ["ES256"]},
    x=TEXT,
    y=TEXT,
    state={"type": "string", "enum": ["active", "retired", "compromised"]},
    not_before=WHEN,
    not_after={**MAYBE_WHEN, "description": "When it ended"},
)
_LIST = whole(
    office=TEXT,
    list={**TEXT, "description": "base64url of canonical CBOR: docs/QR.md"},
    signature={**TEXT, "description": "base64url of r and s"},
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
        whole(keys={"type": "array", "items": _KEY}),
    ),
    "/api/v1/qr/revocations": _read(
        "qrRevocations",
        "A signed list per office of papers that are no longer in force; no key needed",
        whole(lists={"type": "array", "items": _LIST}),
    ),
}
