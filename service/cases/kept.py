"""Cases as they were kept: read back from the canonical form, and compared."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from service.cases.model import LIFETIME, Attestation, Case, CasePhoto, Provided
from service.cases.sheet import below
from service.sop.model import FieldKind

if TYPE_CHECKING:
    from service.cases.model import Value
    from service.sop.model import Field, PermitType

_DATED = {FieldKind.DATE, FieldKind.STR_VALIDITY}


def restore(canonical: bytes, permit_type: PermitType, *, photo: bytes | None = None) -> Case:
    """Return the case whose `canonical()` these bytes are. `photo`: its bytes, when the caller has them.

    Nothing is judged again: a case accepted last year need not pass today's rules.
    """
    kept = json.loads(canonical)
    return Case(
        office=permit_type.office,
        type=permit_type.code,
        upstream_id=kept["upstream_id"],
        request_kind=kept["request_kind"],
        replaces=kept.get("replaces"),
        complete_at=datetime.fromisoformat(kept["complete_at"]),
        attested=tuple(_attestation(row) for row in kept["attested"]),
        values=dict(_values(kept, permit_type)),
        requirements=tuple(Provided(got["code"], got.get("reference")) for got in kept["requirements"]),
        photo=CasePhoto(**kept["photo"], data=photo) if "photo" in kept else None,
        permit_type=permit_type,
    )


def diff(old: Case, new: Case) -> tuple[str, ...]:
    """Return the JSON pointers of what differs between two cases, in order."""
    before, after = _flat("", old.as_dict()), _flat("", new.as_dict())
    return tuple(sorted(place for place in before.keys() | after.keys() if before.get(place) != after.get(place)))


def _attestation(row: dict[str, Any]) -> Attestation:
    by = row.get("by", {})
    return Attestation(row["no"], by.get("name"), by.get("nip"), datetime.fromisoformat(row["at"]))


def _values(kept: dict[str, Any], permit_type: PermitType) -> list[tuple[str, Value]]:
    found = ((field, _reach(kept, field.path)) for field in permit_type.fields)
    return [(field.path, _value(field, value)) for field, value in found if value is not None]


def _reach(kept: dict[str, Any], path: str) -> Any:
    place: Any = kept
    for key in path.split("."):
        place = place.get(key) if isinstance(place, dict) else None
    return place


def _value(field: Field, value: Any) -> Value:
    kept: Value = date.fromisoformat(value) if field.kind in _DATED and value != LIFETIME else value
    return kept


def _flat(pointer: str, value: Any) -> dict[str, Any]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if members is None:
        return {pointer: value}
    return {place: leaf for key, inner in members for place, leaf in _flat(below(pointer, key), inner).items()}
