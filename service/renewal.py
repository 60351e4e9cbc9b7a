"""Later versions of released documents: raised to the office's target, renewed before their time-stamps lose their worth.

Every version begins with the one before and stays released for ever; what is due lies in a table of its own, so that
nobody's desk waits for a time-stamping authority.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import Connection, Row, insert, select, update

from service import gate, highwater, longterm, moves
from service.archive import ArchiveDamaged
from service.archive_copies import Copies
from service.archive_standing import standing
from service.canonical import dumps
from service.clock import stamp
from service.desk.mismatch import forget
from service.errors import TekenError
from service.expiring import warn
from service.longterm import MARGIN, Longer, below, level_of
from service.permits import RELEASED
from service.retention import keep_short
from service.store import StoreBusy
from service.store.permits import Lost, lock, republish
from service.store.tables import documents, permits, upkeep
from service.store.upkeep import Due, claim, enlist, fenced
from signing import SigningError

if TYPE_CHECKING:
    from service.wiring import Teken

log = structlog.get_logger("teken.renewal")
LEASE = timedelta(minutes=10)
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=10), timedelta(days=1)
ONE_ROUND = 20
_DAY = 86_400
_MARKED = 600
"""Seconds after which the archive gets a new mark of how far the journal is."""


def keep_up(teken: Teken, *, limit: int = 1_000_000) -> int:
    """Do what is due until nothing is left; return how many documents were tried."""
    done = 0
    while done < limit and advance(teken):
        done += 1
    return done


def survey(teken: Teken) -> int:
    """Make due whatever the offices' targets of today leave below them; return how many. Once a day is enough."""
    found = 0
    for office in teken.offices.offices.values():
        if office.target in {"B-LT", "B-LTA"}:
            found += _enlisted(teken, office.code, office.target)
    return found


def late(teken: Teken) -> list[dict[str, Any]]:
    """List what could not be extended or renewed so far, and why."""
    query = select(upkeep, permits.c.office).join(permits, permits.c.id == upkeep.c.permit)
    with teken.db.read() as connection:
        rows = connection.execute(query.where(upkeep.c.fault.is_not(None)).order_by(upkeep.c.permit)).all()
    return [
        {"id": row.permit, "office": row.office, "level": row.level, "fault": row.fault, "attempts": row.attempts}
        for row in rows
    ]


def advance(teken: Teken) -> bool:
    """Claim one due document and extend or renew it; tell whether there was one. Failures are recorded, never raised."""
    now = teken.clock.now()
    with teken.db.write() as connection:
        due = claim(connection, now, LEASE)
    if due is None:
        return False
    try:
        _attempt(teken, due)
    except (Lost, StoreBusy):
        log.info("upkeep_lost", permit=due.permit)
    except (TekenError, SigningError, ArchiveDamaged) as error:
        _postpone(teken, due, getattr(error, "code", type(error).__name__))
    except Exception as error:  # noqa: BLE001 - a fault of the program waits, visibly, with its one document
        log.error("upkeep_failed", permit=due.permit, error=type(error).__name__)  # noqa: TRY400 - as in the pipeline
        _postpone(teken, due, f"internal:{type(error).__name__}")
    return True


@dataclass(slots=True)
class Rounds:
    """The worker's spare time: looks for what is due every few seconds, and surveys once a day."""

    seconds: float = 10
    _look: float = 0
    _survey: float = 0
    _mark: float = 0
    _copies: Copies = field(default_factory=Copies)

    def spare(self, teken: Teken) -> None:
        """Called whenever nothing else is due."""
        now = time.monotonic()
        if now < self._look:
            return
        if now >= self._survey:
            self._survey = now + _DAY
            _daily(teken)
        if now >= self._mark:
            self._mark = now + _MARKED
            gate.watch(teken)
            highwater.rise_everywhere(teken)
        highwater.rise(teken)
        worked = keep_up(teken, limit=ONE_ROUND)
        followed = self._copies.follow(teken)
        self._look = now + (0 if worked == ONE_ROUND or followed else self.seconds)


def _daily(teken: Teken) -> None:
    """A fault of the program here must not end the worker, whose other work goes on."""
    for task in (survey, warn, forget, standing, keep_short):
        try:
            task(teken)
        except StoreBusy:
            raise
        except Exception as error:  # noqa: BLE001 - see above
            log.error("daily_failed", task=task.__name__, error=type(error).__name__)  # noqa: TRY400 - as in the pipeline


