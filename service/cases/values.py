"""One reader per field kind: what was posted in, the value as it is kept out, or a fault noted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from service.cases.hygiene import has_letter
from service.cases.model import LIFETIME
from service.cases.moments import read_date
from service.identifiers import IdentifierInvalid, parse_nik, parse_nip, parse_str
from service.sop.model import FieldKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.cases.model import Value
    from service.cases.sheet import Sheet
    from service.sop.model import Field

PHONE = re.compile(r"(?:\+?62|0)[2-9][0-9]{6,12}")
PHONE_LENGTH = 24
EMAIL = re.compile(
    r"(?=.{1,64}@)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)
"""A plain address of RFC 5321 §4.1.2: no quotes, no comment, nothing that a header or a command could end at."""
EMAIL_LENGTH = 254
IDENTIFIER_LENGTH = 60


def read_value(sheet: Sheet, pointer: str, field: Field, value: object) -> Value | None:
    """Return the value of a field of any kind."""
    return _READERS[field.kind](sheet, pointer, field, value)


def _text(sheet: Sheet, pointer: str, field: Field, value: object) -> Value | None:
    return sheet.text(pointer, value, field.max_length, lines=field.kind is not FieldKind.NAME)


def _name(sheet: Sheet, pointer: str, field: Field, value: object) -> Value | None:
    name = sheet.text(pointer, value, field.max_length)
    if name is not None and not has_letter(name):
        sheet.note(pointer, "no_letter")
        return None
    return name


def _date(sheet: Sheet, pointer: str, _field: Field, value: object) -> Value | None:
    return read_date(sheet, pointer, value)


def _str_validity(sheet: Sheet, pointer: str, _field: Field, value: object) -> Value | None:
    return LIFETIME if value == LIFETIME else read_date(sheet, pointer, value)


def _integer(sheet: Sheet, pointer: str, field: Field, value: object) -> Value | None:
    if not isinstance(value, int) or isinstance(value, bool):
        sheet.note(pointer, "wrong_type", expected="integer")
    elif field.minimum is not None and value < field.minimum:
        sheet.note(pointer, "too_small", limit=field.minimum)
    elif field.maximum is not None and value > field.maximum:
        sheet.note(pointer, "too_big", limit=field.maximum)
    else:
        return value
    return None


def _choice(sheet: Sheet, pointer: str, field: Field, value: object) -> Value | None:
    return sheet.choice(pointer, value, field.choices)


def _phone(sheet: Sheet, pointer: str, _field: Field, value: object) -> Value | None:
    text = sheet.text(pointer, value, PHONE_LENGTH)
    if text is None:
        return None
    digits = re.sub(r"[ ().-]", "", text)
    if not PHONE.fullmatch(digits):
        sheet.note(pointer, "phone_shape")
        return None
    return "+62" + re.sub(r"^(\+?62|0)", "", digits)


def _email(sheet: Sheet, pointer: str, _field: Field, value: object) -> Value | None:
    text = sheet.text(pointer, value, EMAIL_LENGTH)
    if text is None:
        return None
    if not EMAIL.fullmatch(text):
        sheet.note(pointer, "email_shape")
        return None
    mailbox, _, host = text.partition("@")
    return f"{mailbox}@{host.lower()}"


def _identifier(parse: Callable[[str], str]) -> Callable[[Sheet, str, Field, object], Value | None]:
    def read(sheet: Sheet, pointer: str, _field: Field, value: object) -> Value | None:
        return read_identifier(sheet, pointer, value, parse)

    return read


def read_identifier(sheet: Sheet, pointer: str, value: object, parse: Callable[[str], str]) -> str | None:
    """Return an identifier in its kept form."""
    text = sheet.text(pointer, value, IDENTIFIER_LENGTH)
    if text is None:
        return None
    try:
        return parse(text)
    except IdentifierInvalid as invalid:
        sheet.note(pointer, invalid.code)
        return None


def nik(text: str) -> str:
    """Return a possible NIK as it is."""
    parse_nik(text)
    return text


def nip(text: str) -> str:
    """Return a possible NIP without its spaces."""
    return parse_nip(text).digits


_READERS: dict[FieldKind, Callable[[Sheet, str, Field, object], Value | None]] = {
    FieldKind.TEXT: _text,
    FieldKind.ADDRESS: _text,
    FieldKind.NAME: _name,
    FieldKind.DATE: _date,
    FieldKind.NIK: _identifier(nik),
    FieldKind.NIP: _identifier(nip),
    FieldKind.STR: _identifier(parse_str),
    FieldKind.STR_VALIDITY: _str_validity,
    FieldKind.INTEGER: _integer,
    FieldKind.CHOICE: _choice,
    FieldKind.PHONE: _phone,
    FieldKind.EMAIL: _email,
}
