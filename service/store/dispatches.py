"""Rows of dispatches: begin one, end it, find what is open, let the signer confirm that it may be sent again."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from service.clock import stamp
from service.errors import Conflict
from service.store.dispatch_tables import Outcome, dispatches

UNSETTLED = (Outcome.DISPATCHED, Outcome.UNKNOWN)


def begin(connection: Connection, now: datetime, **values: Any) -> str:
    """Record that a document is about to leave; return the dispatch's id."""
    dispatch = f"dsp_{secrets.token_hex(12)}"
    told = {"id": dispatch, "dispatched_at": stamp(now), "outcome": Outcome.DISPATCHED, **values}
    connection.execute(insert(dispatches).values(**told))
    return dispatch


def end(
    connection: Connection,
    dispatch: str,
    outcome: Outcome,
    now: datetime,
    *,
    cause: str | None = None,
    returned_sha: str | None = None,
) -> None:
    """Record the outcome. What the signer confirmed meanwhile stays confirmed; a late answer is only added to it."""
    mine = update(dispatches).where(dispatches.c.id == dispatch)
    connection.execute(
        mine.where(dispatches.c.outcome.in_(UNSETTLED)).values(outcome=outcome, cause=cause, ended_at=stamp(now))
    )
    if returned_sha is not None:
        connection.execute(mine.values(returned_sha=returned_sha))


def unsettled(connection: Connection, permit: str) -> Row[Any] | None:
    """Return a dispatch of which nobody knows whether it was signed."""
    query = select(dispatches).where(dispatches.c.permit == permit, dispatches.c.outcome.in_(UNSETTLED))
    return connection.execute(query.order_by(dispatches.c.dispatched_at)).first()


def unsettled_among(connection: Connection, permits: Collection[str]) -> set[str]:
    """Return those of the permits that have such a dispatch."""
    query = select(dispatches.c.permit).where(dispatches.c.permit.in_(permits), dispatches.c.outcome.in_(UNSETTLED))
    return set(connection.execute(query).scalars())


def refuse_unsettled(connection: Connection, permit: str) -> None:
    """Nothing is ordered again before the signer has confirmed it.

    Raises Conflict("resend_unconfirmed").
    """
    if unsettled(connection, permit) is not None:
        raise Conflict("resend_unconfirmed")


def confirm(connection: Connection, permit: str) -> list[str]:
    """Let a permit be sent again; return the dispatches that this was said of, none if nothing was open."""
    open_ones = update(dispatches).where(dispatches.c.permit == permit, dispatches.c.outcome.in_(UNSETTLED))
    said = open_ones.values(outcome=Outcome.RESEND_CONFIRMED).returning(dispatches.c.id)
    return sorted(connection.execute(said).scalars())


def of_permit(connection: Connection, permit: str) -> list[Row[Any]]:
    """Return every dispatch of a permit, oldest first."""
    query = select(dispatches).where(dispatches.c.permit == permit)
    return list(connection.execute(query.order_by(dispatches.c.dispatched_at, dispatches.c.id)))
