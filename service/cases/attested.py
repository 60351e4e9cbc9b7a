"""What upstream attests: exactly the SOP's attested rows, each once, in time order, each with its person."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from service.cases.hygiene import has_letter
from service.cases.model import Attestation
from service.cases.moments import read_instant
from service.cases.sheet import below
from service.cases.values import nip, read_identifier

if TYPE_CHECKING:
    from datetime import datetime

    from service.cases.sheet import Sheet
    from service.sop.model import Procedure, Row

APPLICANT = "pemohon"
NAME_LENGTH = 120
ROOT = "/attested"


def read_attested(
    sheet: Sheet, body: dict[str, Any], procedure: Procedure, latest: datetime
) -> tuple[Attestation, ...]:
    """Return the attestations by row number."""
    rows = {row.no: row for row in procedure.attested_rows()}
    value = body.get("attested", [])
    items = sheet.sequence(ROOT, value, 2 * len(rows) + 10)
    if isinstance(value, list):
        _note_missing(sheet, rows, items)
    read: dict[int, tuple[str, Attestation]] = {}
    for index, item in enumerate(items):
        pointer = below(ROOT, index)
        row = _read_row(sheet, pointer, item, rows, latest)
        if row and row.no in read:
            sheet.note(below(pointer, "no"), "repeated")
        elif row:
            read[row.no] = (pointer, row)
    ordered = [read[no] for no in sorted(read)]
    for (_, earlier), (pointer, later) in pairwise(ordered):
        if later.at < earlier.at:
            sheet.note(below(pointer, "at"), "out_of_order", row=earlier.no)
    return tuple(attestation for _, attestation in ordered)


def _note_missing(sheet: Sheet, rows: dict[int, Row], items: list[Any]) -> None:
    named = [item["no"] for item in items if isinstance(item, dict) and _is_number(item.get("no"))]
    for no, row in rows.items():
        if no not in named:
            sheet.note(ROOT, "row_missing", row=no, actor=row.actor)


def _read_row(sheet: Sheet, pointer: str, item: object, rows: dict[int, Row], latest: datetime) -> Attestation | None:
    given = sheet.mapping(pointer, item, ("no", "by", "at"))
    if not isinstance(item, dict):
        return None
    row = _row(sheet, pointer, given, rows)
    name, number = _by(sheet, pointer, given, row)
    at = None
    if "at" in given:
        at = read_instant(sheet, below(pointer, "at"), given["at"], latest)
    else:
        sheet.note(below(pointer, "at"), "required")
    return Attestation(row.no, name, number, at) if row and at else None


def _row(sheet: Sheet, pointer: str, given: dict[str, Any], rows: dict[int, Row]) -> Row | None:
    place = below(pointer, "no")
    if "no" not in given:
        sheet.note(place, "required")
    elif not _is_number(given["no"]):
        sheet.note(place, "wrong_type", expected="integer")
    elif given["no"] not in rows:
        sheet.note(place, "row_not_attested", rows=", ".join(map(str, rows)))
    else:
        return rows[given["no"]]
    return None


def _by(sheet: Sheet, pointer: str, given: dict[str, Any], row: Row | None) -> tuple[str | None, str | None]:
    place = below(pointer, "by")
    needs_name = row is not None and row.actor != APPLICANT
    if "by" not in given:
        if needs_name:
            sheet.note(place, "required")
        return None, None
    person = sheet.mapping(place, given["by"], ("name", "nip"))
    if needs_name and "name" not in person and isinstance(given["by"], dict):
        sheet.note(below(place, "name"), "required")
    name = sheet.text(below(place, "name"), person["name"], NAME_LENGTH) if "name" in person else None
    if name is not None and not has_letter(name):
        sheet.note(below(place, "name"), "no_letter")
    number = read_identifier(sheet, below(place, "nip"), person["nip"], nip) if "nip" in person else None
    return name, number


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
