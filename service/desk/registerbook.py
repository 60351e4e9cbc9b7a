"""The register book of an office: pages of each series, exports, months and years that are closed, numbers used outside."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, func, insert, select, tuple_

from service import gate, highwater, journal, register
from service.clock import instant, stamp
from service.desk import book
from service.desk.sessions import Session
from service.document import sheets as pdf
from service.errors import Conflict, Fault, Invalid, NotFound
from service.journal import Entry
from service.people import local_day
from service.permits import State
from service.store.book_tables import closings, earlier_entries
from service.store.desk_tables import accounts
from service.store.tables import events, permits, revisions
from service.store.tables import register as entries
from service.store.tables import series as counters

if TYPE_CHECKING:
    from service.wiring import Teken

PAGE = 100
EARLIER = "pra-teken"
"""Stands for the book of entries that an office had before."""
NUMBERED = ("allot", register.RESERVE)
LONGEST_PURPOSE = 200
_YEAR, _MONTH = 4, 7
_DECIDED = (State.SUSPENDED, State.REVOKED, State.REPLACED)


@dataclass(frozen=True, slots=True)
class Book:
    """One series in one period: its name in the database, the office's title, and how far it is."""

    name: str
    title: str
    period: str
    type: str | None
    numbers: int


@dataclass(frozen=True, slots=True)
class Line:
    """One number. `note`: what happened to it, by a word (void, reserve, correct, earlier) and its text.

    `documents`: the SHA-256 of every document that was issued with it, the corrected ones first and the one that counts last.
    """

    number: str
    day: str
    name: str
    type: str
    place: str
    valid_to: str | None
    permit: str | None
    note: str
    text: str
    documents: tuple[str, ...] = ()
    standing: str = ""  # suspended, revoked or replaced
    by: str = ""  # its decision's number, or the number of the permit that took its place

    @property
    def void(self) -> bool:
        """The number is struck out."""
        return self.note == "void"

    @property
    def corrected(self) -> bool:
        """The number went on to the permit that corrects its own."""
        return self.note == register.CORRECT


@dataclass(frozen=True, slots=True)
class Shown:
    """A page of a book."""

    book: Book
    lines: tuple[Line, ...]
    total: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class Closing:
    """How a month or a year was closed. `same`: the list is still what was closed."""

    period: str
    first: str
    last: str
    allotted: int
    voided: int
    reserved: int
    sha256: str
    by: str
    at: str
    same: bool


def books(teken: Teken, who: Session) -> list[Book]:
    """Return the office's books, newest first."""
    with teken.db.read() as connection:
        mine = select(counters).where(counters.c.office == who.account.office).order_by(counters.c.name.desc())
        return [_book(teken, row) for row in connection.execute(mine).all()]