def _attempt(teken: Teken, due: Due) -> None:
    with teken.db.read() as connection:
        row = connection.execute(select(permits).where(permits.c.id == due.permit)).one()
        newest = _newest(connection, due.permit)
    office = teken.offices.offices.get(row.office) or teken.pins.open(row.pin).office
    before, now = teken.archive.get(newest.sha), teken.clock.now()
    level = level_of(json.loads(newest.signatures))
    if below(level, office.target):
        longer = longterm.extend(teken, before, level, office.target)
    elif longterm.proven_until(teken, before) - MARGIN > now:
        _wait_until(teken, due, level, longterm.proven_until(teken, before))
        return
    else:
        longer = longterm.renewed(teken, before, level)
    sha = teken.archive.put(longer.pdf)
    teken.archive.keep(sha, now)
    with teken.db.write() as connection:
        _release(connection, teken, due, newest, longer, sha)


def _newest(connection: Connection, permit: str) -> Row[Any]:
    query = select(documents).where(documents.c.permit == permit)
    return connection.execute(query.order_by(documents.c.version.desc()).limit(1)).one()


def _release(connection: Connection, teken: Teken, due: Due, newest: Row[Any], longer: Longer, sha: str) -> None:
    """The new version, the permit that points to it, the event and the next date: one transaction."""
    row = lock(connection, due.permit)
    fenced(connection, due)
    if row is None or row.released_sha != newest.sha:
        raise Lost(due.permit)
    now = teken.clock.now()
    version = {
        "permit": due.permit,
        "version": newest.version + 1,
        "sha": sha,
        "signatures": dumps(longterm.stamped(longterm.raised(json.loads(newest.signatures), longer.level), longer.pdf)),
        "released_at": stamp(now),
        "extends": newest.sha,
    }
    connection.execute(insert(documents).values(**version))
    moved = republish(connection, row, sha, now)
    told = {"version": version["version"], "level": longer.level, "sha256": sha, "previous_sha256": newest.sha}
    moves.tell(connection, teken, moved, "permit.extended", told)
    enlist(connection, due.permit, longer.level, longer.until, longer.until - MARGIN)


def _wait_until(teken: Teken, due: Due, level: str, until: datetime) -> None:
    with teken.db.write() as connection:
        fenced(connection, due)
        enlist(connection, due.permit, level, until, until - MARGIN)


def _postpone(teken: Teken, due: Due, fault: str) -> None:
    """The version before stays; it is tried again, for ever, ever more seldom up to once a day."""
    log.warning("upkeep_postponed", permit=due.permit, fault=fault)
    wait = min(FIRST_WAIT * 2 ** min(due.attempts - 1, 10), LONGEST_WAIT)
    try:
        with teken.db.write() as connection:
            fenced(connection, due)
            mine = update(upkeep).where(upkeep.c.permit == due.permit)
            connection.execute(mine.values(fault=fault, lease_until="", due_at=stamp(teken.clock.now() + wait)))
    except (Lost, StoreBusy):
        log.info("upkeep_lost", permit=due.permit)


def _enlisted(teken: Teken, office: str, target: str) -> int:
    """Released documents of an office below its target that no row waits for, or whose row waits for something later."""
    lower = [level for level in longterm.LEVELS if below(level, target)]
    released = permits.c.office == office, permits.c.state.in_(sorted(RELEASED))
    found, now = 0, teken.clock.now()
    with teken.db.read() as connection:
        unknown = select(permits.c.id).where(*released, permits.c.id.not_in(select(upkeep.c.permit)))
        ids = list(connection.execute(unknown).scalars())
        resting = select(upkeep.c.permit).join(permits, permits.c.id == upkeep.c.permit)
        resting = resting.where(*released, upkeep.c.level.in_(lower), upkeep.c.fault.is_(None))
        ids += connection.execute(resting.where(upkeep.c.due_at > stamp(now))).scalars()
    for permit in ids:
        with teken.db.write() as connection:
            level = level_of(json.loads(_newest(connection, permit).signatures))
            enlist(connection, permit, level, None, now)
            found += 1
    return found
