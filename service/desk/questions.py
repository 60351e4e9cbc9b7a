"""A permit type's questions as one flat list, for the form and the spreadsheet; what was answered becomes a case, as upstream posts it.

Nothing is judged here: `service.cases` does, and its faults are led back to the questions.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from service.cases import LIFETIME
from service.cases.attested import APPLICANT, NAME_LENGTH
from service.cases.parsing import REFERENCE_LENGTH, REPLACES_LENGTH
from service.sop.model import Field, FieldKind

if TYPE_CHECKING:
    from service.errors import Fault
    from service.sop.model import PermitType

Answers = Mapping[str, str]

PHOTO, LIFELONG, REFERENCE = "photo", ".lifetime", ".reference"
GIVEN = "1"
_DATE_SHAPE = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})", re.ASCII)
_CLOCK_SHAPE = re.compile(r"(\S+)[ T]+(\d{1,2})[:.](\d{2})(?:[:.]\d{2})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Question:
    """One question. `label` is the office's own word for it, or "" where the screen has one; `row` is a row of the SOP."""

    name: str
    group: str
    kind: str  # a FieldKind, or: request_kind, instant, person, tick, photo
    label: str = ""
    required: bool = True
    choices: tuple[str, ...] = ()
    max_length: int = 0
    row: int | None = None
    actor: str = ""
    sample: str = ""


def questions(kind: PermitType) -> tuple[Question, ...]:
    """Return every question of a permit type, in the order in which a clerk holds the papers."""
    return (*_head(kind), *map(_of_field, kind.fields), *_attested(kind), *_requirements(kind), *_photo(kind))


def body(kind: PermitType, zone: str, answers: Answers, photo: bytes | None = None) -> dict[str, Any]:
    """Return the case in the shape in which upstream posts it. What can't be read goes on as it was typed, and is a fault there."""
    given = {name: text.strip() for name, text in answers.items() if text.strip()}
    case: dict[str, Any] = {"office": str(kind.office), "type": str(kind.code)}
    case |= {name: given[name] for name in ("upstream_id", "request_kind", "replaces") if name in given}
    if "complete_at" in given:
        case["complete_at"] = instant_of(given["complete_at"], zone)
    for field in kind.fields:
        value = _value(field, given)
        if value is not None:
            *groups, leaf = field.path.split(".")
            place = case
            for group in groups:
                place = place.setdefault(group, {})
            place[leaf] = value
    case["attested"] = [_row(row.no, given, zone) for row in kind.procedure.attested_rows()]
    case["requirements"] = list(_provided(kind, given))
    if photo is not None:
        case["photo"] = {"media_type": "image/jpeg", "data": base64.b64encode(photo).decode()}
    return case


def answers_of(kind: PermitType, zone: str, case: Mapping[str, Any]) -> dict[str, str]:
    """Return the answers that make a case again: the reverse of `body` for a case as it is kept. The photo is not among them."""
    found = {name: str(case[name]) for name in ("upstream_id", "request_kind", "replaces") if name in case}
    found["complete_at"] = _local(case["complete_at"], zone)
    for field in kind.fields:
        value = _reach(case, field.path)
        if value == LIFETIME and field.kind is FieldKind.STR_VALIDITY:
            found[field.path + LIFELONG] = GIVEN
        elif value is not None:
            found[field.path] = str(value)
    for row in case["attested"]:
        found[f"attested.{row['no']}.at"] = _local(row["at"], zone)
        if "name" in row.get("by", {}):
            found[f"attested.{row['no']}.name"] = row["by"]["name"]
    for got in case["requirements"]:
        found[f"requirements.{got['code']}"] = GIVEN
        if "reference" in got:
            found[f"requirements.{got['code']}{REFERENCE}"] = got["reference"]
    return found


def placed(kind: PermitType, case: Mapping[str, Any], faults: Sequence[Fault]) -> dict[str, list[Fault]]:
    """Return faults by the question that they speak of; "" for those that no question can answer."""
    names = {one.name for one in questions(kind)}
    found: dict[str, list[Fault]] = {}
    for fault in faults:
        name = _question_of(kind, case, fault)
        found.setdefault(name if name in names else "", []).append(fault)
    return found


def _head(kind: PermitType) -> Iterator[Question]:
    yield Question("request_kind", "head", "request_kind", choices=kind.request_kinds)
    yield Question("replaces", "head", FieldKind.TEXT, required=False, max_length=REPLACES_LENGTH)
    yield Question("complete_at", "head", "instant")