def pages(teken: Teken, who: Session, name: str, *, period: str = "", page: int = 1, whole: bool = False) -> Shown:
    """Return a page of a book (`whole`: all of it), only what is dated in `period` ("2026-11"). Raises NotFound."""
    with teken.db.read() as connection:
        found = _book(teken, _counter(connection, who, name))
        mine = (
            (entries.c.series == name)
            & entries.c.kind.in_(NUMBERED)
            & entries.c.day.startswith(period, autoescape=True)
        )
        total = connection.execute(select(func.count()).select_from(entries).where(mine)).scalar_one()
        last = max(1, -(-total // PAGE))
        page = min(max(page, 1), last)
        query = select(entries).where(mine).order_by(entries.c.no)
        rows = connection.execute(query if whole else query.limit(PAGE).offset((page - 1) * PAGE)).all()
        lines: list[Line] = []
        for start in range(0, len(rows), PAGE):
            lines += _lines(teken, connection, rows[start : start + PAGE])
    return Shown(found, tuple(lines), total, page, last)


def earlier(teken: Teken, who: Session, *, page: int = 1, whole: bool = False) -> Shown:
    """Return the entries of before, oldest first."""
    mine = earlier_entries.c.office == who.account.office
    with teken.db.read() as connection:
        total = connection.execute(select(func.count()).select_from(earlier_entries).where(mine)).scalar_one()
        last = max(1, -(-total // PAGE))
        page = min(max(page, 1), last)
        query = select(earlier_entries).where(mine).order_by(earlier_entries.c.day, earlier_entries.c.number)
        rows = connection.execute(query if whole else query.limit(PAGE).offset((page - 1) * PAGE)).all()
    lines = tuple(
        Line(row.number, row.day, row.name, row.type, row.place, row.valid_to, None, "earlier", row.note)
        for row in rows
    )
    return Shown(Book(EARLIER, "", "", None, total), lines, total, page, last)


def closed(teken: Teken, who: Session, name: str) -> list[Closing]:
    """Return a series' closings, newest first, each compared with the list as it is now. Raises NotFound."""
    with teken.db.read() as connection:
        _counter(connection, who, name)
        query = select(closings, accounts.c.name).outerjoin(accounts, accounts.c.id == closings.c.by)
        rows = connection.execute(query.where(closings.c.series == name).order_by(closings.c.period.desc())).all()
        listed = _entries(connection, name) if rows else []
    office = teken.offices.office(who.account.office)
    return [
        Closing(
            row.period,
            row.first,
            row.last,
            row.allotted,
            row.voided,
            row.reserved,
            row.sha256,
            row.name or "",
            row.at,
            _sha256(_of_period(office, listed, row.period)) == row.sha256,
        )
        for row in rows
    ]


def closable(teken: Teken, who: Session, name: str) -> list[str]:
    """Return the months and years of a series that are over and not closed yet, oldest first."""
    office = teken.offices.office(who.account.office)
    today = local_day(office, teken.clock.now())
    with teken.db.read() as connection:
        _counter(connection, who, name)
        done = set(connection.execute(select(closings.c.period).where(closings.c.series == name)).scalars())
        days = [local_day(office, instant(row.at)).isoformat() for row in _entries(connection, name)]
    periods = {day[:_MONTH] for day in days} | {day[:_YEAR] for day in days}
    return sorted(period for period in periods - done if _end(period) < today)


def close(teken: Teken, who: Session, name: str, period: str) -> str:
    """Close a month or a year that is over: totals, and the hash of what was written in it. Returns the hash.

    Later voids of its numbers are written in the month in which they happen, so a closed list can't change.
    Raises NotFound, Conflict: "period_open", "period_closed".
    """
    if period not in closable(teken, who, name):
        with teken.db.read() as connection:
            mine = (closings.c.series == name) & (closings.c.period == period)
            was = connection.execute(select(closings.c.sha256).where(mine)).first()
        raise Conflict("period_closed" if was else "period_open")
    office, now = teken.offices.office(who.account.office), teken.clock.now()
    with teken.db.write() as connection:
        connection.execute(select(counters.c.name).where(counters.c.name == name).with_for_update())
        listed = _of_period(office, _entries(connection, name), period)
        mine = (closings.c.series == name) & (closings.c.period == period)
        if connection.execute(select(closings.c.sha256).where(mine)).first() is not None:
            raise Conflict("period_closed")
        numbers = [row for row in listed if row.kind in NUMBERED]
        row = {
            "series": name,
            "period": period,
            "office": office.code,
            "first": numbers[0].number if numbers else "",
            "last": numbers[-1].number if numbers else "",
            "allotted": sum(row.kind == "allot" for row in listed),
            "voided": sum(row.kind == "void" for row in listed),
            "reserved": sum(row.kind == register.RESERVE for row in listed),
            "sha256": _sha256(listed),
            "checkpoint": journal.newest_checkpoint(connection),
            "by": who.account.id,
            "at": stamp(now),
        }
        connection.execute(insert(closings).values(**row))
        told = {key: row[key] for key in ("series", "period", "allotted", "voided", "reserved", "sha256")}
        journal.append(connection, teken.notary, now, Entry("register.closed", office.code, None, None, told))
    return str(row["sha256"])


def reserve(teken: Teken, who: Session, permit_type: str, purpose: str) -> str:
    """Keep the next number of a type's series out of Teken: the paper agenda used it. Returns the number.

    Raises NotFound, Invalid, ClockBehind, NumberingClosed. A number between two others is not given: a register has no gaps to fill.
    """
    why = " ".join(purpose.split())
    if not why or len(why) > LONGEST_PURPOSE:
        code = "too_long" if why else "required"
        raise Invalid(faults=(Fault("/keperluan", code, {"limit": str(LONGEST_PURPOSE)} if why else {}),))
    office, now = teken.offices.office(who.account.office), teken.clock.now()
    kind = next((one for one in teken.offices.types(office.code) if one.code == permit_type), None)
    if kind is None:
        raise NotFound("series_unknown")
    day = local_day(office, now)
    gate.pass_through(teken)
    with teken.db.write() as connection:
        kept = register.reserve(connection, office, kind, day=day, by=who.account.id, reason=why, at=now)
        told = {"series": kept.series, "no": kept.no, "number": kept.number, "register_hash": kept.entry_hash}
        book.note(
            teken,
            office=office.code,
            account=who.account.id,
            action="register.reserved",
            connection=connection,
            number=kept.number,
        )
        journal.append(connection, teken.notary, now, Entry("register.reserved", office.code, None, None, told))
    highwater.rise(teken)
    return kept.number


def printed(teken: Teken, who: Session, given: dict[str, Any]) -> bytes:
    """Return the book as pages to print, with the office's letterhead; `given` holds title, subtitle, heads, rows and words."""
    office = teken.offices.office(who.account.office)
    paper = {"office": office.name, "government": office.government, "size": office.paper.size, "brand": office.brand}
    return pdf.book(teken.settings.templates, {**given, **paper}, timestamp=teken.clock.now())


def _counter(connection: Connection, who: Session, name: str) -> Row[Any]:
    mine = (counters.c.name == name) & (counters.c.office == who.account.office)
    row = connection.execute(select(counters).where(mine)).first()
    if row is None:
        raise NotFound("series_unknown")
    return row


def _book(teken: Teken, row: Row[Any]) -> Book:
    """A series is named office/series[/type]/period; one that the office has no more keeps its code as title."""
    office = teken.offices.office(row.office)
    _, code, *kind, period = row.name.split("/")
    rules = office.series.get(code)
    types = {str(one.code): one.name for one in teken.offices.types(office.code)}
    named = types.get(kind[0], kind[0]) if kind else None
    return Book(row.name, rules.title if rules else code, period, named, row.last_no - row.first_no + 1)


def _lines(teken: Teken, connection: Connection, rows: Sequence[Row[Any]]) -> list[Line]:
    if not rows:
        return []
    mine = (entries.c.series == rows[0].series) & entries.c.no.in_([row.no for row in rows])
    later = connection.execute(
        select(entries).where(mine, entries.c.kind.not_in(NUMBERED)).order_by(entries.c.seq)
    ).all()
    after: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in later:
        after[row.no].append(row)
    bearers = {
        row.no: [row.permit, *(one.permit for one in after[row.no] if one.kind == register.CORRECT)]
        for row in rows
        if row.permit is not None
    }
    known = _permits(connection, [one for some in bearers.values() for one in some])
    lines = [_line(teken, row, after[row.no], [known[one] for one in bearers.get(row.no, ())]) for row in rows]
    said = _decisions(connection, [row.id for row, _ in known.values() if row.state in _DECIDED])
    return [
        replace(one, standing=said[one.permit][0], by=said[one.permit][1]) if one.permit in said else one
        for one in lines
    ]


def _line(teken: Teken, row: Row[Any], after: list[Row[Any]], bearers: list[tuple[Row[Any], dict[str, Any]]]) -> Line:
    """Return the line of a number. `after`: what the register wrote of it later; `bearers`: the permits that had it, newest last."""
    note, text = ("", "")
    if after:
        note, text = after[-1].kind, (after[-1].reason or "") if after[-1].kind == "void" else ""
    elif row.kind == register.RESERVE:
        note, text = register.RESERVE, row.reason if row.reason and row.reason != register.HOLE else ""
    if not bearers:
        return Line(row.number, row.day, "", "", "", None, None, note, text)
    permit, case = bearers[-1]
    kind = teken.pins.open(permit.pin).permit_type.name
    place, name = case["practice"]["nama"], case["applicant"]["nama"]
    valid_to = permit.valid_to if permit.number == row.number else None
    documents = tuple(one.released_sha for one, _ in bearers if one.released_sha)
    return Line(row.number, row.day, name, kind, place, valid_to, permit.id, note, text, documents)


def _decisions(connection: Connection, ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return how permits that are not in force any more came to that: the state, and by which decision or permit."""
    query = select(events.c.permit, events.c.type, events.c.data).where(
        events.c.permit.in_(ids), events.c.type.in_([f"permit.{state}" for state in _DECIDED])
    )
    told = {row.permit: row for row in connection.execute(query.order_by(events.c.seq)).all()}
    data = {permit: json.loads(row.data) for permit, row in told.items()}
    return {
        permit: (
            row.type.removeprefix("permit."),
            str(data[permit].get("decision") or data[permit].get("by_number") or ""),
        )
        for permit, row in told.items()
    }


def _permits(connection: Connection, ids: Sequence[str]) -> dict[str, tuple[Row[Any], dict[str, Any]]]:
    rows = connection.execute(select(permits).where(permits.c.id.in_(ids))).all()
    wanted = [(row.id, row.revision) for row in rows]
    query = select(revisions.c.permit, revisions.c.body)
    found = connection.execute(query.where(tuple_(revisions.c.permit, revisions.c.revision).in_(wanted))).all()
    bodies = {permit: json.loads(body) for permit, body in found}
    return {row.id: (row, bodies[row.id]) for row in rows}


def _entries(connection: Connection, name: str) -> Sequence[Any]:
    columns = (
        entries.c.seq,
        entries.c.kind,
        entries.c.no,
        entries.c.number,
        entries.c.day,
        entries.c.at,
        entries.c.hash,
    )
    return connection.execute(select(*columns).where(entries.c.series == name).order_by(entries.c.seq)).all()


def _of_period(office: Any, listed: Sequence[Row[Any]], period: str) -> list[Row[Any]]:
    """What was written in the period, by the office's own calendar."""
    return [row for row in listed if local_day(office, instant(row.at)).isoformat().startswith(period)]


def _sha256(listed: Sequence[Row[Any]]) -> str:
    text = "".join(f"{row.seq};{row.kind};{row.no};{row.number};{row.day};{row.hash}\n" for row in listed)
    return hashlib.sha256(text.encode()).hexdigest()


def _end(period: str) -> date:
    """Return the last day of "2026" or "2026-11"."""
    year, month = int(period[:_YEAR]), int(period[_YEAR + 1 :] or 12)
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
