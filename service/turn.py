"""Whose turn it is: the one gate before people's acts, and what each of them has in hand behind it.

Who acts holds the row's role, in this office, by a mandate of this day (I10); each act is one transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row

from service import failpoints, flow, moves
from service.errors import Conflict, ReasonRequired, StateForbids
from service.moves import Done
from service.people import Actor, actor, local_day
from service.pins import Bundle
from service.sop.model import Act, Verb
from service.store.permits import lock

if TYPE_CHECKING:
    from service.wiring import Teken

REASON_LENGTH = 500
Stood = tuple[int, int]
"""Revision and position of a permit when a form was made: an act meant for another place is refused."""


@dataclass(frozen=True, slots=True)
class Desk:
    """One permit on one person's desk, locked for one transaction."""

    connection: Connection
    teken: Teken
    row: Row[Any]
    bundle: Bundle
    act: Act
    someone: Actor | None  # None: the holder, at his own phone

    @property
    def actor(self) -> Actor:
        """Who acts, where only an official may."""
        assert self.someone is not None, "the gate of the act lets officials in only"
        return self.someone

    def finish(self, event: str, **more: Any) -> Row[Any]:
        """Record the act and move on."""
        data = {"role": self.act.role, **more.pop("data", {})}
        done = Done(event, actor=self.someone, data=data, **more)
        procedure = self.bundle.permit_type.procedure
        return moves.finish(self.connection, self.teken, self.row, procedure, done)


def at_desk(
    teken: Teken, official: str, permit: str, verb: Verb | None, act: Any, stood: Stood | None = None
) -> dict[str, Any]:
    bundle = moves.pinned(teken, permit)
    with teken.db.write() as connection:
        row = locked(connection, permit, bundle)
        due = flow.at(bundle.permit_type.procedure, row.position)
        moved_on = stood is not None and stood != (row.revision, row.position)
        if row.queue != "person" or due is None or moved_on or (verb is not None and due.verb is not verb):
            raise StateForbids(state=row.state, due=str(due.verb) if due else "")
        now = teken.clock.now()
        who = actor(connection, bundle.office, official, str(due.role), local_day(bundle.office, now))
        moved = act(Desk(connection, teken, row, bundle, due, who))
        failpoints.passing("act.before_commit")
    failpoints.passing("act.after_commit")
    if moved.queue in {"work", "sign"}:
        teken.doorbell.ring(moved.queue, moved.id)
    return answer(moved)


def locked(connection: Connection, permit: str, bundle: Bundle) -> Row[Any]:
    row = lock(connection, permit)
    if row is None or row.pin != bundle.pin:
        raise Conflict("seen_differs")
    return row


def reasoned(text: str) -> str:
    reason = " ".join(text.split())[:REASON_LENGTH]
    if not reason:
        raise ReasonRequired
    return reason


def answer(row: Row[Any]) -> dict[str, Any]:
    return {"id": row.id, "state": row.state, "position": row.position, "number": row.number}
