"""Rows of notices: entered once, claimed with lease and fence, put off, ended; and how far the journal was followed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from service.clock import stamp
from service.store.leases import has_come, is_free
from service.store.notice_tables import Outcome, followed, notices
from service.store.permits import Lost
from service.store.tables import events

JOURNAL: Final = "journal"
LONGEST_WAIT: Final = timedelta(days=2)
"""A night, or the wait after a failed try."""
FAILED: Final = (Outcome.REFUSED, Outcome.GIVEN_UP)


@dataclass(frozen=True, slots=True)
class Held:
    """The right to send one notice until the lease ends, as long as the fence stands."""

    id: str
    fence: int
    attempts: int


def place(connection: Connection) -> int | None:
    """Return up to which event notices were made; None before the first look."""
    return connection.execute(select(followed.c.seq).where(followed.c.name == JOURNAL)).scalar_one_or_none()


def begin(connection: Connection) -> None:
    """Begin at the journal's end: what happened before there were notices is no news."""
    last = connection.execute(select(func.max(events.c.seq))).scalar_one_or_none() or 0
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(dialect.insert(followed).values(name=JOURNAL, seq=last).on_conflict_do_nothing())


def advance(connection: Connection, after: int, to: int) -> None:
    """Move on from where this process began to look. Raises Lost if somebody else has moved on meanwhile."""
    mine = update(followed).where(followed.c.name == JOURNAL, followed.c.seq == after)
    if connection.execute(mine.values(seq=to).returning(followed.c.name)).first() is None:
        raise Lost(JOURNAL)


def enter(connection: Connection, row: dict[str, Any]) -> None:
    """Enter a notice; one that is there stays as it is."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(dialect.insert(notices).values(**row).on_conflict_do_nothing(index_elements=["id"]))


def claim(
    connection: Connection, now: datetime, lease: timedelta, resting: Collection[tuple[str, str]] = ()
) -> tuple[Held, Row[Any]] | None:
    """Take the notice that is due longest, of no office's channel that rests. The try is counted before it is made."""
    come = has_come(notices.c.due_at, now, LONGEST_WAIT), is_free(notices.c.lease_until, now)
    due = select(notices).where(notices.c.outcome == Outcome.WAITING, *come)
    if resting:
        due = due.where(tuple_(notices.c.office, notices.c.channel).not_in(list(resting)))
    due = due.order_by(notices.c.due_at, notices.c.id).limit(1)
    row = connection.execute(due.with_for_update(skip_locked=True)).first()
    if row is None:
        return None
    held = Held(row.id, row.fence + 1, row.attempts + 1)
    taken = {"fence": held.fence, "attempts": held.attempts, "lease_until": stamp(now + lease)}
    connection.execute(update(notices).where(notices.c.id == row.id).values(**taken))
    return held, row


def end(connection: Connection, held: Held, outcome: Outcome, now: datetime, cause: str | None = None) -> None:
    """Record what became of it. Raises Lost."""
    _change(connection, held, outcome=outcome, cause=cause, ended_at=stamp(now), lease_until="")


def put_off(connection: Connection, held: Held, until: datetime, cause: str | None, *, counted: bool = True) -> None:
    """Try again later; a try that was none does not count. Raises Lost."""
    attempts = held.attempts if counted else held.attempts - 1
    _change(connection, held, due_at=stamp(until), cause=cause, attempts=attempts, lease_until="")


def again(connection: Connection, ids: Sequence[str], now: datetime, until: datetime) -> Sequence[str]:
    """Let notices that failed be sent once more; return which."""
    failed = update(notices).where(notices.c.id.in_(ids), notices.c.outcome.in_(FAILED))
    fresh = {"outcome": Outcome.WAITING, "due_at": stamp(now), "until": stamp(until), "attempts": 0, "ended_at": None}
    changed = failed.values(**fresh, fence=notices.c.fence + 1, lease_until="")
    return connection.execute(changed.returning(notices.c.id)).scalars().all()


def listed(connection: Connection, *wanted: Any, most: int = 100) -> Sequence[Row[Any]]:
    """Return notices, the newest first."""
    query = select(notices).where(*wanted).order_by(notices.c.made_at.desc(), notices.c.id)
    return connection.execute(query.limit(most)).all()


def _change(connection: Connection, held: Held, **values: Any) -> None:
    mine = update(notices).where(notices.c.id == held.id, notices.c.fence == held.fence)
    if connection.execute(mine.values(**values).returning(notices.c.id)).first() is None:
        raise Lost(held.id)
