"""Moves a permit on: one transaction holds the act's record, the new state and the event (§4). Called inside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, insert, select

from service.canonical import dumps
from service.clock import stamp
from service.errors import NotFound
from service.flow import after, at, queue
from service.journal import Entry, append
from service.people import Actor
from service.sop.model import Procedure
from service.store.permits import change
from service.store.tables import acts, permits, revisions

if TYPE_CHECKING:
    from service.pins import Bundle
    from service.wiring import Teken


@dataclass(frozen=True, slots=True)
class Done:
    """What was done: by whom (None: the system on behalf of the row's actor), on which bytes, and what the world is told."""

    event: str
    actor: Actor | None = None
    document_sha: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    detail: Mapping[str, Any] = field(default_factory=dict)
    position: int | None = None  # None: where the permit stands; another one: ahead of its turn


def pinned(teken: Teken, permit: str) -> Bundle:
    """Open the files to which a permit is pinned: before the transaction, since no file is read inside one.

    Raises NotFound.
    """
    with teken.db.read() as connection:
        pin = connection.execute(select(permits.c.pin).where(permits.c.id == permit)).scalar_one_or_none()
    if pin is None:
        raise NotFound("permit_unknown")
    return teken.pins.open(pin)


def finish(
    connection: Connection,
    teken: Teken,
    row: Row[Any],
    procedure: Procedure,
    done: Done,
    **values: Any,
) -> Row[Any]:
    """Record the act at the permit's position, move to the next one that is not fulfilled, tell the journal; return the new row.

    An act ahead of its turn leaves the permit where it is; it is passed over later.
    """
    place = row.position if done.position is None else done.position
    act = at(procedure, place)
    assert act is not None, "nothing is due"
    now = teken.clock.now()
    connection.execute(
        insert(acts).values(
            permit=row.id,
            revision=row.revision,
            position=place,
            row=act.row,
            verb=str(act.verb),
            role=act.role,
            official=done.actor.official if done.actor else None,
            mandate=done.actor.mandate if done.actor else None,
            at=stamp(now),
            manifest_sha=manifest(connection, row),
            document_sha=done.document_sha,
            detail=dumps(dict(done.detail)),
        )
    )
    onward = row.position + 1 if place == row.position else row.position
    moved = settle(connection, row, procedure, now, state=after(act, row.state, procedure), position=onward, **values)
    tell(connection, teken, moved, done.event, {"row": act.row, "verb": str(act.verb), **done.data})
    return moved


def tell(connection: Connection, teken: Teken, row: Row[Any], event: str, data: Mapping[str, Any]) -> None:
    """Append an event of this permit, with its state and upstream id."""
    append(connection, teken.notary, teken.clock.now(), entry(row, event, data))


def entry(row: Row[Any], event: str, data: Mapping[str, Any]) -> Entry:
    """Return an event of this permit."""
    told = {"upstream_id": row.upstream_id, "state": row.state, "revision": row.revision, **data}
    return Entry(event, row.office, row.client, row.id, told)


def manifest(connection: Connection, row: Row[Any]) -> str:
    """Return the hash of what a reading binds: the case's content, its requirements and its pinned template."""
    query = select(revisions.c.manifest_sha).where(revisions.c.permit == row.id, revisions.c.revision == row.revision)
    return str(connection.execute(query).scalar_one())


def settle(connection: Connection, row: Row[Any], procedure: Procedure, now: datetime, **values: Any) -> Row[Any]:
    """Change the row; pass over acts that are fulfilled already (what a correction kept), and set the queue."""
    position, state = values.pop("position", row.position), values.pop("state", row.state)
    kept = fulfilled(connection, row)
    while (act := at(procedure, position)) is not None and position in kept:
        state = after(act, state, procedure)
        position += 1
    row = change(connection, row, now, **values, position=position, state=state)
    waits = queue(row, procedure)
    return row if row.queue == waits else change(connection, row, now, queue=waits)


def fulfilled(connection: Connection, row: Row[Any]) -> frozenset[int]:
    """Return the positions of the plan at which an act of this permit counts."""
    mine = (acts.c.permit == row.id) & acts.c.voided_at.is_(None)
    return frozenset(connection.execute(select(acts.c.position).where(mine)).scalars())
