"""Holes are voided by a named official; then the gate before the register is opened again, by one as well (ADR 0053)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from service import gate, highwater, journal, register
from service.errors import Conflict, NotFound
from service.journal import Entry
from service.people import local_day
from service.reconcile.plan import plan
from service.store.tables import mandates
from service.turn import reasoned

if TYPE_CHECKING:
    from service.reconcile.told import Told
    from service.wiring import Teken

VOIDED = "register.hole_voided"


def void_hole(teken: Teken, number: str, *, by: str, reason: str) -> str:
    """Void a number that was given before the database was put back, and of which nothing is known. Returns the number.

    Raises NotFound("hole_unknown", "official_unknown"), ReasonRequired, Conflict("numbering_open").
    """
    reason, now = reasoned(reason), teken.clock.now()
    with teken.db.write() as connection:
        if gate.closure(connection) is None:
            raise Conflict("numbering_open")
        hole = next((one for one in register.holes(connection) if one.number == number), None)
        if hole is None:
            raise NotFound("hole_unknown")
        office = hole.series.partition("/")[0]
        _check_person(teken, connection, by, office)
        voided = register.void_hole(connection, hole, by=by, reason=reason, at=now)
        told = {"series": voided.series, "no": voided.no, "number": voided.number, "register_hash": voided.entry_hash}
        journal.append(connection, teken.notary, now, Entry(VOIDED, office, None, None, {**told, "by": by}))
    return number


def open_register(teken: Teken, *, by: str, reason: str, told: Told) -> int:
    """Open the gate; return how many permits it woke.

    Raises Conflict("numbering_open", "register_unreconciled": something is not entered yet, "register_holes"), NotFound, ReasonRequired.
    """
    reason, found = reasoned(reason), plan(teken, told)
    if not found.nothing:
        raise Conflict("register_unreconciled", count=str(len(found.lost) + len(found.holes) + len(found.decisions)))
    with teken.db.write() as connection:
        _check_person(teken, connection, by, by.partition("/")[0])
        left = register.holes(connection)
        if left:
            raise Conflict("register_holes", numbers=", ".join(one.number for one in left))
        opened = gate.open_again(connection, teken, by, reason, {"doubtful": len(found.doubtful)})
    highwater.rise_everywhere(teken)
    for queue, permit in opened.woken:
        if queue in {"work", "sign"}:
            teken.doorbell.ring(queue, permit)
    return len(opened.woken)


def _check_person(teken: Teken, connection: Connection, by: str, office: str) -> Any:
    """Somebody who holds a mandate of this office today. Raises NotFound("official_unknown")."""
    known = teken.offices.offices.get(office)  # type: ignore[call-overload]
    today = local_day(known, teken.clock.now()).isoformat() if known else ""
    current = (mandates.c.valid_to.is_(None)) | (mandates.c.valid_to >= today)
    mine = select(mandates.c.id).where(mandates.c.official == by, mandates.c.office == office, current)
    if known is None or connection.execute(mine.where(mandates.c.valid_from <= today)).first() is None:
        raise NotFound("official_unknown")
