"""A good case of a type, made of its fields' samples: for the documentation, and for whoever writes a client."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from service.sop.model import PermitType

COMPLETE_AT = "2026-11-20T08:30:00+07:00"
_FIRST_ROW = datetime(2026, 11, 19, 1, 0, tzinfo=UTC)
_PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="  # one PNG pixel
)


def example(permit_type: PermitType) -> dict[str, Any]:
    """Return a case that `parse_case` accepts; its persons are invented, its photo is one pixel."""
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
        body["photo"] = {"media_type": "image/png", "data": _PIXEL}
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
