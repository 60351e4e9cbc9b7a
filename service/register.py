"""The office's register: gapless numbers, each given once, hash-chained. Nothing else writes here.

Called inside the caller's transaction: number, state and event are one commit (I2, I3). The series row is the lock;
it is never held across typesetting, signing or network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from service.canonical import GENESIS, digest
from service.clock import stamp
from service.errors import TekenError
from service.gate import refuse_if_closed
from service.sop.model import Office, PermitType
from service.sop.pattern import period, render
from service.store.tables import register, series

CORRECT, RESERVE = "correct", "reserve"
HOLE, RECONCILED = "reconcile:hole", "reconcile:found"
"""Reasons of entries that were written again after the database had been put back (ADR 0053)."""
_NUMBERING = ("allot", CORRECT)


class ClockBehind(TekenError):
    """The date is before the series' last entry: the clock went back, numbering stops until it is right again."""

    code = "clock_behind"
    status = 503


@dataclass(frozen=True, slots=True)
class Allotted:
    """A number of the register. `entry_hash` goes into the journal, which anchors the register's chain."""

    series: str
    no: int
    number: str
    day: date
    entry_hash: str


@dataclass(frozen=True, slots=True)
class Found:
    """A number that was given before the database was put back. `rules`: the code of the office's series."""

    series: str
    rules: str
    no: int
    number: str
    day: date


def allot(
    connection: Connection,
    office: Office,
    permit_type: PermitType,
    *,
    permit: str,
    place: int,
    day: date,
    by: str,
    at: datetime,
) -> Allotted:
    """Give the permit the next number of its series; a permit that has one gets the same again.

    `day` is the local date that is printed; the series' period follows from it. Raises ClockBehind.
    """
    existing = of_permit(connection, permit)
    if existing is not None and not is_void(connection, permit):
        return existing
    rules = office.series[permit_type.series]
    name = series_name(office, permit_type, day)
    row = _locked(connection, name, office, rules.start)
    if day.isoformat() < row.last_day:
        raise ClockBehind(last=row.last_day)
    no = row.last_no + 1
    number = render(
        rules.pattern, seq=no, klas=permit_type.classification, type=permit_type.document_code, place=place, day=day
    )
    entry_hash = _append(
        connection,
        row,
        kind="allot",
        no=no,
        number=number,
        permit=permit,
        day=day.isoformat(),
        by=by,
        reason=None,
        at=at,
    )
    connection.execute(update(series).where(series.c.name == name).values(last_no=no, last_day=day.isoformat()))
    return Allotted(name, no, number, day, entry_hash)


def reserve(
    connection: Connection, office: Office, permit_type: PermitType, *, day: date, by: str, reason: str, at: datetime
) -> Allotted:
    """Use up the next number of a type's series for something outside: it has no permit, the entry says why. Raises ClockBehind."""
    rules = office.series[permit_type.series]
    row = _locked(connection, series_name(office, permit_type, day), office, rules.start)
    if day.isoformat() < row.last_day:
        raise ClockBehind(last=row.last_day)
    no, klas, code = row.last_no + 1, permit_type.classification, permit_type.document_code
    number = render(rules.pattern, seq=no, klas=klas, type=code, place=1, day=day)
    entry = {"no": no, "number": number, "permit": None, "day": day.isoformat(), "by": by, "reason": reason}
    entry_hash = _append(connection, row, kind=RESERVE, at=at, **entry)
    connection.execute(update(series).where(series.c.name == row.name).values(last_no=no, last_day=day.isoformat()))
    return Allotted(row.name, no, number, day, entry_hash)


def void(connection: Connection, *, permit: str, by: str, reason: str, at: datetime) -> Allotted | None:
    """Void the permit's number: the entry stays, a new one says why and by whom. None if it has no number or is voided already."""
    entry = _newest(connection, permit)
    if entry is None or is_void(connection, permit):
        return None
    return _said_again(connection, entry, _append, kind="void", permit=permit, by=by, reason=reason, at=at)


def correct(
    connection: Connection, *, old: str, new: str, by: str, at: datetime, reconciling: bool = False
) -> Allotted:
    """Pass the number of a permit on to the one that corrects it: an entry of its own, which names the old permit as its reason.

    `reconciling`: it was done before the database was put back, and is written again behind the closed gate.
    """
    entry = _newest(connection, old)
    assert entry is not None, "what was issued has a number"
    append = _write if reconciling else _append
    return _said_again(connection, entry, append, kind=CORRECT, permit=new, by=by, reason=old, at=at)


def _said_again(connection: Connection, entry: Row[Any], append: Callable[..., str], **more: Any) -> Allotted:
    """Say something more of a number that has an entry already."""
    row = connection.execute(select(series).where(series.c.name == entry.series).with_for_update()).one()
    entry_hash = append(connection, row, no=entry.no, number=entry.number, day=entry.day, **more)
    return Allotted(entry.series, entry.no, entry.number, date.fromisoformat(entry.day), entry_hash)


