"""NIK, NIP and STR numbers: which are impossible, and what a possible one says of its holder. Pure, no store.

Only structure is judged. Whether a number exists is known to Dukcapil, BKN and the councils, not to Teken.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

# The 38 provinces (Kemendagri codes; pypi nik-lookup lists the same).
_RANGES = ((11, 19), (21, 21), (31, 36), (51, 53), (61, 65), (71, 76), (81, 82), (91, 96))
PROVINCES = frozenset(str(code) for first, last in _RANGES for code in range(first, last + 1))
MALE, FEMALE = "L", "P"
WORKING_AGE = 17  # a licensee is older: decides the century of a two-digit year
DAY_OFFSET_FEMALE = 40
MONTHS = 12

_NIK = re.compile(r"[0-9]{16}")
_NIP = re.compile(r"[0-9]{8} ?[0-9]{6} ?[0-9] ?[0-9]{3}")  # printed in groups of 8-6-1-3
_STR = re.compile(r"[0-9A-Z][0-9A-Z ./-]{5,39}")


class IdentifierInvalid(ValueError):
    """The number cannot be one. `code` names why; the number itself is never in the message."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class Nik:
    """What a NIK says: `PPDDSS ddmmyy nnnn`, day + 40 for women."""

    day: int
    month: int
    year: int  # two digits
    sex: str  # L | P

    def born_on(self, day: date) -> bool:
        """Tell whether this birth date is the NIK's, whatever the century."""
        return (day.day, day.month, day.year % 100) == (self.day, self.month, self.year)

    def birth_date(self, today: date) -> date:
        """Return the latest date on which a person who is at least 17 `today` can have been born."""
        dates = [day for century in (2000, 1900) if (day := _day(century + self.year, self.month, self.day))]
        grown = [day for day in dates if age(day, today) >= WORKING_AGE]
        return (grown or dates)[0]


@dataclass(frozen=True, slots=True)
class Nip:
    """What a NIP says: `YYYYMMDD YYYYMM G NNN`. `digits` is the stored form, without spaces."""

    digits: str
    born: date
    sex: str  # L | P


def parse_nik(text: str) -> Nik:
    """Read a NIK: 16 digits with a listed province, a real date and a serial from 0001.

    Raises IdentifierInvalid. Sources: Business::ID::NIK (metacpan), bachors/nik_parse.js, pypi nik-lookup.
    District and subdistrict codes are not judged: they change with every new regency.
    >>> parse_nik("1407004709960001")
    Nik(day=7, month=9, year=96, sex='P')
    """
    if not _NIK.fullmatch(text):
        raise IdentifierInvalid("nik_shape")
    if text[:2] not in PROVINCES:
        raise IdentifierInvalid("nik_province")
    day, month, year = int(text[6:8]), int(text[8:10]), int(text[10:12])
    sex = FEMALE if day > DAY_OFFSET_FEMALE else MALE
    day -= DAY_OFFSET_FEMALE if sex == FEMALE else 0
    if not any(_day(century + year, month, day) for century in (1900, 2000)):
        raise IdentifierInvalid("nik_date")
    if text[12:] == "0000":
        raise IdentifierInvalid("nik_serial")
    return Nik(day, month, year, sex)


def parse_nip(text: str) -> Nip:
    """Read a NIP: 18 digits, plain or in the printed groups 8-6-1-3.

    Raises IdentifierInvalid. Sources: rbtv.disway.id and tempo.co on the 18 digits. Contract staff (PPPK) carry
    months above 12 (such as 21) in the appointment part, so that only 00 is impossible there.
    """
    if not _NIP.fullmatch(text):
        raise IdentifierInvalid("nip_shape")
    digits = text.replace(" ", "")
    born = _day(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    if born is None:
        raise IdentifierInvalid("nip_date")
    if digits[12:14] == "00" or not digits[:4] < digits[8:12]:
        raise IdentifierInvalid("nip_appointment")
    if digits[14] not in "12":
        raise IdentifierInvalid("nip_sex")
    if digits[15:] == "000":
        raise IdentifierInvalid("nip_serial")
    return Nip(digits, born, MALE if digits[14] == "1" else FEMALE)


def parse_str(text: str) -> str:
    """Return an STR number as it is printed: upper case, single spaces; otherwise opaque.

    Raises IdentifierInvalid. Three generations of numbers are in use (`1221100120223039`, `32 1 1 100 3 19 095497`,
    two letters + 14 digits), so that only the alphabet and the length (6 to 40) are judged.
    """
    if not text.isascii():  # upper() would turn some foreign letters into ASCII ones
        raise IdentifierInvalid("str_shape")
    number = " ".join(text.split()).upper()
    if not _STR.fullmatch(number):
        raise IdentifierInvalid("str_shape")
    return number


def age(born: date, today: date) -> int:
    """Return completed years of life."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
