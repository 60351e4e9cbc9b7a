"""How the simulated service words its answers: failures, a signer's status, its opinion of a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from flask import Response, jsonify

from service.clock import stamp
from signing import SignatureFacts, Trust, inspect


def failure(status: int, code: int | None, words: str, *, texts: bool = False) -> Response:
    """A refusal as v1 words it; without a code, as the server below does."""
    number = {} if code is None else {"status_code": str(code) if texts else code}
    answer = jsonify({**number, "status": status, "error": words} if code is None else {**number, "error": words})
    answer.status_code = status
    return answer


def said_status(account: Mapping[str, Any] | None, texts: bool) -> Response:
    """A signer's status; the numbers of inactive ones are unknown, so none is given."""
    word = account["status"] if account else "NOT_REGISTERED"
    code = {"ISSUE": 1111, "NOT_REGISTERED": 1110}.get(word)
    number = {} if code is None else {"status_code": str(code) if texts else code}
    return jsonify({**number, "status": word, "message": word})


def opinion(pdf: bytes, anchor_pem: bytes, on: Mapping[str, float]) -> Response:
    """What `verify/pdf` says of a file."""
    anchor = x509.load_pem_x509_certificate(anchor_pem).public_bytes(Encoding.DER)
    signatures = inspect(pdf, Trust((anchor,))).signatures
    valid = bool(signatures) and all(one.sound and one.trusted for one in signatures)
    conclusion = "VALID" if valid else "INVALID" if signatures else "NO_SIGNATURE"
    answer = jsonify(
        conclusion=conclusion,
        description=conclusion,
        signatureCount=len(signatures),
        signatureInformations=[_entry(one, last=one is signatures[-1], on=on) for one in signatures],
    )
    answer.status_code = 200 if valid or "verify_200" in on else 400
    return answer


def _entry(one: SignatureFacts, *, last: bool, on: Mapping[str, float]) -> dict[str, Any]:
    key = "timestampInfomation" if "misspelt_key" in on else "timestampInformation"
    moment = stamp(one.signed_at) if one.signed_at else None
    return {
        "id": one.certificate_sha256[:16],
        "signatureFormat": "PKCS7-T" if one.timestamp_at else "PKCS7-B",
        "signerName": one.signer_cn,
        "signatureDate": moment,
        "fieldName": one.field,
        key: {"id": "tsa", "signerName": "Timestamp Authority CONTOH", "timestampDate": moment},
        "certificateDetails": [{"commonName": one.signer_cn, "issuerName": "CA CONTOH PENGEMBANGAN"}],
        "integrityValid": one.sound,
        "certificateTrusted": one.trusted,
        "lastSignature": last,
    }
