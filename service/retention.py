"""What is kept for a time only: cases that were never issued, drafts of the desk, requests for codes, spent rows. In spare time.

Never touched: the register, the journal, issued documents and their cases, and whatever was signed, even if it was never released.
"""

from __future__ import annotations

import json
from dataclasses import asdict, astuple, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import structlog
from sqlalchemy import ColumnElement, Connection, Row, Select, delete, func, or_, select, update

from service import corrections, moves
from service import retention_spent as spent
from service.archive_sweep import sweep
from service.audit import ERASED
from service.canonical import dumps
from service.clock import stamp
from service.errors import StateForbids
from service.permits import State
from service.retention_periods import Periods, read
from service.store.batch_tables import code_requests
from service.store.desk_tables import case_notes, proposals
from service.store.dispatch_tables import dispatches
from service.store.permits import change, lock
from service.store.tables import case_names, permits, quarantine, revisions

if TYPE_CHECKING:
    from service.wiring import Teken

log = structlog.get_logger("teken.retention")
ONE_ROUND: Final = 200
BY: Final = "system:retention"
GONE: Final = "(dihapus)"
DRAFTS: Final = ("case.entry", "case.import")
"""Kinds of proposals that hold what somebody typed of an applicant before there was a case."""
_PAPERS: Final = ("draft_sha", "final_sha", "ordered_sha")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is due: ids of returned cases to close and of closed ones to erase, how many drafts, requests, spent rows and files go."""

    returned: tuple[str, ...]
    closed: tuple[str, ...]
    drafts: int
    codes: int
    spent: int
    files: int


def due(teken: Teken) -> Plan:
    """Return what is due; nothing is changed."""
    periods = read(teken.settings.retention)
    with teken.db.read() as connection:
        returned = connection.execute(_returned(teken, periods)).scalars().all()
        closed = connection.execute(_closed(teken, periods)).scalars().all()
        drafts = connection.execute(_count(proposals, _old_drafts(teken, periods))).scalar_one()
        codes = connection.execute(_count(code_requests, _old_codes(teken, periods))).scalar_one()
        over = spent.count(connection, teken.clock.now())
    return Plan(tuple(returned), tuple(closed), drafts, codes, over, len(sweep(teken, periods.files, dry=True)))


def keep_short(teken: Teken) -> Plan:
    """Do what is due, each case in its own transaction; return what was done. May be interrupted and run by several at once."""
    periods = read(teken.settings.retention)
    with teken.db.read() as connection:
        returned = connection.execute(_returned(teken, periods)).scalars().all()
        closed = connection.execute(_closed(teken, periods)).scalars().all()
    shut = tuple(permit for permit in returned if _close(teken, permit))
    erased = tuple(permit for permit in closed if erase(teken, permit))
    with teken.db.write() as connection:
        drafts = connection.execute(delete(proposals).where(_old_drafts(teken, periods))).rowcount
        codes = connection.execute(delete(code_requests).where(_old_codes(teken, periods))).rowcount
        over = spent.forget(connection, teken.clock.now())
    done = Plan(shut, erased, drafts, codes, over, len(sweep(teken, periods.files)))
    if any(astuple(done)):
        told = {**asdict(done), "returned": len(shut), "closed": len(erased)}
        log.info("kept_no_longer", **told)
    return done


def erase(teken: Teken, permit: str) -> bool:
    """Erase the content of a case that was given up: every revision's text and photo, its name, notes and papers that nobody signed.

    Hashes, number, acts and journal stay. Returns False where something signed, released or sent out depends on it.
    """
    now = teken.clock.now()
    with teken.db.write() as connection:
        row = lock(connection, permit)
        if row is None or not _is_free(connection, row):
            return False
        mine = (revisions.c.permit == permit) & revisions.c.erased_at.is_(None)
        gone = {"body": _shell(row), "photo_sha": None, "erased_at": stamp(now)}
        erased = connection.execute(update(revisions).where(mine).values(**gone)).rowcount
        if not erased:
            return False
        connection.execute(delete(case_names).where(case_names.c.permit == permit))
        connection.execute(update(case_notes).where(case_notes.c.permit == permit).values(text=GONE))
        change(connection, row, now, **dict.fromkeys(_PAPERS))
        moves.tell(connection, teken, row, ERASED, {"by": BY, "revisions": erased})
    return True


def _is_free(connection: Connection, row: Row[Any]) -> bool:
    sent = select(dispatches.c.id).where(dispatches.c.permit == row.id)
    kept = select(quarantine.c.sha).where(quarantine.c.permit == row.id)
    signed = row.head_sha is not None or row.released_sha is not None
    return (
        row.state == State.CLOSED
        and not signed
        and connection.execute(sent).first() is None
        and connection.execute(kept).first() is None
    )


def _shell(row: Row[Any]) -> str:
    """What lists and pages still find where the case was."""
    return dumps(
        {
            "applicant": {"nama": GONE},
            "practice": {"nama": GONE},
            "attested": [],
            "requirements": [],
            "upstream_id": row.upstream_id,
            "request_kind": row.request_kind,
            "complete_at": row.complete_at,
        }
    )


def _close(teken: Teken, permit: str) -> bool:
    with teken.db.write() as connection:
        row = lock(connection, permit)
        if row is None or row.state != State.RETURNED:
            return False
        try:
            corrections.expire_in(connection, teken, row, by=BY)
        except StateForbids:
            return False
    return True


def _returned(teken: Teken, periods: Periods) -> Select[str]:
    old = permits.c.updated_at <= _before(teken, periods.returned)
    query = select(permits.c.id).where(permits.c.state == State.RETURNED, old)
    return query.order_by(permits.c.updated_at).limit(ONE_ROUND if periods.returned else 0)


def _closed(teken: Teken, periods: Periods) -> Select[str]:
    old = permits.c.updated_at <= _before(teken, periods.closed)
    held = (
        select(revisions.c.permit).where(revisions.c.permit == permits.c.id, revisions.c.erased_at.is_(None)).exists()
    )
    untouched = permits.c.head_sha.is_(None) & permits.c.released_sha.is_(None)
    query = select(permits.c.id).where(permits.c.state == State.CLOSED, old, untouched, held)
    return query.order_by(permits.c.updated_at).limit(ONE_ROUND if periods.closed else 0)


def _old_drafts(teken: Teken, periods: Periods) -> ColumnElement[bool]:
    """Decided that long ago, or twice as long before a second person's eyes: it will not be confirmed any more."""
    decided, forgotten = _before(teken, periods.drafts), _before(teken, 2 * periods.drafts)
    old = or_(proposals.c.decided_at <= decided, proposals.c.proposed_at <= forgotten)
    return proposals.c.kind.in_(DRAFTS) & old


def _old_codes(teken: Teken, periods: Periods) -> ColumnElement[bool]:
    return code_requests.c.asked_at <= _before(teken, periods.codes)


def _before(teken: Teken, days: int) -> str:
    """No stamp is before the empty one: 0 days keep for ever."""
    return stamp(teken.clock.now() - timedelta(days=days)) if days else ""


def _count(table: Any, which: ColumnElement[bool]) -> Select[int]:
    return select(func.count()).select_from(table).where(which)


def told(plan: Plan) -> str:
    """Return a plan as JSON."""
    return json.dumps(asdict(plan))
