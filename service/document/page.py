"""Everything a permit says, as strings ready to print. Knows no typst and no file: words come from the labels."""

from __future__ import annotations

import json
import tomllib
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

from service.document.markers import HEAD, SEAL
from service.sop import pattern
from service.sop.backends import DOCUMENTS
from service.sop.model import FieldKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from service.sop.model import Field, LegalBasis, Office, PermitType, SigningChoice

Page: TypeAlias = dict[str, Any]
Labels: TypeAlias = dict[str, Any]

ATTACHMENT = "teken-izin/1"
LABELS = "_shared/labels.toml"
DIGITS = 5
"""Room is kept for running numbers up to 99999."""
NIP_DIGITS = 18
QR_MM, QR_OFFLINE_MM = 30, 34
"""The QR's box with its quiet zone: modules of 0.8 mm, and of 0.5 mm where it holds its own data (ADR 0047)."""
NAME, BIRTHPLACE, BIRTHDAY = "applicant.nama", "applicant.tempat_lahir", "applicant.tanggal_lahir"


@dataclass(frozen=True, slots=True)
class Signatory:
    """Who signs, as the paper names him. `prefix` is "Plt.", "Plh." or empty."""

    name: str
    title: str
    nip: str | None = None
    rank: str | None = None
    prefix: str = ""


def labels_of(files: Mapping[str, bytes]) -> Labels:
    """Read the words that permits share from the pinned templates."""
    return tomllib.loads(files[LABELS].decode())


def compose(
    office: Office,
    permit_type: PermitType,
    *,
    labels: Labels,
    case: Mapping[str, Any],
    signatory: Signatory,
    number: str | None,
    set_on: date | None,
    valid_to: date | None,
    code: str,
    verify_url: str,
    draft_mark: bool,
    today: date,
    revokes: str | None = None,
    corrects: str | None = None,
) -> Page:
    """Return all strings of one paper. `revokes`: the number of the permit that this one revokes, since its holder moved.

    `corrects`: SHA-256 of the document that this one corrects; only the attached data say it.

    `number`, `set_on` and `valid_to` that are None are left open: as form fields, or as dots on a draft. Where the
    number comes after the signature they are always fields. A draft has neither code nor address.
    """
    typed = draft_mark or permit_type.procedure.number_first
    number, set_on, valid_to = (number, set_on, valid_to) if typed else (None, None, None)
    words = labels["paper"]
    name = plain(at(case, NAME))
    page = {
        "language": labels["language"],
        "labels": words,
        "number_label": words["number"],
        "pending": words["pending"],
        "meta": _meta(office, permit_type),
        "paper": {"size": office.paper.size, "font": office.paper.font, "brand": office.brand},
        "max_pages": permit_type.max_pages,
        "letterhead": _letterhead(office, words),
        "title": permit_type.title,
        "number": number,
        "longest": {"number": longest_number(office, permit_type), "date": longest_date(labels)},
        "basis": [plain(basis.text) for basis in in_force(permit_type.legal_basis, set_on or today)],
        "name": name,
        "profession": permit_type.profession,
        "facts": facts(permit_type.fields, case, labels),
        "valid_to": date_words(valid_to, labels) if valid_to else None,
        "clauses": [*permit_type.clauses, *([words["revokes"].format(number=revokes)] if revokes else [])],
        "copies": list(permit_type.copies),
        "photo": _photo(permit_type, name, labels),
        "signature": _signature(office, signatory, date_words(set_on, labels) if set_on else None, words),
        "qr_side": QR_OFFLINE_MM if office.qr_offline else QR_MM,
        "verification": None if draft_mark else _verification(verify_url, code, labels),
        "fields": _fields(office, signatory.title, labels),
        "outside": outside(office.signing),
        "certificate": office.certificate_label,
        "draft": labels["draft"] if draft_mark else None,
    }
    data = {**_identity(office, permit_type), "number": number, "set_on": set_on, "valid_to": valid_to}
    data["code"] = None if draft_mark else code
    data |= {"corrects_sha256": corrects} if corrects and not draft_mark else {}
    data["case"] = {path: value for path in printed(permit_type.fields) if (value := at(case, path)) is not None}
    data["signatory"] = {key: page["signature"][key] for key in ("prefix", "title", "name", "nip")}
    page["attachment"] = json.dumps(data, ensure_ascii=False, sort_keys=True, indent=1, default=date.isoformat)
    return page


def outside(signing: SigningChoice) -> list[str]:
    """Return the signatures for which a service makes its own field: only their places are kept in what it is sent."""
    sides = ((HEAD, signing.backend, signing.returned), (SEAL, signing.seal_backend, signing.seal_returned))
    return [name for name, backend, returned in sides if backend in DOCUMENTS and returned != "strict"]


def field_values(number: str, set_on: date, valid_to: date, labels: Labels) -> dict[str, str]:
    """Return what is filled into the form fields after the signature."""
    return {
        "nomor_register": number,
        "tanggal_terbit": date_words(set_on, labels),
        "berlaku_sampai": date_words(valid_to, labels),
    }


def printed(fields: Iterable[Field]) -> dict[str, Field]:
    """Return the fields that a paper may show, by path: never a NIK, whatever the office's files say."""
    return {field.path: field for field in fields if field.printed and field.kind is not FieldKind.NIK}


