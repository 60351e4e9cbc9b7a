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
from service.store.leases import is_free
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


def order_all(connection: Connection, batch: str, ordered_now: Collection[str]) -> None:
    """`order` for many permits."""
    elsewhere = (batch_items.c.permit.in_(ordered_now), batch_items.c.batch != batch, ORDERED)
    connection.execute(update(batch_items).where(*elsewhere).values(ordered=0))
    here = (batch_items.c.batch == batch, batch_items.c.permit.in_(ordered_now))
    connection.execute(update(batch_items).where(*here).values(ordered=1))


def at_signing(connection: Connection, batch: str) -> set[str]:
    """Return the permits that wait for this batch's signature on the bytes that the official read."""
    here = and_(batch_items.c.permit == permits.c.id, batch_items.c.batch == batch, ORDERED)
    query = select(permits.c.id).join(batch_items, here)
    same = (permits.c.state == State.SIGNING, permits.c.ordered_sha == batch_items.c.seen_sha)
    return set(connection.execute(query.where(*same)).scalars())


def papers(connection: Connection, ids: Collection[str]) -> list[Row[Any]]:
    """Return what an order needs to know before it locks anything: id, pin, code, address."""
    columns = (permits.c.id, permits.c.pin, permits.c.code, permits.c.verify_url)
    return list(connection.execute(select(*columns).where(permits.c.id.in_(ids))))


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
    """Record what became of a document that had no result yet; the permit no longer waits for this batch."""
    told = {"result": result, "cause": cause, "retryable": int(retryable), "settled_at": stamp(now), "ordered": 0}
    mine = (batch_items.c.batch == item.batch, batch_items.c.permit == item.permit)
    connection.execute(update(batch_items).where(*mine, batch_items.c.result == Result.WAITING).values(**told))


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


def allow_retry(connection: Connection, permit: str) -> None:
    """Let a document that failed be tried again in its batch."""
    mine = and_(batch_items.c.permit == permit, batch_items.c.result == Result.FAILED)
    connection.execute(update(batch_items).where(mine).values(retryable=1))


def retry(connection: Connection, batch: str) -> bool:
    """Let the failed documents that may be tried again wait anew; tell whether there were any."""
    again = and_(batch_items.c.batch == batch, batch_items.c.result == Result.FAILED, batch_items.c.retryable == 1)
    fresh = {"result": Result.WAITING, "cause": None, "retryable": 0, "settled_at": None}
    return bool(connection.execute(update(batch_items).where(again).values(**fresh)).rowcount)


def claimable(ready: Collection[str], unproven: Collection[str] = (), prover: str = "") -> ColumnElement[bool]:
    """Say of a permit that it waits for no batch, or for a running one whose key this process holds.

    Of `unproven` ones that are being proven it says so too, if this is the process that proves.
    """
    running = and_(batches.c.id.in_(ready), batches.c.state == BatchState.RUNNING)
    proving = and_(batches.c.id.in_(unproven), batches.c.state == BatchState.PROVING, batches.c.prover == prover)
    mine = select(batches.c.id).where(or_(running, proving))
    return ~exists().where(batch_items.c.permit == permits.c.id, ORDERED, batch_items.c.batch.not_in(mine))


def waits_for(batch: str) -> ColumnElement[bool]:
    """Say of a permit that it waits for this batch's signature."""
    return exists().where(batch_items.c.permit == permits.c.id, ORDERED, batch_items.c.batch == batch)


def stranded(connection: Connection, batch: str, now: datetime, limit: int) -> Sequence[Row[Any]]:
    """Return permits that an ended batch still holds and nobody is signing just now, locked."""
    free = or_(is_free(permits.c.lease_until, now), permits.c.state != State.SIGNING)
    query = select(permits).join(batch_items, and_(batch_items.c.permit == permits.c.id, ORDERED))
    ended = exists().where(batches.c.id == batch_items.c.batch, batches.c.state.not_in(ACTIVE))
    query = query.where(batch_items.c.batch == batch, free, ended).order_by(permits.c.id).limit(limit)
    return connection.execute(query.with_for_update(of=permits, skip_locked=True)).all()


def strays(connection: Connection, batch: str) -> Sequence[Row[Any]]:
    """Return waiting documents of a running batch whose permits do not wait for its signature."""
    here = and_(permits.c.id == batch_items.c.permit, permits.c.state == State.SIGNING, ORDERED)
    query = select(batch_items).where(batch_items.c.batch == batch, batch_items.c.result == Result.WAITING)
    going = exists().where(
        batches.c.id == batch_items.c.batch, batches.c.state.in_([BatchState.PROVING, BatchState.RUNNING])
    )
    return connection.execute(query.where(going, ~exists().where(here))).all()


def keep_secrets(connection: Connection, sealed: Sequence[dict[str, str]]) -> None:
    """Store what was sealed to each signing process."""
    connection.execute(insert(sealed_secrets), list(sealed))


def handed_to(connection: Connection, signer: str) -> list[Row[Any]]:
    """Return what of batches that still go on is sealed to a signing process: asked before every document, so without ciphertexts."""
    columns = (sealed_secrets.c.batch, sealed_secrets.c.signature, batches.c.state, batches.c.prover)
    query = select(*columns).join(batches, batches.c.id == sealed_secrets.c.batch)
    return list(connection.execute(query.where(sealed_secrets.c.signer == signer, batches.c.state.in_(ACTIVE))))


def handed(connection: Connection, batch: str, signer: str) -> Row[Any] | None:
    """Return one ciphertext with all that was signed with it."""
    mine = (sealed_secrets.c.batch == batch, sealed_secrets.c.signer == signer)
    return connection.execute(select(sealed_secrets).where(*mine)).first()


def refuse_secret(connection: Connection, row: Row[Any]) -> None:
    """Delete one ciphertext, unless another has taken its place meanwhile."""
    table = sealed_secrets.c
    same = (table.batch == row.batch, table.signer == row.signer, table.signature == row.signature)
    connection.execute(delete(sealed_secrets).where(*same, table.ciphertext == row.ciphertext))


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
