"""Append-only, hash-chained events: the audit trail and the outbox. Every event carries a signed checkpoint."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from service.canonical import GENESIS, digest, dumps
from service.checkpoint import Checkpoint, Notary
from service.clock import stamp
from service.growing_ids import growing_id
from service.store.tables import chains, events

JOURNAL = "journal"

_MINE = chains.c.name == JOURNAL
_LOCK = select(chains).where(_MINE).with_for_update()
_ADD = insert(events)
_MOVE = update(chains).where(_MINE).values(length=bindparam("moved_to"), head=bindparam("ends_with"))
_ADD_AND_MOVE = _ADD.add_cte(_MOVE.cte("moved"))
"""On PostgreSQL one round trip less while everybody else waits for the lock."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What happened, to which permit, for which client. `data` never holds personal data."""

    type: str
    office: str
    client: str | None
    permit: str | None
    data: Mapping[str, Any]


def append(connection: Connection, notary: Notary, at: datetime, entry: Entry) -> int:
    """Add the event as the last statement of its transaction and return its sequence number."""
    return append_all(connection, notary, at, [entry])


def append_all(connection: Connection, notary: Notary, at: datetime, entries: Sequence[Entry]) -> int:
    """Add events, at least one, as the last statements of their transaction; return the last one's sequence number.

    The chain's row is the lock: events become visible in the order of their numbers, so a reader of the feed misses none.
    """
    chain = _locked(connection)
    head, rows = str(chain.head), []
    for seq, entry in enumerate(entries, start=int(chain.length) + 1):
        fields = {
            "seq": seq,
            "id": growing_id("evt", 24, at),
            "type": entry.type,
            "at": stamp(at),
            "office": entry.office,
            "client": entry.client,
            "permit": entry.permit,
            "data": dumps(dict(entry.data)),
            "prev": head,
        }
        head = digest(fields)
        rows.append({**fields, "hash": head, "checkpoint": notary.note(Checkpoint(seq, head))})
    length = int(chain.length) + len(rows)
    move = {"moved_to": length, "ends_with": head}
    if len(rows) == 1 and connection.dialect.name == "postgresql":
        connection.execute(_ADD_AND_MOVE, rows[0] | move)
    else:
        connection.execute(_ADD, rows if len(rows) > 1 else rows[0])
        connection.execute(_MOVE, move)
    return length


def hold(connection: Connection) -> None:
    """Take the journal's lock before the event: what is counted from here to the commit is counted alone."""
    _locked(connection)


def open_chain(connection: Connection) -> None:
    """Make the chain's row on first start."""
    if connection.execute(select(chains.c.name).where(chains.c.name == JOURNAL)).first() is None:
        connection.execute(insert(chains).values(name=JOURNAL, length=0, head=GENESIS))


def walk(connection: Connection) -> Iterator[tuple[Row[Any], bool]]:
    """Yield every event with whether its hash and its link to the one before hold."""
    head = GENESIS
    for expected, row in enumerate(connection.execute(select(events).order_by(events.c.seq)), start=1):
        fields = {k: v for k, v in row._mapping.items() if k not in {"hash", "checkpoint"}}  # noqa: SLF001 - SQLAlchemy's public name
        yield row, row.seq == expected and row.prev == head and row.hash == digest(fields)
        head = row.hash


def feed(connection: Connection, client: str, after: int, limit: int) -> list[dict[str, Any]]:
    """Return the client's events after a sequence number, oldest first."""
    rows = connection.execute(
        select(events).where(events.c.client == client, events.c.seq > after).order_by(events.c.seq).limit(limit)
    )
    return [
        {
            "id": r.id,
            "seq": r.seq,
            "type": r.type,
            "at": r.at,
            "permit": r.permit,
            "data": json.loads(r.data),
            "checkpoint": r.checkpoint,
        }
        for r in rows
    ]


def _locked(connection: Connection) -> Row[Any]:
    return connection.execute(_LOCK).one()


def length(connection: Connection) -> int:
    """Return how many events there are: the newest one's number."""
    return connection.execute(select(chains.c.length).where(chains.c.name == JOURNAL)).scalar_one_or_none() or 0


def newest_checkpoint(connection: Connection) -> str:
    """Return the newest signed checkpoint, or an empty text before the first event."""
    newest = select(func.max(events.c.seq)).scalar_subquery()
    return connection.execute(select(events.c.checkpoint).where(events.c.seq == newest)).scalar_one_or_none() or ""
