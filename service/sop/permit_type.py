"""`fields.toml` and `sop.toml` to `PermitType`: the case that is asked for and the paper's words."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Final

from service.sop.faults import Faults
from service.sop.model import (
    Field,
    FieldKind,
    LegalBasis,
    PermitType,
    Photo,
    Procedure,
    Requirement,
    TypeCode,
    Validity,
    Verb,
)
from service.sop.office import refuse_repeated
from service.sop.read import read
from service.sop.rows import procedure
from service.sop.schema import FieldsFile, SopFile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.sop.model import Office
    from service.sop.office import OfficeRead
    from service.sop.schema import FieldTable

# What every case says, whatever the profession (docs/OFFICES.md).
ALWAYS: Final = {
    "applicant.nama": "name",
    "applicant.nik": "nik",
    "applicant.tempat_lahir": "text",
    "applicant.tanggal_lahir": "date",
    "applicant.jenis_kelamin": "choice",
    "applicant.alamat": "address",
    "str.nomor": "str",
    "str.masa_berlaku": "str_validity",
    "practice.nama": "text",
    "practice.alamat": "address",
    "practice.ke": "integer",
}
# Where the holder is told of his permit: a type need not ask for them, and notices look for them nowhere else.
CONTACT: Final = {"applicant.wa": "phone", "applicant.telepon": "phone", "applicant.email": "email"}
# UU 27/2022 (data pribadi): the public page never shows these, and the NIK is not on the paper either.
_PRIVATE: Final = {
    "applicant.nik": ("printed", "public"),
    "applicant.tanggal_lahir": ("public",),
    "applicant.alamat": ("public",),
    **dict.fromkeys(CONTACT, ("printed", "public")),
}
_OWN_KEYS: Final = {"choices": ("choice",), "minimum": ("integer",), "maximum": ("integer",)}
_WRITTEN: Final = ("text", "name", "address", "str", "phone", "email")
_MAX_LENGTH: Final = 200
FOREVER: Final = "SEUMUR_HIDUP"


def read_type(
    files: Mapping[str, bytes], path: str, read_office: OfficeRead | None, found: list[Faults]
) -> PermitType | None:
    """The type in folder `path` ("<office>/<type>"). Without its office only the shape of the files is checked."""
    fields_found, sop_found = Faults(f"{path}/fields.toml"), Faults(f"{path}/sop.toml")
    found += [fields_found, sop_found]
    fields, sop = read(files, fields_found, FieldsFile), read(files, sop_found, SopFile)
    if fields is not None:
        _check_fields(fields, path.rpartition("/")[2], fields_found)
    if read_office is None:
        return None
    chosen = read_office.branches.get(path.rpartition("/")[2])
    done = None if sop is None else procedure(sop, read_office, chosen, sop_found)
    if fields is None or fields_found.found:
        return None
    _check_office(fields, read_office.office, done, fields_found)
    return None if done is None or fields_found.found else _permit_type(fields, read_office.office, done)


def _check_fields(table: FieldsFile, folder: str, found: Faults) -> None:
    if table.type.code != folder:
        found.add("type", "code", "code_folder", folder=folder)
    refuse_repeated(table.type.request_kinds, "type", "request_kinds", found)
    _check_paths(table, found)
    for index, field in enumerate(table.field, 1):
        _check_field(table, field, f"field[{index}]", found)
    _check_codes(table, found)
    for index, basis in enumerate(table.legal_basis, 1):
        if basis.since is not None and basis.until is not None and basis.until < basis.since:
            found.add(f"legal_basis[{index}]", "until", "period")


def _check_codes(table: FieldsFile, found: Faults) -> None:
    seen: set[str] = set()
    for index, requirement in enumerate(table.requirement, 1):
        if requirement.code in seen:
            found.add(f"requirement[{index}]", "code", "twice", value=requirement.code)
        seen.add(requirement.code)


def _check_paths(table: FieldsFile, found: Faults) -> None:
    paths = [field.path for field in table.field]
    for index, path in enumerate(paths, 1):
        if path in paths[: index - 1]:
            found.add(f"field[{index}]", "path", "twice", value=path)
        for other in paths:
            if path.startswith(f"{other}."):
                found.add(f"field[{index}]", "path", "path_inside", path=other)
    for path, kind in ALWAYS.items():
        if path not in paths:
            found.add("field", "path", "path_missing", path=path, kind=kind)


def _check_field(table: FieldsFile, field: FieldTable, where: str, found: Faults) -> None:
    expected = {**CONTACT, **ALWAYS}.get(field.path, field.kind)
    if field.kind != expected:
        found.add(where, "kind", "field_kind", path=field.path, kind=expected)
    for key in _PRIVATE.get(field.path, ()):
        if getattr(field, key):
            found.add(where, key, "field_private", path=field.path)
    for key, kinds in {**_OWN_KEYS, "max_length": _WRITTEN}.items():
        if getattr(field, key) is not None and field.kind not in kinds:
            found.add(where, key, "field_key", kind=field.kind)
    _check_limits(table, field, where, found)
    if not _is_sample(field):
        found.add(where, "sample", "sample", kind=field.kind)


def _check_limits(table: FieldsFile, field: FieldTable, where: str, found: Faults) -> None:
    if field.kind == "choice" and field.choices is None:
        found.add(where, "choices", "choices_missing")
    refuse_repeated(field.choices or [], where, "choices", found)
    if field.path == "applicant.jenis_kelamin" and field.choices and set(field.choices) != {"L", "P"}:
        found.add(where, "choices", "choices_sex")
    if field.minimum is not None and field.maximum is not None and field.maximum < field.minimum:
        found.add(where, "maximum", "range")
    if field.path == "practice.ke" and field.minimum != 1:
        found.add(where, "minimum", "first_place")
    if field.path == "practice.ke" and field.maximum != table.type.places:
        found.add(where, "maximum", "places", places=table.type.places)


def _is_sample(field: FieldTable) -> bool:
    value = field.sample
    if field.kind == "integer":
        return type(value) is int and _within(value, field.minimum, field.maximum)
    if field.kind == "date":
        return _is_date(value)
    if field.kind == "str_validity":
        return value == FOREVER or _is_date(value)
    return isinstance(value, str) and _is_text(value, field)


def _is_text(value: str, field: FieldTable) -> bool:
    if field.kind == "choice":
        return value in (field.choices or [])
    if field.kind in {"nik", "nip"}:
        return re.fullmatch(r"\d{16}" if field.kind == "nik" else r"\d{18}", value, re.ASCII) is not None
    return value.strip() == value != "" and value.isprintable() and len(value) <= (field.max_length or _MAX_LENGTH)


def _within(value: int, minimum: int | None, maximum: int | None) -> bool:
    return (minimum is None or value >= minimum) and (maximum is None or value <= maximum)


def _is_date(value: object) -> bool:
    """A TOML date, or the text that a case would carry."""
    if type(value) is date:
        return True
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _check_office(table: FieldsFile, office: Office, done: Procedure | None, found: Faults) -> None:
    if table.type.series not in office.series:
        found.add("type", "series", "series_unknown", series=table.type.series)
    if done is not None and table.type.survey_gate and all(act.verb is not Verb.SURVEY for act in done.plan):
        found.add("type", "survey_gate", "survey_gate")


def _permit_type(table: FieldsFile, office: Office, done: Procedure) -> PermitType:
    about = table.type
    return PermitType(
        office=office.code,
        code=TypeCode(about.code),
        name=about.name,
        title=about.title,
        profession=about.profession,
        document_code=about.document_code,
        classification=about.classification,
        series=about.series,
        places=about.places,
        request_kinds=tuple(about.request_kinds),
        fields=tuple(_field(field) for field in table.field),
        requirements=tuple(Requirement(one.code, one.text, one.required) for one in table.requirement),
        legal_basis=tuple(LegalBasis(one.text, one.since, one.until) for one in table.legal_basis),
        clauses=tuple(table.paper.clauses),
        copies=tuple(table.paper.copies),
        photo=None if table.photo is None else Photo(table.photo.ratio, table.photo.required),
        validity=Validity(table.validity.years, table.validity.cap_at_str, table.validity.inclusive_end),
        survey_gate=about.survey_gate,
        procedure=done,
        max_pages=about.max_pages,
    )


def _field(field: FieldTable) -> Field:
    """Samples are what JSON would carry, so a TOML date becomes its text."""
    return Field(
        path=field.path,
        label=field.label,
        kind=FieldKind(field.kind),
        required=field.required,
        printed=field.printed,
        public=field.public,
        max_length=field.max_length or _MAX_LENGTH,
        choices=tuple(field.choices or ()),
        minimum=field.minimum,
        maximum=field.maximum,
        sample=field.sample.isoformat() if isinstance(field.sample, date) else field.sample,
    )
