"""The public check by code, as it stands in the contract (OpenAPI 3.1). Members are only ever added."""

from __future__ import annotations

from typing import Any

from service.verification import PermitState

_TEXT = {"type": "string"}
_INSTANT = {"type": "string", "format": "date-time"}
_DAY = {"type": "string", "format": "date"}


def _object(**members: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(members), "properties": members}


def _list(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": of}


_PROOF = {
    "type": "string",
    "enum": ["bytes", "content"],
    "description": "content: a signing service wrote the file anew, so its content and look were compared, not every byte",
}
_CERTIFICATE = _object(
    sha256=_TEXT,
    subject={**_TEXT, "description": "The signer's name in the certificate, without a number of a person"},
    organization=_TEXT,
    issuer=_TEXT,
    valid_from=_INSTANT,
    valid_to=_INSTANT,
    is_example={"type": "boolean", "description": "A development certificate"},
)
_TIMESTAMP = _object(
    what={
        "type": "string",
        "enum": ["signature", "document"],
        "description": "document: an archive time-stamp over the whole file",
    },
    by=_TEXT,
    at=_INSTANT,
)
_SIGNATURE = _object(
    field=_TEXT,
    by=_TEXT,
    level=_TEXT,
    at={**_INSTANT, "description": "The signer's own claim; `timestamps` prove it"},
    proof=_PROOF,
    certificate={"oneOf": [_CERTIFICATE, {"type": "null"}]},
    timestamps=_list(_TIMESTAMP),
)
_PERMIT = _object(
    code=_TEXT,
    number=_TEXT,
    type=_TEXT,
    profession=_TEXT,
    holder={**_TEXT, "description": "In full or masked, by the office's policy"},
    practice_place=_list(_object(label=_TEXT, value=_TEXT)),
    valid_from=_DAY,
    valid_to={**_DAY, "description": "The last valid day"},
    office=_object(code=_TEXT, name=_TEXT, government=_TEXT),
    official=_object(name=_TEXT, title={**_TEXT, "description": "With Plt. or Plh. where the mandate says so"}),
    documents=_list(
        _object(version={"type": "integer"}, sha256=_TEXT, released_at=_INSTANT, signatures=_list(_SIGNATURE))
    ),
    history=_list(_object(what=_TEXT, at=_INSTANT)),
    replaced_by={
        "type": ["string", "null"],
        "description": "The code of the permit that replaced this one or, where its holder moved, revoked it",
    },
    replaced_because={
        "type": ["string", "null"],
        "description": "renewed, corrected (wrong data on this paper) or moved (another practice place)",
    },
    corrects_an_earlier_one={"type": "boolean", "description": "It may bear the number of the paper that it corrects"},
    address_on_paper={**_TEXT, "description": "Where the paper says that it is verified; no other address is ours"},
    is_example={"type": "boolean", "description": "Signed with a development certificate: no official document"},
    certificate_label=_TEXT,
)
ANSWER = _object(
    state={"type": "string", "enum": [str(state) for state in PermitState]},
    checked_at=_INSTANT,
    permit={"oneOf": [_PERMIT, {"type": "null"}]},
)


def _answer(description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": ANSWER}}}


OPENAPI_PATHS: dict[str, Any] = {
    "/api/v1/verify/{code}": {
        "parameters": [{"name": "code", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}],
        "get": {
            "operationId": "verifyCode",
            "summary": "What a permit is worth today, for anybody who has its code; no key needed",
            "security": [],
            "responses": {
                "200": _answer("An issued permit, whatever its standing"),
                "404": _answer("No issued permit has this code"),
                "503": _answer("The register can't be reached: nothing is known of the permit"),
            },
        },
    },
}
