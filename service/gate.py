"""The gate before the register. It closes when the database turns out to be an earlier one, and only a named person opens it again.

While it is closed nothing is numbered, signed, sealed or issued, and nothing is written in the register; what was accepted waits
and loses no try. Reading, paraf, preview and intake go on (ADR 0053).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import structlog
from sqlalchemy import Connection, Row, func, insert, select, update

from service import highwater, journal
from service.canonical import dumps
from service.checkpoint import Notary
from service.clock import stamp
from service.errors import TekenError
from service.journal import Entry
from service.store.gate_tables import closures
from service.store.tables import permits

if TYPE_CHECKING:
    from service.wiring import Teken

log = structlog.get_logger("teken.gate")
RESTORED, WENT_BACK = "restored", "went_back"
CLOSED, OPENED = "register.numbering_closed", "register.numbering_opened"
EVERYBODY: Final = "-"
"""The office of an event that is every office's."""
LOST: Final = "journal.lost"
"""An event that stands where a lost one stood, or may have stood."""
AFTER_THE_MARK: Final = 500
"""Events that may have happened after the last mark was written."""
_MANY: Final = 500
BEHIND: Final = frozenset({"number", "sign", "seal", "issue"})
"""Steps that wait while the gate is closed."""
WAIT: Final = timedelta(minutes=10)
"""A waiting permit looks again so often; opening the gate wakes all of them."""


class NumberingClosed(TekenError):
    """The database was put back: what it lost must be found before anything is numbered, signed or issued."""

    code = "numbering_closed"
    status = 503

    def __init__(self) -> None:
        super().__init__(retry_after=int(WAIT.total_seconds()))


@dataclass(frozen=True, slots=True)
class Opening:
    """What opening the gate woke."""

    woken: tuple[tuple[str, str], ...]
    """(queue, permit)"""


def closure(connection: Connection) -> Row[Any] | None:
    """Return why the gate is closed; None while it is open."""
    return connection.execute(select(closures).where(closures.c.opened_at.is_(None))).first()


def refuse_if_closed(connection: Connection) -> None:
    """Let nobody through a closed gate, in the transaction that writes.

    Raises NumberingClosed.
    """
    if highwater.is_closed(connection):
        raise NumberingClosed


def pass_through(teken: Teken) -> None:
    """Look, before a transaction that numbers or issues, whether the database is still the one that this host knows; close if not.

    Raises NumberingClosed.
    """
    mark = highwater.at_home(teken)
    with teken.db.read() as connection:
        refuse_if_closed(connection)
        back = mark is not None and highwater.went_back(connection, mark)
    if back and mark is not None:
        _close_behind(teken, mark)
        raise NumberingClosed


def watch(teken: Teken, *, starting: bool = False) -> None:
    """Compare with what this host and the archive know, and close the gate if the database went back.

    `starting`: the archive, which may be away, is asked only by a host that knows nothing itself; the worker asks it soon.
    """
    home = highwater.at_home(teken)
    archive = None if starting and home is not None else highwater.in_archive(teken)
    marks = [mark for mark in (home, archive) if mark is not None]
    with teken.db.read() as connection:
        behind = [one for one in marks if highwater.went_back(connection, one)]
    if behind:
        _close_behind(teken, max(behind, key=lambda one: one.order))


def close(teken: Teken, cause: str, told: Mapping[str, Any]) -> None:
    """Close the gate, once; the journal is told."""
    with teken.db.write() as connection:
        close_in(connection, teken.notary, teken.clock.now(), cause, told)


def close_in(connection: Connection, notary: Notary, now: datetime, cause: str, told: Mapping[str, Any]) -> None:
    """The same, in the caller's transaction."""
    journal.hold(connection)
    if highwater.is_closed(connection):
        return
    last = connection.execute(select(func.max(closures.c.id))).scalar_one() or 0
    row = {"id": last + 1, "cause": cause, "told": dumps(dict(told)), "closed_at": stamp(now)}
    connection.execute(insert(closures).values(**row))
    tell_closed(connection, notary, now, cause, told)


def tell_closed(connection: Connection, notary: Notary, now: datetime, cause: str, told: Mapping[str, Any]) -> None:
    """Tell the journal that the gate is closed."""
    journal.append(connection, notary, now, Entry(CLOSED, EVERYBODY, None, None, {"cause": cause, **told}))
    log.error("numbering_closed", cause=cause)


def open_again(connection: Connection, teken: Teken, by: str, reason: str, told: Mapping[str, Any]) -> Opening:
    """Open the gate and wake what waits, in the caller's transaction, who then raises the marks. The caller has made sure that he may."""
    now = teken.clock.now()
    journal.hold(connection)
    mine = update(closures).where(closures.c.opened_at.is_(None))
    connection.execute(mine.values(opened_at=stamp(now), opened_by=by, reason=reason))
    waiting = permits.c.fault == NumberingClosed.code
    woken = connection.execute(select(permits.c.queue, permits.c.id).where(waiting)).all()
    connection.execute(update(permits).where(waiting).values(due_at=stamp(now), fault=None))
    entry = Entry(OPENED, EVERYBODY, None, None, {"by": by, "reason": reason, **told})
    journal.append(connection, teken.notary, now, entry)
    return Opening(tuple((row.queue, row.id) for row in woken))


def pass_over(connection: Connection, teken: Teken, length: int) -> None:
    """Use up the journal's places to this length: whoever read the lost events asks for what comes after them, and must miss nothing."""
    journal.hold(connection)
    here = highwater.now(connection, teken.notary)
    lost = length - (here.length if here else 0)
    for start in range(0, lost, _MANY):
        entries = [Entry(LOST, EVERYBODY, None, None, {})] * min(_MANY, lost - start)
        journal.append_all(connection, teken.notary, teken.clock.now(), entries)


def _close_behind(teken: Teken, mark: highwater.Mark) -> None:
    """Close, unless it is closed already, and leave the places of the lost events empty, with room for those after the mark."""
    with teken.db.write() as connection:
        here = highwater.now(connection, teken.notary)
        length = here.length if here else 0
        told = {"journal": length, "known": mark.length, "known_numbers": dict(mark.last)}
        close_in(connection, teken.notary, teken.clock.now(), WENT_BACK, told)
        if length < mark.length:
            pass_over(connection, teken, mark.length + AFTER_THE_MARK)
