"""Whether the values fit one another: what the law forbids is a fault, what only looks wrong is a warning."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from service.errors import Fault
from service.identifiers import WORKING_AGE, age, parse_nik

if TYPE_CHECKING:
    from service.cases.model import Case
    from service.cases.sheet import Sheet

BORN = "applicant.tanggal_lahir"
OLDEST = 90
ENDS_SOON_DAYS = 60  # one big city's own register flags an STR this close to its end


def doubts(sheet: Sheet, case: Case, today: date) -> tuple[Fault, ...]:
    """Note what rules the case out on `today`, and return what its clerk should look at."""
    _note_place(sheet, case)
    return (*_person(sheet, case, today), *_str(sheet, case, today))


def _note_place(sheet: Sheet, case: Case) -> None:
    """Permenkes 13/2025 art. 149(3) and the older per-profession limits: how many places at most."""
    place = case.get("practice.ke")
    if isinstance(place, int) and not 1 <= place <= case.permit_type.places:
        sheet.note("/practice/ke", "place_limit", limit=case.permit_type.places)


def _person(sheet: Sheet, case: Case, today: date) -> list[Fault]:
    """Disagreement with the NIK is a warning: NIKs issued with wrong data exist and stay valid."""
    born, nik, sex = case.get(BORN), case.get("applicant.nik"), case.get("applicant.jenis_kelamin")
    found: list[Fault] = []
    if isinstance(born, date) and born >= today:
        sheet.note("/applicant/tanggal_lahir", "born_in_the_future")
    elif isinstance(born, date) and not WORKING_AGE <= age(born, today) <= OLDEST:
        found.append(Fault("/applicant/tanggal_lahir", "unusual_age", {"from": str(WORKING_AGE), "to": str(OLDEST)}))
    if isinstance(nik, str) and isinstance(born, date) and not parse_nik(nik).born_on(born):
        found.append(Fault("/applicant/tanggal_lahir", "nik_birth_date"))
    if isinstance(nik, str) and isinstance(sex, str) and parse_nik(nik).sex != sex:
        found.append(Fault("/applicant/jenis_kelamin", "nik_sex"))
    return found


def _str(sheet: Sheet, case: Case, today: date) -> list[Fault]:
    """SE HK.02.01/MENKES/6/2024: a permit on a dated STR ends with it, so an ended STR carries none."""
    until = case.get("str.masa_berlaku")
    if not isinstance(until, date):
        return []
    if until <= today:
        sheet.note("/str/masa_berlaku", "str_ended")
        return []
    days = (until - today).days
    return [Fault("/str/masa_berlaku", "str_ends_soon", {"days": str(days)})] if days < ENDS_SOON_DAYS else []