def reenter(
    connection: Connection,
    office: Office,
    found: Found,
    *,
    permit: str | None,
    reason: str,
    by: str,
    at: datetime,
) -> Allotted:
    """Write again, while the gate is closed, a number that was given before the database was put back: the next one of its series.

    Without a permit it is a hole, kept until a named official voids it (`void_hole`).
    """
    rules = office.series[found.rules]
    row = _locked(connection, found.series, office, rules.start)
    assert found.no == row.last_no + 1, "numbers are entered again in their order"
    day = max(found.day.isoformat(), row.last_day)
    entry = {"no": found.no, "number": found.number, "permit": permit, "day": day, "by": by, "reason": reason}
    entry_hash = _write(connection, row, kind="allot" if permit else RESERVE, at=at, **entry)
    connection.execute(update(series).where(series.c.name == row.name).values(last_no=found.no, last_day=day))
    return Allotted(found.series, found.no, found.number, date.fromisoformat(day), entry_hash)


def holes(connection: Connection, name: str | None = None) -> list[Row[Any]]:
    """Return the entries of numbers that were given, nobody knows for what, and are not voided yet."""
    voided = register.alias("voided")
    query = (
        select(register)
        .outerjoin(
            voided,
            (voided.c.series == register.c.series) & (voided.c.no == register.c.no) & (voided.c.kind == "void"),
        )
        .where(register.c.kind == RESERVE, register.c.reason == HOLE, voided.c.no.is_(None))
    )
    query = query if name is None else query.where(register.c.series == name)
    return list(connection.execute(query.order_by(register.c.series, register.c.no)).all())


def void_hole(connection: Connection, hole: Row[Any], *, by: str, reason: str, at: datetime) -> Allotted:
    """Void the number of a hole, also while the gate is closed: a named official says why."""
    row = connection.execute(select(series).where(series.c.name == hole.series).with_for_update()).one()
    entry = {"no": hole.no, "number": hole.number, "permit": None, "day": hole.day, "by": by, "reason": reason}
    entry_hash = _write(connection, row, kind="void", at=at, **entry)
    return Allotted(hole.series, hole.no, hole.number, date.fromisoformat(hole.day), entry_hash)


def of_permit(connection: Connection, permit: str) -> Allotted | None:
    """Return the permit's number, the newest if one was voided at new year; voided or not."""
    row = _newest(connection, permit)
    return None if row is None else Allotted(row.series, row.no, row.number, date.fromisoformat(row.day), row.hash)


def is_void(connection: Connection, permit: str) -> bool:
    """Tell whether the permit's newest number was voided."""
    entry = _newest(connection, permit)
    if entry is None:
        return False
    voided = select(register.c.no).where(
        register.c.series == entry.series, register.c.no == entry.no, register.c.kind == "void"
    )
    return connection.execute(voided).first() is not None


def standing(connection: Connection, permit: str) -> int:
    """Return how many numbers of the permit are not void: at most one (I3)."""
    kinds = list(connection.execute(select(register.c.kind).where(register.c.permit == permit)).scalars())
    return sum(kinds.count(kind) for kind in _NUMBERING) - kinds.count("void")


def series_name(office: Office, permit_type: PermitType, day: date) -> str:
    """Return the name of the counter that numbers this type on that day."""
    rules = office.series[permit_type.series]
    scope = [office.code, permit_type.series, *([permit_type.code] if rules.scope == "type" else [])]
    return "/".join([*scope, period(rules.reset, day)])


def walk(connection: Connection, name: str) -> Iterator[tuple[Row[Any], bool]]:
    """Yield every entry of a series with whether its hash and its link to the one before hold."""
    head = GENESIS
    rows = connection.execute(select(register).where(register.c.series == name).order_by(register.c.seq))
    for expected, row in enumerate(rows, start=1):
        fields = {k: v for k, v in row._mapping.items() if k != "hash"}  # noqa: SLF001 - SQLAlchemy's public name
        yield row, row.seq == expected and row.prev == head and row.hash == digest(fields)
        head = row.hash


def _newest(connection: Connection, permit: str) -> Row[Any] | None:
    query = select(register).where(register.c.permit == permit, register.c.kind.in_(_NUMBERING))
    return connection.execute(query.order_by(register.c.at.desc(), register.c.seq.desc())).first()


def _locked(connection: Connection, name: str, office: Office, start: int) -> Row[Any]:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    fresh = {
        "name": name,
        "office": office.code,
        "first_no": start,
        "last_no": start - 1,
        "entries": 0,
        "head": GENESIS,
        "last_day": "",
    }
    connection.execute(dialect.insert(series).values(**fresh).on_conflict_do_nothing())
    return connection.execute(select(series).where(series.c.name == name).with_for_update()).one()


def _append(connection: Connection, row: Row[Any], *, at: datetime, **entry: Any) -> str:
    """Write an entry behind an open gate. Raises NumberingClosed."""
    refuse_if_closed(connection)
    return _write(connection, row, at=at, **entry)


def _write(connection: Connection, row: Row[Any], *, at: datetime, **entry: Any) -> str:
    fields = {"series": row.name, "seq": row.entries + 1, **entry, "at": stamp(at), "prev": row.head}
    entry_hash = digest(fields)
    connection.execute(insert(register).values(**fields, hash=entry_hash))
    connection.execute(update(series).where(series.c.name == row.name).values(entries=row.entries + 1, head=entry_hash))
    return entry_hash
