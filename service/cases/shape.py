"""The JSON Schema (2020-12) of a permit type's cases. Weaker than `parse_case`: what it refuses, that refuses too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.cases.attested import APPLICANT, NAME_LENGTH
from service.cases.model import LIFETIME
from service.cases.moments import DATE, INSTANT
from service.cases.parsing import HEAD, NEW, REFERENCE_LENGTH, REPLACES_LENGTH, REQUIRED, UPSTREAM_ID, tree
from service.cases.photo import MAGIC, MOST_CHARACTERS
from service.cases.values import EMAIL_LENGTH, IDENTIFIER_LENGTH, PHONE_LENGTH
from service.sop.model import Field, FieldKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.cases.parsing import Tree
    from service.sop.model import PermitType, Row

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema(permit_type: PermitType) -> Schema:
    """Return the schema of a case of this type, with one example made of the fields' samples."""
    fields = {key: _member(spec) for key, spec in tree(permit_type.fields).items()}
    head = _head(permit_type)
    required = [key for key in HEAD if key in head and (key in REQUIRED or _needed(key, permit_type))]
    return {
        "$schema": DIALECT,
        "title": f"{permit_type.name} ({permit_type.office})",
        **_object(head | fields, [*required, *(k for k, spec in tree(permit_type.fields).items() if _demands(spec))]),
        "allOf": [_replaces_rule()],
    }


def _head(permit_type: PermitType) -> Schema:
    head: Schema = {
        "office": {"const": permit_type.office},
        "type": {"const": permit_type.code},
        "upstream_id": {"type": "string", "pattern": UPSTREAM_ID, "description": "Your own id of the case; no '..'"},
        "request_kind": {"enum": list(permit_type.request_kinds)}
        | {"description": "CABUT_PINDAH: the holder practises elsewhere; the issue of this permit revokes the old one"},
        "replaces": _text(REPLACES_LENGTH)
        | {"description": "Id or register number of the permit that this one replaces or, CABUT_PINDAH, revokes"},
        "complete_at": _instant("When the file was complete: the standard time counts from here"),
        "attested": _attested(permit_type.procedure.attested_rows()),
        "requirements": _requirements(permit_type),
    }
    if permit_type.photo:
        head["photo"] = _photo(permit_type.photo.ratio)
    return head


def _needed(key: str, permit_type: PermitType) -> bool:
    return {
        "attested": bool(permit_type.procedure.attested_rows()),
        "requirements": any(requirement.required for requirement in permit_type.requirements),
        "photo": permit_type.photo is not None and permit_type.photo.required,
    }.get(key, False)


def _replaces_rule() -> Schema:
    """Return the rule that exactly a renewal, change or move names what it replaces."""
    new = {"properties": {"request_kind": {"const": NEW}}}
    return {"if": new, "then": {"properties": {"replaces": False}}, "else": {"required": ["replaces"]}}


def _attested(rows: tuple[Row, ...]) -> Schema:
    person = _object({"name": _text(NAME_LENGTH), "nip": _identifier("NIP, 18 digits")}, [])
    item = _object(
        {"no": {"enum": [row.no for row in rows]}, "by": person, "at": _instant("When it was done")}, ["no", "at"]
    )
    named = [row.no for row in rows if row.actor != APPLICANT]
    if named:
        item["if"] = {"properties": {"no": {"enum": named}}}
        item["then"] = {"required": ["by"], "properties": {"by": {"required": ["name"]}}}
    said = "; ".join(f"{row.no}: {row.text} ({row.actor})" for row in rows)
    return {
        "type": "array",
        "minItems": len(rows),
        "maxItems": len(rows),
        "items": item if rows else False,
        "description": said,
    }


def _requirements(permit_type: PermitType) -> Schema:
    codes = [requirement.code for requirement in permit_type.requirements]
    item = _object({"code": {"enum": codes}, "reference": _text(REFERENCE_LENGTH)}, ["code"])
    least = sum(requirement.required for requirement in permit_type.requirements)
    said = "; ".join(f"{requirement.code}: {requirement.text}" for requirement in permit_type.requirements)
    return {
        "type": "array",
        "minItems": least,
        "maxItems": len(codes),
        "items": item if codes else False,
        "description": said,
    }


def _photo(ratio: str) -> Schema:
    data = {"type": "string", "contentEncoding": "base64", "minLength": 4, "maxLength": MOST_CHARACTERS}
    return _object({"media_type": {"enum": list(MAGIC)}, "data": data}, ["media_type", "data"]) | {
        "description": f"Photo {ratio}, at most 2 MB"
    }


def _member(spec: Field | Tree) -> Schema:
    if isinstance(spec, Field):
        return _field(spec) | {"title": spec.label}
    members = {key: _member(inner) for key, inner in spec.items()}
    return _object(members, [key for key, inner in spec.items() if _demands(inner)])


def _demands(spec: Field | Tree) -> bool:
    """Tell whether a field, or any field below a group, has to be there."""
    return spec.required if isinstance(spec, Field) else any(_demands(inner) for inner in spec.values())


def _field(field: Field) -> Schema:
    return _SHAPES[field.kind](field)


def _object(properties: Schema, required: list[str]) -> Schema:
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}


def _text(most: int) -> Schema:
    return {"type": "string", "minLength": 1, "maxLength": most}


def _identifier(said: str) -> Schema:
    return _text(IDENTIFIER_LENGTH) | {"description": said}


def _date() -> Schema:
    return {"type": "string", "format": "date", "pattern": DATE}


def _instant(said: str) -> Schema:
    return {"type": "string", "format": "date-time", "pattern": INSTANT, "description": said}


def _integer(field: Field) -> Schema:
    bounds = {"minimum": field.minimum, "maximum": field.maximum}
    return {"type": "integer"} | {key: bound for key, bound in bounds.items() if bound is not None}


def _free(field: Field) -> Schema:
    return _text(field.max_length)


_SHAPES: dict[FieldKind, Callable[[Field], Schema]] = {
    FieldKind.TEXT: _free,
    FieldKind.ADDRESS: _free,
    FieldKind.NAME: _free,
    FieldKind.DATE: lambda _: _date(),
    FieldKind.STR_VALIDITY: lambda _: {"anyOf": [{"const": LIFETIME}, _date()]},
    FieldKind.INTEGER: _integer,
    FieldKind.CHOICE: lambda field: {"enum": list(field.choices)},
    FieldKind.PHONE: lambda _: _text(PHONE_LENGTH),
    FieldKind.EMAIL: lambda _: _text(EMAIL_LENGTH),
    FieldKind.NIK: lambda _: _identifier("NIK, 16 digits"),
    FieldKind.NIP: lambda _: _identifier("NIP, 18 digits"),
    FieldKind.STR: lambda _: _identifier("STR number as printed"),
}