def facts(fields: Iterable[Field], case: Mapping[str, Any], labels: Labels) -> list[list[str]]:
    """Return the printed rows [label, value, path]; place and date of birth share one, empty values have none."""
    shown = printed(fields)
    written = {path: value for path, field in shown.items() if (value := write(field.kind, at(case, path), labels))}
    rows = {path: [shown[path].label, value, path] for path, value in written.items() if path != NAME}
    if BIRTHPLACE in rows and BIRTHDAY in rows:
        rows[BIRTHPLACE] = [labels["paper"]["birth"], f"{written[BIRTHPLACE]}, {written[BIRTHDAY]}", BIRTHPLACE]
        del rows[BIRTHDAY]
    return list(rows.values())


def write(kind: FieldKind, value: object, labels: Labels) -> str:
    """Return a case value as it is printed."""
    if value is None or value == "":
        return ""
    coded: dict[str, str] = labels["values"]
    if isinstance(value, str) and value in coded and kind in (FieldKind.CHOICE, FieldKind.STR_VALIDITY):
        return coded[value]
    if kind in (FieldKind.DATE, FieldKind.STR_VALIDITY):
        return date_words(value if isinstance(value, date) else date.fromisoformat(str(value)), labels)
    if kind is FieldKind.INTEGER:
        return number_words(int(str(value)), labels)
    return nip_words(str(value)) if kind is FieldKind.NIP else plain(value)


def date_words(day: date, labels: Labels) -> str:
    """Return "1 Januari 2026"."""
    return f"{day.day} {labels['dates']['months'][day.month - 1]} {day.year}"


def number_words(number: int, labels: Labels) -> str:
    """Return "1 (satu)"; larger numbers stay figures."""
    words = labels["numbers"]["words"]
    return f"{number} ({words[number]})" if 0 <= number < len(words) else str(number)


def nip_words(nip: str) -> str:
    """Group a NIP as 8-6-1-3; anything that is not 18 digits stays as it is."""
    digits = "".join(nip.split())
    grouped = f"{digits[:8]} {digits[8:14]} {digits[14]} {digits[15:]}" if len(digits) == NIP_DIGITS else nip
    return plain(grouped)


def code_words(code: str) -> str:
    """Group a verification code by four for human eyes."""
    return "-".join(code[i : i + 4] for i in range(0, len(code), 4))


def plain(value: object) -> str:
    """One line of composed characters (NFC): line breaks and runs of blanks become one blank."""
    return " ".join(unicodedata.normalize("NFC", str(value if value is not None else "")).split())


def at(case: Mapping[str, Any], path: str) -> Any:
    """Return the value at a dotted path, None where the case has none."""
    value: Any = case
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def in_force(basis: Iterable[LegalBasis], day: date) -> list[LegalBasis]:
    """Return the legal basis as it stands on a day."""
    return [b for b in basis if (b.since is None or b.since <= day) and (b.until is None or day <= b.until)]


def longest_number(office: Office, permit_type: PermitType) -> str:
    """Return the widest number that the series can allot: room is kept for it before the number is known."""
    return pattern.longest(
        office.series[permit_type.series].pattern,
        DIGITS,
        klas=permit_type.classification,
        type=permit_type.document_code,
        place=permit_type.places,
    )


def longest_date(labels: Labels) -> str:
    """Return a date with the longest month name."""
    return f"30 {max(labels['dates']['months'], key=len)} 2000"


def _meta(office: Office, permit_type: PermitType) -> dict[str, Any]:
    return {"title": permit_type.name, "author": office.name, "keywords": [office.short_name, permit_type.profession]}


def _letterhead(office: Office, words: Mapping[str, str]) -> dict[str, Any]:
    return {
        "lines": list(office.letterhead),
        "address": office.address,
        "contacts": list(office.contacts),
        "emblem": office.emblem,
        "emblem_alt": words["emblem_alt"].format(government=office.government),
    }


def _photo(permit_type: PermitType, name: str, labels: Labels) -> dict[str, str] | None:
    if permit_type.photo is None:
        return None
    ratio = permit_type.photo.ratio
    words = labels["paper"]
    return {
        "ratio": ratio,
        "alt": words["photo_alt"].format(name=name),
        "empty": words["photo_empty"].format(ratio=labels["ratio"][ratio]),
    }


def _signature(office: Office, signatory: Signatory, day: str | None, words: Mapping[str, str]) -> dict[str, Any]:
    return {
        "place_label": words["place"],
        "place": office.city,
        "date_label": words["set_on"],
        "date": day,
        "prefix": signatory.prefix,
        "title": head_title(signatory.title, office.name),
        "name": plain(signatory.name),
        "rank": plain(signatory.rank),
        "nip": nip_words(signatory.nip or ""),
    }


def head_title(title: str, office_name: str) -> str:
    """Return "KEPALA DINAS PENANAMAN MODAL ...": role and office joined at the word that they share, in capitals."""
    role, rest = title.split(), office_name.split()
    shared = role[-1:] and rest[:1] and role[-1].casefold() == rest[0].casefold()
    return " ".join([*role, *(rest[1:] if shared else rest)]).upper()


def _verification(verify_url: str, code: str, labels: Labels) -> dict[str, str]:
    host = urlsplit(verify_url).netloc.lower()
    return {**labels["verification"], "host": host, "code": code_words(code)}


def _fields(office: Office, title: str, labels: Labels) -> dict[str, str]:
    """Return what a screen reader says of each form field."""
    words: dict[str, str] = labels["fields"]
    return {name: text.format(title=title, office=office.short_name) for name, text in words.items()}


def _identity(office: Office, permit_type: PermitType) -> dict[str, Any]:
    return {
        "format": ATTACHMENT,
        "office": office.code,
        "type": permit_type.code,
        "title": permit_type.name,
        "profession": permit_type.profession,
    }
