"""One invented permit type with every field kind, and payloads made from the samples of any type."""

from __future__ import annotations

import base64
import copy
from datetime import UTC, date, datetime, timedelta
from typing import Any

from service.sop.model import (
    Field,
    FieldKind,
    How,
    OfficeCode,
    PermitType,
    Photo,
    Procedure,
    Requirement,
    RoleCode,
    Row,
    TypeCode,
    Validity,
    Verb,
)

TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def field(path: str, kind: str, sample: Any, *, required=True, printed=True, public=False, **more: Any) -> Field:
    rest = {"max_length": 120, "choices": (), "minimum": None, "maximum": None} | more
    return Field(path, path, FieldKind(kind), required, printed, public, sample=sample, **rest)


def row(no: int, actor: str, verb: str, how: str = "attested") -> Row:
    role = RoleCode(actor)
    return Row(no, f"Baris {no}", role, Verb(verb), How(how), role, None, None, None, (Verb(verb),), (), None)


FIELDS = (
    field("applicant.nama", "name", "Siti Contoh Rahmawati, A.Md.RMIK", public=True),
    field("applicant.nik", "nik", "1407014101970001", printed=False),
    field("applicant.tempat_lahir", "text", "Ujung Tanjung"),
    field("applicant.tanggal_lahir", "date", "1997-01-01"),
    field("applicant.jenis_kelamin", "choice", "P", choices=("L", "P")),
    field("applicant.alamat", "address", "Jalan Merdeka Nomor 12, RT 003 RW 004", max_length=200),
    field("applicant.telepon", "phone", "0812-3456-7890", required=False, printed=False),
    field("applicant.email", "email", "siti@contoh.example", required=False, printed=False),
    field("str.nomor", "str", "XX00001234567890"),
    field("str.masa_berlaku", "str_validity", "SEUMUR_HIDUP"),
    field("practice.nama", "text", "RSUD Contoh Sejahtera", public=True),
    field("practice.alamat", "address", "Jalan Kesehatan Nomor 45", public=True, max_length=200),
    field("practice.ke", "integer", 1, minimum=1, maximum=3),
    field("practice.pimpinan.nip", "nip", "19700101 199503 1 001", required=False, printed=False),
)
ROWS = (
    row(1, "pemohon", "apply"),
    row(2, "back_office", "check"),
    row(3, "ahli_muda", "paraf"),
    row(4, "back_office", "number", "done"),
    row(5, "kepala_dinas", "sign", "done"),
)
PROCEDURE = Procedure("000", "-", "Contoh", None, ROWS, (), None, None, "complete", True, False)
TYPE = PermitType(
    office=OfficeCode("contoh"),
    code=TypeCode("sip-perekam-medis"),
    name="Izin Praktik Perekam Medis",
    title="SURAT IZIN PRAKTIK PEREKAM MEDIS",
    profession="Perekam Medis",
    document_code="SIP-PM",
    classification="503.440",
    series="nakes",
    places=2,
    request_kinds=("BARU", "PERPANJANGAN", "PERUBAHAN", "CABUT_PINDAH"),
    fields=FIELDS,
    requirements=(Requirement("ktp", "KTP", True), Requirement("str", "STR", True), Requirement("lain", "Lain", False)),
    legal_basis=(),
    clauses=(),
    copies=(),
    photo=Photo("3x4", required=False),
    validity=Validity(5, cap_at_str=True, inclusive_end=False),
    survey_gate=False,
    procedure=PROCEDURE,
    max_pages=1,
)


def payload(permit_type: PermitType = TYPE, *, upstream_id: str = "RV-2026-001234", **head: Any) -> dict[str, Any]:
    """A good case of any type, from its samples."""
    body: dict[str, Any] = {
        "office": permit_type.office,
        "type": permit_type.code,
        "upstream_id": upstream_id,
        "request_kind": permit_type.request_kinds[0],
        "complete_at": "2026-11-20T08:30:00+07:00",
        "attested": attested(permit_type),
        "requirements": [{"code": needed.code} for needed in permit_type.requirements if needed.required],
    }
    for spec in permit_type.fields:
        if spec.required:
            put(body, "/" + spec.path.replace(".", "/"), spec.sample)
    if permit_type.photo and permit_type.photo.required:
        body["photo"] = photo()
    return body | head


def attested(permit_type: PermitType) -> list[dict[str, Any]]:
    start = datetime(2026, 11, 19, 1, 0, tzinfo=UTC)
    return [
        {
            "no": row.no,
            "by": {"name": f"Contoh {row.actor.replace('_', ' ').title()}"},
            "at": (start + timedelta(minutes=10 * index)).isoformat(),
        }
        for index, row in enumerate(permit_type.procedure.attested_rows())
    ]


def photo(data: bytes = PNG, media_type: str = "image/png") -> dict[str, str]:
    return {"media_type": media_type, "data": base64.b64encode(data).decode()}


def put(body: Any, pointer: str, value: Any) -> None:
    """Set a member by JSON pointer, making the objects on the way."""
    *groups, leaf = (part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])
    for group in groups:
        body = body[int(group)] if isinstance(body, list) else body.setdefault(group, {})
    body[int(leaf) if isinstance(body, list) else leaf] = value


def drop(body: Any, pointer: str) -> None:
    *groups, leaf = pointer.split("/")[1:]
    for group in groups:
        body = body[int(group)] if isinstance(body, list) else body[group]
    del body[int(leaf) if isinstance(body, list) else leaf]


def but(pointer: str, value: Any, **head: Any) -> dict[str, Any]:
    """The good case, but for one member."""
    body = copy.deepcopy(payload(**head))
    put(body, pointer, value)
    return body
