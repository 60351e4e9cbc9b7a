"""Rows of batches: change a state only from the expected one, settle a document's result, keep and delete sealed secrets.

Locks are taken in one order everywhere: permit, journal, batch.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, exists, func, insert, or_, select, update

from service.clock import stamp
from service.permits import State
from service.store.batch_tables import ORDERED, BatchState, Result, batch_items, batches, sealed_secrets
from service.store.tables import permits

ACTIVE = (BatchState.OPEN, BatchState.PROVING, BatchState.RUNNING)
RESUMABLE = (BatchState.PAUSED, BatchState.REFUSED, BatchState.EXPIRED)


def row(connection: Connection, batch: str) -> Row[Any] | None:
    """Return a batch."""
    return connection.execute(select(batches).where(batches.c.id == batch)).first()


def items(connection: Connection, batch: str, *results: Result) -> Sequence[Row[Any]]:
    """Return a batch's documents in their order, all or those with one of these results."""
    query = select(batch_items).where(batch_items.c.batch == batch).order_by(batch_items.c.position)
    return connection.execute(query.where(batch_items.c.result.in_(results)) if results else query).all()


def add(connection: Connection, values: dict[str, Any], documents: Sequence[tuple[str, str]]) -> None:
    """Store a new batch with its list of (permit, hash of what was read)."""
    connection.execute(insert(batches).values(**values))
    listed = [
        {"batch": values["id"], "permit": permit, "position": place, "seen_sha": sha, "result": str(Result.WAITING)}
        for place, (permit, sha) in enumerate(documents)
    ]
    connection.execute(insert(batch_items), listed)


def become(
    connection: Connection, batch: str, now_in: Collection[BatchState], state: BatchState, **values: Any
) -> bool:
    """Change the state if it is one of `now_in` (and, where given, still proven by `prover`); tell whether it did."""
    query = update(batches).where(batches.c.id == batch, batches.c.state.in_(now_in))
    if (by := values.pop("proven_by", None)) is not None:
        query = query.where(batches.c.prover == by)
    return bool(connection.execute(query.values(state=state, **values)).rowcount)


def order(connection: Connection, batch: str, permit: str) -> None:
    """The permit waits for this batch's signature from now on, and for no other's."""
    elsewhere = update(batch_items).where(batch_items.c.permit == permit, batch_items.c.batch != batch, ORDERED)
    connection.execute(elsewhere.values(ordered=0))
    _change_item(connection, batch, permit, ordered=1)


def ordered(connection: Connection, permit: str) -> Row[Any] | None:
    """Return the item of the batch for whose signature the permit waits."""
    return connection.execute(select(batch_items).where(batch_items.c.permit == permit, ORDERED)).first()


def settle(
    connection: Connection,
    item: Row[Any],
    result: Result,
    now: datetime,
    *,
    cause: str | None = None,
    retryable: bool = False,
) -> None:
    """Record what became of a document; the permit no longer waits for this batch."""
    told = {"result": result, "cause": cause, "retryable": int(retryable), "settled_at": stamp(now), "ordered": 0}
    _change_item(connection, item.batch, item.permit, **told)


def unorder(connection: Connection, item: Row[Any]) -> None:
    """The permit is back in the tray; the document waits in its batch until that goes on."""
    _change_item(connection, item.batch, item.permit, ordered=0)


def signed_in(connection: Connection, permit: str) -> Row[Any] | None:
    """Return the active batch in which the permit was signed."""
    query = select(batches).join(batch_items, batch_items.c.batch == batches.c.id)
    mine = and_(batch_items.c.permit == permit, batch_items.c.result == Result.SIGNED, batches.c.state.in_(ACTIVE))
    return connection.execute(query.where(mine)).first()


def waiting(connection: Connection, batch: str) -> int:
    """Return how many documents have no result yet."""
    query = select(func.count()).where(batch_items.c.batch == batch, batch_items.c.result == Result.WAITING)
    return int(connection.execute(query).scalar_one())


