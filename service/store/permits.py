"""Rows of permits: lock, change within the transition table, claim with lease and fence."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, select, update

from service.clock import stamp
from service.permits import State, may_become
from service.store import qr
from service.store.leases import has_come, is_free
from service.store.tables import WORKED, permits

LONGEST_WAIT = timedelta(hours=1)
"""The wait before another try is not longer."""


class Lost(Exception):
    """The claim is no longer ours, or somebody moved the permit on meanwhile. Expected in a race; nothing was written."""


class TransitionForbidden(Exception):
    """The change is not in the table of transitions: a fault of the program."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to do a permit's due step until the lease ends, as long as the fence stands."""

    permit: str
    fence: int
    attempts: int


def lock(connection: Connection, permit: str) -> Row[Any] | None:
    """Return the permit's row, locked until the transaction ends."""
    return connection.execute(select(permits).where(permits.c.id == permit).with_for_update()).first()


def fenced(connection: Connection, claim: Claim) -> Row[Any]:
    """Return the locked row if the claim still holds.

    Raises Lost.
    """
    row = lock(connection, claim.permit)
    if row is None or row.fence != claim.fence:
        raise Lost(claim.permit)
    return row


def change(connection: Connection, row: Row[Any], now: datetime, **values: Any) -> Row[Any]:
    """Change a locked row, free its lease and return it as it is now. Every change fences off whoever claimed it before.

    A paper that is made again although a QR was signed for it gets another code: the old one is burned (ADR 0047).
    """
    state = values.get("state")
    if state is not None and state != row.state and not may_become(State(row.state), State(state)):
        raise TransitionForbidden(f"{row.state} -> {state}")
    if row.qr is not None and values.get("final_sha", "") is None:
        values |= qr.burn(connection, row, now)
    moved = update(permits).where(permits.c.id == row.id).values(**{**_settled(now), **values}).returning(*permits.c)
    return connection.execute(moved).one()


def at_desk(connection: Connection, ids: Collection[str]) -> Sequence[Row[Any]]:
    """Return those of the permits that wait for a person, locked: before the journal and in one order, so that no ring of waits forms."""
    waiting = select(permits).where(permits.c.id.in_(ids), permits.c.queue == "person")
    return connection.execute(waiting.order_by(permits.c.id).with_for_update()).all()


def order_all(connection: Connection, rows: Sequence[Row[Any]], now: datetime) -> Sequence[Row[Any]]:
    """Send locked rows to be signed, each as its paper is; return them as they are now.

    Raises TransitionForbidden.
    """
    wrong = [row.state for row in rows if not may_become(State(row.state), State.SIGNING)]
    if wrong:
        raise TransitionForbidden(f"{wrong[0]} -> {State.SIGNING}")
    order = {"state": State.SIGNING, "queue": "sign", "ordered_sha": permits.c.final_sha}
    mine = update(permits).where(permits.c.id.in_([row.id for row in rows])).values(**{**_settled(now), **order})
    return connection.execute(mine.returning(*permits.c)).all()


def _settled(now: datetime) -> dict[str, Any]:
    at = stamp(now)
    fresh = {"lease_until": "", "attempts": 0, "due_at": at, "fault": None, "updated_at": at}
    return {"fence": permits.c.fence + 1, **fresh}


def republish(connection: Connection, row: Row[Any], sha: str, now: datetime) -> Row[Any]:
    """Point a locked, released permit to a later version of its document; whoever works on its next step keeps his claim."""
    mine = update(permits).where(permits.c.id == row.id)
    connection.execute(mine.values(released_sha=sha, updated_at=stamp(now)))
    return connection.execute(select(permits).where(permits.c.id == row.id)).one()


def claim(
    connection: Connection,
    queue: str,
    now: datetime,
    lease: timedelta,
    permit: str | None = None,
    *,
    only: ColumnElement[bool] | None = None,
) -> tuple[Claim, Row[Any]] | None:
    """Take the next due permit of a queue (or the given one, if due), of those that `only` allows.

    Attempts are counted before the work: poison is bounded.
    """
    due = select(permits).where(_is_due(queue, now))
    if only is not None:
        due = due.where(only)
    if permit is not None:
        due = due.where(permits.c.id == permit)
    row = connection.execute(
        due.order_by(permits.c.due_at, permits.c.id).limit(1).with_for_update(skip_locked=True)
    ).first()
    if row is None:
        return None
    taken = Claim(row.id, row.fence + 1, row.attempts + 1)
    connection.execute(
        update(permits)
        .where(permits.c.id == row.id)
        .values(fence=taken.fence, attempts=taken.attempts, lease_until=stamp(now + lease))
    )
    return taken, row


def keep_qr(connection: Connection, claim: Claim, text: str) -> Row[Any]:
    """Keep what a permit's QR is going to say, before anything is signed; whoever came first decides. Raises Lost."""
    row = fenced(connection, claim)
    if row.qr is None:
        connection.execute(update(permits).where(permits.c.id == row.id).values(qr=text))
    return fenced(connection, claim)


def prolong(connection: Connection, claim: Claim, until: datetime) -> None:
    """Hold a claim for longer, never for less: what is sent out now may take its time."""
    mine = update(permits).where(permits.c.id == claim.permit, permits.c.fence == claim.fence)
    connection.execute(mine.where(permits.c.lease_until < stamp(until)).values(lease_until=stamp(until)))


def _is_due(queue: str, now: datetime) -> ColumnElement[bool]:
    due = has_come(permits.c.due_at, now, LONGEST_WAIT)
    return and_(WORKED, permits.c.queue == queue, due, is_free(permits.c.lease_until, now))
