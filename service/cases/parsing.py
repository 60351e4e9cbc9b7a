"""From posted JSON to a case: every fault at once, each at its place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from service.cases.attested import read_attested
from service.cases.model import Accepted, Case, Provided
from service.cases.moments import latest_instant, read_instant
from service.cases.photo import read_photo
from service.cases.plausible import doubts
from service.cases.sheet import Sheet, below
from service.cases.values import read_value
from service.sop.model import Field, OfficeCode, TypeCode

if TYPE_CHECKING:
    from datetime import date, datetime

    from service.cases.model import Value
    from service.sop.model import PermitType

Tree = dict[str, "Field | Tree"]

HEAD = ("office", "type", "upstream_id", "request_kind", "replaces", "complete_at", "attested", "requirements", "photo")
REQUIRED = ("office", "type", "upstream_id", "request_kind", "complete_at")
UPSTREAM_ID = r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,79}$"
CODE_LENGTH = 80
REPLACES_LENGTH = 100
REFERENCE_LENGTH = 120
NEW = "BARU"


def address(payload: object) -> tuple[OfficeCode, TypeCode]:
    """Return the office and type that a body names, so that the permit type can be found.

    Raises CaseInvalid when it names none.
    """
    sheet = Sheet()
    head = payload if isinstance(payload, dict) else {}
    if not isinstance(payload, dict):
        sheet.note("", "wrong_type", expected="object")
    named = [_code(sheet, head, key) for key in ("office", "type") if isinstance(payload, dict)]
    sheet.close()
    office, type_ = (name or "" for name in named)
    return OfficeCode(office), TypeCode(type_)


def parse_case(payload: object, permit_type: PermitType, *, today: date, now: datetime | None = None) -> Accepted:
    """Read a posted case of this type. `today` is the office's local date; `now` makes the check of instants exact.

    Raises CaseInvalid with every fault (the first hundred).
    """
    sheet = Sheet()
    fields = tree(permit_type.fields)
    body = sheet.mapping("", payload, (*HEAD, *fields))
    if not isinstance(payload, dict):
        sheet.close()
    latest = latest_instant(today, now)
    for key in REQUIRED:
        if key not in body:
            sheet.note(below("", key), "required")
    values: dict[str, Value] = {}
    _read_fields(sheet, "", fields, body, values)
    case = Case(
        office=permit_type.office,
        type=permit_type.code,
        upstream_id=_upstream_id(sheet, body),
        request_kind=_request_kind(sheet, body, permit_type),
        replaces=_replaces(sheet, body),
        complete_at=_complete_at(sheet, body, latest),  # type: ignore[arg-type]  # None only if a fault was noted
        attested=read_attested(sheet, body, permit_type.procedure, latest),
        values=values,
        requirements=_requirements(sheet, body, permit_type),
        photo=read_photo(sheet, body, permit_type.photo),
        permit_type=permit_type,
    )
    _addressed(sheet, body, permit_type)
    warnings = doubts(sheet, case, today)
    sheet.close()
    return Accepted(case, warnings)


def tree(fields: tuple[Field, ...]) -> Tree:
    """Return the fields as the nested objects that their dotted paths describe."""
    root: Tree = {}
    for field in fields:
        *groups, leaf = field.path.split(".")
        place = root
        for group in groups:
            inner = place.setdefault(group, {})
            assert isinstance(inner, dict), field.path
            place = inner
        place[leaf] = field
    return root


def _read_fields(sheet: Sheet, pointer: str, fields: Tree, given: dict[str, Any], values: dict[str, Value]) -> None:
    for key, spec in fields.items():
        place = below(pointer, key)
        if isinstance(spec, Field):
            value = _field_value(sheet, place, spec, given, key)
            if value is not None:
                values[spec.path] = value
        elif key in given:
            _read_fields(sheet, place, spec, sheet.mapping(place, given[key], spec), values)
        else:
            _read_fields(sheet, place, spec, {}, values)


def _field_value(sheet: Sheet, pointer: str, field: Field, given: dict[str, Any], key: str) -> Value | None:
    if key in given:
        return read_value(sheet, pointer, field, given[key])
    if field.required:
        sheet.note(pointer, "required")
    return None


def _code(sheet: Sheet, body: dict[str, Any], key: str) -> str | None:
    if key not in body:
        sheet.note(below("", key), "required")
        return None
    return sheet.text(below("", key), body[key], CODE_LENGTH)


def _addressed(sheet: Sheet, body: dict[str, Any], permit_type: PermitType) -> None:
    for key, ours in (("office", permit_type.office), ("type", permit_type.code)):
        if key in body and body[key] != ours:
            sheet.note(below("", key), f"other_{key}")


def _upstream_id(sheet: Sheet, body: dict[str, Any]) -> str:
    value = body.get("upstream_id", "")
    if not isinstance(value, str):
        sheet.note("/upstream_id", "wrong_type", expected="string")
        return ""
    # ".." never names a file here, but it may where this id is shown or forwarded.
    if "upstream_id" in body and (not re.fullmatch(UPSTREAM_ID, value) or ".." in value):
        sheet.note("/upstream_id", "upstream_id_shape")
    return value


def _request_kind(sheet: Sheet, body: dict[str, Any], permit_type: PermitType) -> str:
    if "request_kind" not in body:
        return ""
    return sheet.choice("/request_kind", body["request_kind"], permit_type.request_kinds) or ""


def _replaces(sheet: Sheet, body: dict[str, Any]) -> str | None:
    new = body.get("request_kind") == NEW
    if "replaces" not in body:
        if not new and isinstance(body.get("request_kind"), str):
            sheet.note("/replaces", "replaces_required")
        return None
    if new:
        sheet.note("/replaces", "replaces_forbidden")
    return sheet.text("/replaces", body["replaces"], REPLACES_LENGTH)


def _complete_at(sheet: Sheet, body: dict[str, Any], latest: datetime) -> datetime | None:
    if "complete_at" not in body:
        return None
    return read_instant(sheet, "/complete_at", body["complete_at"], latest)


def _requirements(sheet: Sheet, body: dict[str, Any], permit_type: PermitType) -> tuple[Provided, ...]:
    known = tuple(requirement.code for requirement in permit_type.requirements)
    got: dict[str, Provided] = {}
    for index, item in enumerate(sheet.sequence("/requirements", body.get("requirements", []), 2 * len(known) + 10)):
        provided = _provided(sheet, below("/requirements", index), item, known)
        if provided and provided.code in got:
            sheet.note(below("/requirements", index), "repeated")
        elif provided:
            got[provided.code] = provided
    for requirement in permit_type.requirements:
        if requirement.required and requirement.code not in got:
            sheet.note("/requirements", "requirement_missing", requirement=requirement.code)
    return tuple(got[code] for code in sorted(got))


def _provided(sheet: Sheet, pointer: str, item: object, known: tuple[str, ...]) -> Provided | None:
    given = sheet.mapping(pointer, item, ("code", "reference"))
    if "code" not in given:
        if isinstance(item, dict):
            sheet.note(below(pointer, "code"), "required")
        return None
    code = sheet.choice(below(pointer, "code"), given["code"], known)
    reference = None
    if "reference" in given:
        reference = sheet.text(below(pointer, "reference"), given["reference"], REFERENCE_LENGTH)
    return Provided(code, reference) if code else None
