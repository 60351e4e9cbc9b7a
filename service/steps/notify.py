"""Step 8, notify: the pick-up ticket exists and upstream is told that the permit can be fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, insert, select

from service import failpoints, moves
from service.clock import stamp
from service.codes import crockford
from service.moves import Done
from service.steps.work import Work
from service.store.permits import fenced
from service.store.tables import tickets

if TYPE_CHECKING:
    from service.wiring import Teken

TICKET_LENGTH = 8


def notify(teken: Teken, work: Work) -> Row[Any]:
    """Make the ticket and tell upstream; the ticket's code is asked for at the counter and is not the verification code."""
    with teken.db.write() as connection:
        row = fenced(connection, work.claim)
        if connection.execute(select(tickets.c.permit).where(tickets.c.permit == row.id)).first() is None:
            ticket = {"permit": row.id, "code": crockford(TICKET_LENGTH), "made_at": stamp(teken.clock.now())}
            connection.execute(insert(tickets).values(**ticket))
        done = Done("permit.ready", data={"number": row.number, "ticket": True})
        moved = moves.finish(connection, teken, row, work.procedure, done)
        failpoints.passing("notify.before_commit")
    return moved
