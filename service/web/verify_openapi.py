"""The public check by code, as it stands in the contract (OpenAPI 3.1). Members are only ever added."""

from __future__ import annotations

from typing import Any

from service.verification import PermitState
from service.web.shapes import TEXT, WHEN, certificate, whole

_DAY = {"type": "string", "format": "date"}


def _list(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": of}


_PROOF = {
    "type": "string",
    "enum": ["bytes", "content"],
    "description": "content: a signing service wrote the file anew, so its content and look were compared, not every byte",
}
_CERTIFICATE = certificate(
    subject="The signer's name in the certificate, without a number of a person", example="A development certificate"
)
_TIMESTAMP = whole(
    what={
        "type": "string",
        "enum": ["signature", "document"],
        "description": "document: an archive time-stamp over the whole file",
    },
    by=TEXT,
    at=WHEN,
)
_SIGNATURE = whole(
    field=TEXT,
    by=TEXT,
    level=TEXT,
    at={**WHEN, "description": "The signer's own claim; `timestamps` prove it"},
    proof=_PROOF,
    certificate={"oneOf": [_CERTIFICATE, {"type": "null"}]},
    timestamps=_list(_TIMESTAMP),
)
_PERMIT = whole(
    code=TEXT,
    number=TEXT,
    type=TEXT,
    profession=TEXT,
    holder={**TEXT, "description": "In full or masked, by the office's policy"},
    practice_place=_list(whole(label=TEXT, value=TEXT)),
    valid_from=_DAY,
    valid_to={**_DAY, "description": "The last valid day"},
    office=whole(code=TEXT, name=TEXT, government=TEXT),
    official=whole(name=TEXT, title={**TEXT, "description": "With Plt. or Plh. where the mandate says so"}),
    documents=_list(whole(version={"type": "integer"}, sha256=TEXT, released_at=WHEN, signatures=_list(_SIGNATURE))),
    history=_list(whole(what=TEXT, at=WHEN)),
    replaced_by={
        "type": ["string", "null"],
        "description": "The code of the permit that replaced this one or, where its holder moved, revoked it",
    },
    replaced_because={
        "type": ["string", "null"],
        "description": "renewed, corrected (wrong data on this paper) or moved (another practice place)",
    },
    corrects_an_earlier_one={"type": "boolean", "description": "It may bear the number of the paper that it corrects"},
    address_on_paper={**TEXT, "description": "Where the paper says that it is verified; no other address is ours"},
    is_example={"type": "boolean", "description": "Signed with a development certificate: no official document"},
    certificate_label=TEXT,
)
ANSWER = whole(
    state={"type": "string", "enum": [str(state) for state in PermitState]},
    checked_at=WHEN,
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