def _of_field(field: Field) -> Question:
    choices = field.choices
    if field.kind is FieldKind.INTEGER and field.minimum is not None and field.maximum is not None:
        choices = tuple(map(str, range(field.minimum, min(field.maximum, field.minimum + 12) + 1)))
    return Question(
        field.path,
        field.path.split(".")[0],
        field.kind,
        label=field.label,
        required=field.required,
        choices=choices,
        max_length=field.max_length,
        sample=str(field.sample),
    )


def _attested(kind: PermitType) -> Iterator[Question]:
    for row in kind.procedure.attested_rows():
        name = f"attested.{row.no}"
        yield Question(f"{name}.at", "attested", "instant", label=row.text, row=row.no, actor=row.actor)
        if row.actor != APPLICANT:
            yield Question(f"{name}.name", "attested", "person", row=row.no, actor=row.actor, max_length=NAME_LENGTH)


def _requirements(kind: PermitType) -> Iterator[Question]:
    for one in kind.requirements:
        name = f"requirements.{one.code}"
        yield Question(name, "requirements", "tick", label=one.text, required=one.required)
        yield Question(name + REFERENCE, "requirements", FieldKind.TEXT, required=False, max_length=REFERENCE_LENGTH)


def _photo(kind: PermitType) -> Iterator[Question]:
    if kind.photo is not None:
        yield Question(PHOTO, PHOTO, PHOTO, required=kind.photo.required, choices=(kind.photo.ratio,))


def _value(field: Field, given: Answers) -> Any:
    if field.kind is FieldKind.STR_VALIDITY and (
        given.get(field.path + LIFELONG) or given.get(field.path, "").upper().replace(" ", "_") == LIFETIME
    ):
        return LIFETIME
    text = given.get(field.path)
    if text is None:
        return None
    if field.kind in {FieldKind.DATE, FieldKind.STR_VALIDITY}:
        return day_of(text)
    if field.kind is FieldKind.INTEGER and re.fullmatch(r"\d{1,9}", text, re.ASCII):
        return int(text)
    return text


def _row(no: int, given: Answers, zone: str) -> dict[str, Any]:
    row: dict[str, Any] = {"no": no}
    if at := given.get(f"attested.{no}.at"):
        row["at"] = instant_of(at, zone)
    if name := given.get(f"attested.{no}.name"):
        row["by"] = {"name": name}
    return row


def _provided(kind: PermitType, given: Answers) -> Iterator[dict[str, str]]:
    for one in kind.requirements:
        name = f"requirements.{one.code}"
        reference = given.get(name + REFERENCE)
        if name in given or reference:
            yield {"code": one.code} | ({"reference": reference} if reference else {})


def day_of(text: str) -> str:
    """Return an Indonesian date, 20/11/2026, as ISO; anything else as it is."""
    found = _DATE_SHAPE.fullmatch(text)
    if found is None:
        return text
    try:
        return date(int(found[3]), int(found[2]), int(found[1])).isoformat()
    except ValueError:
        return text


def instant_of(text: str, zone: str) -> str:
    """Return a local date and clock time as RFC 3339 in the office's zone; anything else as it is."""
    found = _CLOCK_SHAPE.fullmatch(text)
    if found is None:
        return text
    try:
        at = datetime.fromisoformat(f"{day_of(found[1])}T{int(found[2]):02}:{found[3]}:00")
    except ValueError:
        return text
    return at.replace(tzinfo=ZoneInfo(zone)).isoformat()


def _local(at: str, zone: str) -> str:
    return datetime.fromisoformat(at).astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M")


def _reach(case: Mapping[str, Any], path: str) -> Any:
    place: Any = case
    for key in path.split("."):
        place = place.get(key) if isinstance(place, Mapping) else None
    return place


def _question_of(kind: PermitType, case: Mapping[str, Any], fault: Fault) -> str:
    parts = fault.pointer.strip("/").split("/")
    if parts[0] == PHOTO:
        return PHOTO
    if parts[0] == "requirements":
        code = fault.params.get("requirement") or _code_at(case, parts)
        return f"requirements.{code}{REFERENCE if parts[-1] == 'reference' else ''}"
    if parts[0] == "attested" and len(parts) > 1:
        rows = kind.procedure.attested_rows()
        return f"attested.{rows[int(parts[1])].no}.{'at' if parts[-1] == 'at' else 'name'}"
    return ".".join(parts)


def _code_at(case: Mapping[str, Any], parts: list[str]) -> str:
    return str(case["requirements"][int(parts[1])]["code"]) if len(parts) > 1 else ""
