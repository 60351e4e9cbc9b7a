"""Entries that an office had before: taken over from a table, marked, and never numbered by Teken. All of a table or none of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from service.clock import stamp
from service.desk import book, sheets
from service.desk.sessions import Session
from service.errors import Fault, Invalid, NotFound
from service.people import local_day
from service.store.book_tables import earlier_entries
from service.store.tables import permits

if TYPE_CHECKING:
    from service.wiring import Teken

COLUMNS = ("nomor", "tanggal", "nama", "jenis", "tempat praktik", "berlaku sampai", "keterangan")
REQUIRED = COLUMNS[:4]
SAMPLE = (
    "503.440/017/SIP-PM/DPMPTSP/2025",
    "14-03-2025",
    "Contoh Nama, A.Md.RMIK",
    "Izin Praktik Perekam Medis",
    "RSUD Contoh",
    "14-03-2030",
    "",
)
LONGEST = 300
MOST_FAULTS = 20
_NO_TEXT = (sheets.NUMBER, sheets.FORMULA)
INSERTED = re.compile(r"(?:^|[/ ])[0-9]+[.\-]?[A-Za-z](?=$|[/ ])")
"""A number that was squeezed in between two others: 051.a, 51A."""
_DAY = re.compile(r"([0-9]{1,2})[-/.]([0-9]{1,2})[-/.]([0-9]{4})")


def take_over(teken: Teken, who: Session, series: str, data: bytes) -> int:
    """Store a CSV or XLSX of earlier entries for one of the office's series; return how many.

    Raises NotFound, Invalid: what the table itself gets wrong, and for each line (`/baris/3`) entry_missing, entry_day, entry_later,
    entry_inserted, entry_twice, too_long.
    """
    office, now = teken.offices.office(who.account.office), teken.clock.now()
    if series not in office.series:
        raise NotFound("series_unknown")
    head, *rows = sheets.read(data)
    places = _places(head)
    today = local_day(office, now)
    with teken.db.write() as connection:
        mine = earlier_entries.c.office == office.code
        taken = set(connection.execute(select(earlier_entries.c.number).where(mine)).scalars())
        issued = select(permits.c.number).where(permits.c.office == office.code, permits.c.number.is_not(None))
        taken |= set(connection.execute(issued).scalars())
        found, faults = [], []
        for line, row in enumerate(rows, start=2):
            entry = {name: row[at].strip() if at is not None and at < len(row) else "" for name, at in places.items()}
            wrong = _wrong(entry, taken, today)
            if wrong is not None:
                faults.append(Fault(f"/baris/{line}", wrong, {"line": str(line)}))
                continue
            taken.add(entry["nomor"])
            found.append(entry)
        if faults or not found:
            raise Invalid(faults=tuple(faults[:MOST_FAULTS]) or (Fault(sheets.POINTER, "sheet_empty"),))
        own = {"office": office.code, "series": series, "by": who.account.id, "at": stamp(now)}
        connection.execute(insert(earlier_entries), [{**_row(entry), **own} for entry in found])
        book.note(
            teken,
            office=office.code,
            account=who.account.id,
            action="register.imported",
            connection=connection,
            entries=len(found),
            series=series,
        )
    return len(found)


def _places(head: Sequence[str]) -> dict[str, int | None]:
    names = [" ".join(name.lower().split()) for name in head]
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise Invalid(faults=(Fault(sheets.POINTER, "entry_columns", {"columns": ", ".join(missing)}),))
    return {name: names.index(name) if name in names else None for name in COLUMNS}


def _wrong(entry: dict[str, str], taken: set[str], today: date) -> str | None:
    if any(not entry[name] for name in REQUIRED) or any(value.startswith(_NO_TEXT) for value in entry.values()):
        return "entry_missing"
    if any(len(value) > LONGEST for value in entry.values()):
        return "entry_long"
    if INSERTED.search(entry["nomor"]):
        return "entry_inserted"
    day = _iso(entry["tanggal"])
    until = _iso(entry["berlaku sampai"]) if entry["berlaku sampai"] else None
    if day is None or (entry["berlaku sampai"] and until is None):
        return "entry_day"
    if day > today.isoformat():
        return "entry_later"
    return "entry_twice" if entry["nomor"] in taken else None


def _row(entry: dict[str, str]) -> dict[str, str | None]:
    return {
        "number": entry["nomor"],
        "day": _iso(entry["tanggal"]),
        "name": entry["nama"],
        "type": entry["jenis"],
        "place": entry["tempat praktik"],
        "valid_to": _iso(entry["berlaku sampai"]),
        "note": entry["keterangan"],
    }


def _iso(text: str) -> str | None:
    written = _DAY.fullmatch(text)
    try:
        if written is not None:
            day, month, year = map(int, written.groups())
            return date(year, month, day).isoformat()
        return date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        return None
