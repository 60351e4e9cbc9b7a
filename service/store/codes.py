"""Rows of requests for one-time codes: ask, take one on, say what became of it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from service.clock import stamp
from service.store.batch_tables import Asked, code_requests
from service.store.tables import officials


def hold(connection: Connection, official: str) -> bool:
    """Lock the official's row, so that two requests at once follow one another; False: there is no such official."""
    return (
        connection.execute(select(officials.c.id).where(officials.c.id == official).with_for_update()).first()
        is not None
    )


def add(connection: Connection, official: str, documents: int, now: datetime) -> None:
    """Record the wish."""
    values = {"id": f"cod_{secrets.token_hex(12)}", "official": official, "documents": documents}
    connection.execute(insert(code_requests).values(**values, state=Asked.WAITING, asked_at=stamp(now)))


def newest(connection: Connection, official: str) -> Row[Any] | None:
    """Return the official's last request."""
    query = select(code_requests).where(code_requests.c.official == official)
    return connection.execute(query.order_by(code_requests.c.asked_at.desc(), code_requests.c.id).limit(1)).first()


def waiting(connection: Connection) -> Sequence[Row[Any]]:
    """Return what no signing process has taken on yet, oldest first."""
    query = select(code_requests).where(code_requests.c.state == Asked.WAITING)
    return connection.execute(query.order_by(code_requests.c.asked_at)).all()


def become(
    connection: Connection, request: str, now_in: Asked, state: Asked, *, at: datetime | None = None, cause: str = ""
) -> bool:
    """Change the state if it is the expected one; tell whether it did."""
    query = update(code_requests).where(code_requests.c.id == request, code_requests.c.state == now_in)
    values = {"state": state, "ended_at": stamp(at) if at else None, "cause": cause or None}
    return bool(connection.execute(query.values(**values)).rowcount)