def counts(connection: Connection, batch: str) -> dict[str, int]:
    """Return how many documents have which result."""
    query = select(batch_items.c.result, func.count()).where(batch_items.c.batch == batch)
    return {str(row[0]): int(row[1]) for row in connection.execute(query.group_by(batch_items.c.result))}


def retry(connection: Connection, batch: str) -> bool:
    """Let the failed documents that may be tried again wait anew; tell whether there were any."""
    again = and_(batch_items.c.batch == batch, batch_items.c.result == Result.FAILED, batch_items.c.retryable == 1)
    fresh = {"result": Result.WAITING, "cause": None, "retryable": 0, "settled_at": None}
    return bool(connection.execute(update(batch_items).where(again).values(**fresh)).rowcount)


def claimable(ready: Collection[str]) -> ColumnElement[bool]:
    """Say of a permit that it waits for no batch, or for a running one whose key this process holds."""
    mine = select(batches.c.id).where(batches.c.id.in_(ready), batches.c.state == BatchState.RUNNING)
    return ~exists().where(batch_items.c.permit == permits.c.id, ORDERED, batch_items.c.batch.not_in(mine))


def stranded(connection: Connection, batch: str, now: datetime, limit: int) -> Sequence[Row[Any]]:
    """Return permits that an ended batch still holds and nobody is signing just now, locked."""
    free = or_(permits.c.lease_until == "", permits.c.lease_until <= stamp(now), permits.c.state != State.SIGNING)
    query = select(permits).join(batch_items, and_(batch_items.c.permit == permits.c.id, ORDERED))
    ended = exists().where(batches.c.id == batch_items.c.batch, batches.c.state.not_in(ACTIVE))
    query = query.where(batch_items.c.batch == batch, free, ended).order_by(permits.c.id).limit(limit)
    return connection.execute(query.with_for_update(of=permits, skip_locked=True)).all()


def strays(connection: Connection, batch: str) -> Sequence[Row[Any]]:
    """Return waiting documents of a running batch whose permits do not wait for its signature."""
    here = and_(permits.c.id == batch_items.c.permit, permits.c.state == State.SIGNING, ORDERED)
    query = select(batch_items).where(batch_items.c.batch == batch, batch_items.c.result == Result.WAITING)
    running = exists().where(batches.c.id == batch_items.c.batch, batches.c.state == BatchState.RUNNING)
    return connection.execute(query.where(running, ~exists().where(here))).all()


def keep_secrets(connection: Connection, sealed: Sequence[dict[str, str]]) -> None:
    """Store what was sealed to each signing process."""
    connection.execute(insert(sealed_secrets), list(sealed))


def handed_to(connection: Connection, signer: str) -> Sequence[Row[Any]]:
    """Return what is sealed to a signing process, of batches that still go on."""
    query = select(sealed_secrets, batches.c.state, batches.c.prover).join(
        batches, batches.c.id == sealed_secrets.c.batch
    )
    return connection.execute(query.where(sealed_secrets.c.signer == signer, batches.c.state.in_(ACTIVE))).all()


def forget_secrets(connection: Connection, batch: str, signer: str | None = None) -> None:
    """Delete a batch's ciphertexts, all or one process's."""
    query = delete(sealed_secrets).where(sealed_secrets.c.batch == batch)
    connection.execute(query.where(sealed_secrets.c.signer == signer) if signer else query)


def holders(connection: Connection, batch: str) -> set[str]:
    """Return the signing processes that the batch's passphrase was sealed to."""
    query = select(sealed_secrets.c.signer).where(sealed_secrets.c.batch == batch)
    return set(connection.execute(query).scalars())


def unfinished(connection: Connection) -> Sequence[Row[Any]]:
    """Return batches that go on, and ended ones that still hold permits."""
    holding = select(batch_items.c.batch).where(ORDERED)
    return connection.execute(select(batches).where(or_(batches.c.state.in_(ACTIVE), batches.c.id.in_(holding)))).all()


def _change_item(connection: Connection, batch: str, permit: str, **values: Any) -> None:
    query = update(batch_items).where(batch_items.c.batch == batch, batch_items.c.permit == permit)
    connection.execute(query.values(**values))
