"""The public check of a file, as it stands in the contract (OpenAPI 3.1). Members are only ever added."""

from __future__ import annotations

from service.verification import MOST_BYTES, PermitState, Verdict, file_words
from service.web.shapes import MAYBE_TEXT, MAYBE_WHEN, TEXT, Json, certificate, whole
from service.web.uploads import FIELDS

_FILE: Json = {"type": "string", "format": "binary", "minLength": 1}

REFUSED = {
    400: "There is no file, or it did not arrive whole",
    413: f"The file is over {MOST_BYTES // 1_000_000} MB",
    415: "The body is neither application/pdf nor multipart/form-data",
    503: "So many files are being checked that this one was not looked at: ask again after Retry-After",
}
BODY: Json = {
    "required": True,
    "description": "The PDF itself, or a form with it. It is not kept",
    "content": {
        "multipart/form-data": {
            "schema": {"type": "object", "required": [FIELDS[-1]], "properties": {FIELDS[-1]: _FILE}}
        },
        "application/pdf": {"schema": _FILE},
    },
}


_CERTIFICATE = certificate(subject="Of a stranger's, his own words", example="A development certificate of ours")
_SIGNATURE = whole(
    field=TEXT,
    by={**TEXT, "description": "By our own record if `ours`, else the name in the certificate"},
    level={**TEXT, "description": "PAdES B-B, B-T, B-LT or B-LTA"},
    valid={"type": "boolean", "description": "It holds, and its certificate leads to an authority that we trust"},
    proof=MAYBE_TEXT,
    ours={"type": "boolean"},
    signed_at={**MAYBE_WHEN, "description": "The signer's own claim"},
    timestamp_at={**MAYBE_WHEN, "description": "Proven by a time-stamp that holds"},
    certificate={"oneOf": [_CERTIFICATE, {"type": "null"}]},
)
_ANSWER = whole(
    verdict={"type": "string", "enum": [str(one) for one in Verdict]},
    permit_state={
        "type": "string",
        "enum": [str(one) for one in PermitState],
        "description": "What the permit is worth today: another question than whether the file is authentic",
    },
    number={
        **MAYBE_TEXT,
        "description": "From our register, never from the file; also of the permit that an altered file began as",
    },
    office=MAYBE_TEXT,
    sha256=MAYBE_TEXT,
    signatures={"type": "array", "items": _SIGNATURE},
    reasons={"type": "array", "items": {"type": "string", "enum": sorted(file_words("en")["reason"])}},
    updates_after={
        "type": ["integer", "null"],
        "description": "Of an altered file: how many updates follow the last signature whose bytes are unchanged",
    },
)
_ANSWER["properties"]["code"] = {**TEXT, "description": "Of the permit, where the register knows it"}

_IDENTICAL: Json = {
    "verdict": "identical",
    "permit_state": "in_force",
    "number": "503/0001/SIP-PM/XI/2026",
    "office": "rokan-hilir",
    "code": "7K3M9QXT2WPA5D8H",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "signatures": [
        {
            "field": "ttd_kepala",
            "by": "Siti Aminah",
            "level": "B-LTA",
            "valid": True,
            "proof": "bytes",
            "ours": True,
            "signed_at": "2026-11-20T02:00:03Z",
            "timestamp_at": None,
            "certificate": None,
        }
    ],
    "reasons": ["released"],
    "updates_after": None,
}
_UNDETERMINED: Json = {
    "verdict": "undetermined",
    "permit_state": "unknown",
    "number": None,
    "office": None,
    "sha256": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
    "signatures": [],
    "reasons": ["not_pdf"],
    "updates_after": None,
}
EXAMPLES: dict[str, Json] = {"identical": _IDENTICAL, "undetermined": _UNDETERMINED}
ANSWERED: Json = {
    "description": "The file's verdict, good or bad",
    "content": {
        "application/json": {
            "schema": _ANSWER,
            "examples": {name: {"value": value} for name, value in EXAMPLES.items()},
        }
    },
}
