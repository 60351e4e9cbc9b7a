"""A good case of a type, made of its fields' samples: for the documentation, and for whoever writes a client."""

from __future__ import annotations

import base64
import struct
import zlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from service.sop.model import PermitType

COMPLETE_AT = "2026-11-20T08:30:00+07:00"
_FIRST_ROW = datetime(2026, 11, 19, 1, 0, tzinfo=UTC)
_WIDTH, _HEIGHT = 480, 720  # enough for 3x4 and 4x6 in print


def example(permit_type: PermitType) -> dict[str, Any]:
    """Return a case that `parse_case` accepts; its persons are invented, its photo is plain grey."""
    body: dict[str, Any] = {
        "office": permit_type.office,
        "type": permit_type.code,
        "upstream_id": "RV-2026-001234",
        "request_kind": permit_type.request_kinds[0],
        "complete_at": COMPLETE_AT,
        "attested": _attested(permit_type),
        "requirements": [{"code": needed.code} for needed in permit_type.requirements if needed.required],
    }
    for field in permit_type.fields:
        if field.required:
            *groups, leaf = field.path.split(".")
            place = body
            for group in groups:
                place = place.setdefault(group, {})
            place[leaf] = field.sample
    if permit_type.photo and permit_type.photo.required:
        body["photo"] = {"media_type": "image/png", "data": base64.b64encode(_grey()).decode()}
    return body


def _attested(permit_type: PermitType) -> list[dict[str, Any]]:
    rows = enumerate(permit_type.procedure.attested_rows())
    return [
        {
            "no": row.no,
            "by": {"name": f"Contoh {row.actor.replace('_', ' ').title()}"},
            "at": (_FIRST_ROW + timedelta(minutes=10 * index)).isoformat(),
        }
        for index, row in rows
    ]


def _grey() -> bytes:
    """Return a PNG without a face: nobody's photo belongs in documentation."""
    header = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + b"\xb4" * _WIDTH for _ in range(_HEIGHT)), 9)
    chunks = ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
