"""How a batch and its documents end: each result once, each way out with its cause, and no permit left hanging (I1).

Called by the official's acts, by signing processes, and by any worker that finds a batch whose signers are gone.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row

from service import journal, moves, signers
from service.clock import stamp
from service.journal import Entry
from service.permits import State
from service.store import batches, dispatches
from service.store.batch_tables import BatchState, Result
from service.store.batches import ACTIVE
from service.store.dispatch_tables import Outcome
from service.store.permits import change

if TYPE_CHECKING:
    from service.wiring import Teken

CHUNK = 50
_CLOSABLE = tuple(sorted(set(BatchState) - {BatchState.DONE, BatchState.STOPPED}))
_HOPELESS = frozenset({"not_on_sealed_list", "key_differs", "spec_invalid", "qr_unfit"})
"""Causes that the same order would meet again."""
_AT_ONCE = frozenset({"not_on_sealed_list", "service_refused"})


def unconfirmed(cause: str) -> bool:
    """Tell whether a signature may exist, or does: tried again only after the signer has confirmed it."""
    return cause == "outcome_unknown" or cause.startswith("returned_")


def at_once(cause: str) -> bool:
    """Tell whether no worker tries again by itself."""
    return unconfirmed(cause) or cause in _AT_ONCE


def end(teken: Teken, row: Row[Any], state: BatchState, cause: str, *, proven_by: str | None = None) -> bool:
    """Take an active batch out of the signing processes' hands: ciphertexts deleted, what is not signed back in the tray."""
    with teken.db.write() as connection:
        ended = end_within(connection, teken, row, state, cause, proven_by=proven_by)
    if ended:
        send_back(teken, row.id)
    return ended


def end_within(
    connection: Connection, teken: Teken, row: Row[Any], state: BatchState, cause: str, *, proven_by: str | None = None
) -> bool:
    """As `end`, in the caller's transaction; `send_back` is his to call after it."""
    journal.hold(connection)
    values = {"cause": cause, "ended_at": stamp(teken.clock.now()), "proven_by": proven_by}
    if not batches.become(connection, row.id, ACTIVE, state, **values):
        return False
    batches.forget_secrets(connection, row.id)
    tell(connection, teken, row, state, {"cause": cause, **batches.counts(connection, row.id)})
    return True


def end_by_id(teken: Teken, batch: str, state: BatchState, cause: str) -> None:
    """As `end`, by the batch's id."""
    with teken.db.read() as connection:
        row = batches.row(connection, batch)
    if row is not None:
        end(teken, row, state, cause)


def back(connection: Connection, teken: Teken, row: Row[Any], cause: str | None) -> Row[Any]:
    """Return a permit to the tray, unsigned; in its batch it waits until that goes on."""
    item = batches.ordered(connection, row.id)
    moved = _to_tray(connection, teken, row, item.batch if item is not None else "", cause)
    if item is not None:
        batches.unorder(connection, item)
    return moved


def tell(connection: Connection, teken: Teken, row: Row[Any], event: str, data: dict[str, Any]) -> None:
    """Append an event of the batch."""
    told = {"batch": row.id, "official": row.official, **data}
    journal.append(connection, teken.notary, teken.clock.now(), Entry(f"batch.{event}", row.office, None, None, told))


def left_open(connection: Connection, teken: Teken, row: Row[Any], dispatch: Row[Any]) -> None:
    """Whoever sent this document died, or lost its answer: record that nobody knows whether it was signed."""
    if dispatch.outcome == Outcome.DISPATCHED:
        dispatches.end(connection, dispatch.id, Outcome.UNKNOWN, teken.clock.now(), cause="no_answer")
        told = {"dispatch": dispatch.id, "cause": "no_answer"}
        moves.tell(connection, teken, row, "permit.dispatch_unknown", told)


def signed(connection: Connection, teken: Teken, permit: str) -> None:
    """Record in the signature's own transaction that the batch has it, if the permit waited for one."""
    item = batches.ordered(connection, permit)
    if item is not None:
        batches.settle(connection, item, Result.SIGNED, teken.clock.now())
        close(connection, teken, item.batch)


def failed(connection: Connection, teken: Teken, row: Row[Any], cause: str) -> bool:
    """After the last attempt: the document's result is its failure, the permit is back in the head's tray. False: it is in no batch."""
    item = batches.ordered(connection, row.id)
    if item is None or row.state != State.SIGNING:
        return False
    _to_tray(connection, teken, row, item.batch, cause)
    retryable = cause not in _HOPELESS and not unconfirmed(cause)
    batches.settle(connection, item, Result.FAILED, teken.clock.now(), cause=cause, retryable=retryable)
    close(connection, teken, item.batch)
    return True


def skipped(connection: Connection, teken: Teken, permit: str, cause: str) -> None:
    """The permit went another way before its signature."""
    item = batches.ordered(connection, permit)
    if item is not None:
        batches.settle(connection, item, Result.SKIPPED, teken.clock.now(), cause=cause)
        close(connection, teken, item.batch)


def mismatch(teken: Teken, permit: str) -> None:
    """Our own output was not what it should be: the batch in which it was signed stops, before more of the kind is made (§7)."""
    with teken.db.read() as connection:
        row = batches.signed_in(connection, permit)
    if row is not None:
        end(teken, row, BatchState.STOPPED, "proof_mismatch")


def close(connection: Connection, teken: Teken, batch: str) -> None:
    """When every document has its result the batch is done, and its ciphertexts go."""
    row = batches.row(connection, batch)
    if row is None or row.state not in _CLOSABLE or batches.waiting(connection, batch):
        return
    if batches.become(connection, batch, _CLOSABLE, BatchState.DONE, ended_at=stamp(teken.clock.now()), cause=None):
        batches.forget_secrets(connection, batch)
        tell(connection, teken, row, BatchState.DONE, batches.counts(connection, batch))


def send_back(teken: Teken, batch: str) -> None:
    """Return what nobody is signing just now to the tray, some at a time; a signature that is under way may still end."""
    while True:
        with teken.db.write() as connection:
            rows = batches.stranded(connection, batch, teken.clock.now(), CHUNK)
            if not rows:
                _skip_rest(connection, teken, batch)
                return
            for row in rows:
                _release(connection, teken, row)


def tend(teken: Teken) -> None:
    """Find batches whose window is over, whose signers died, or whose permits went another way. Any process may; the rows decide."""
    with teken.db.read() as connection:
        found = batches.unfinished(connection)
        alive = signers.living(connection, teken.clock.now()) if found else set()
        holders = {row.id: batches.holders(connection, row.id) for row in found}
    for row in found:
        if row.state not in ACTIVE:
            send_back(teken, row.id)
        elif (why := _over(row, holders[row.id], alive, teken.clock.now())) is not None:
            end(teken, row, *why)
        else:
            _skip_strays(teken, row)


def _over(row: Row[Any], holders: set[str], alive: set[str], now: datetime) -> tuple[BatchState, str] | None:
    if row.expires_at <= stamp(now):
        return (BatchState.EXPIRED, "window_over") if holders else (BatchState.PAUSED, "handover_interrupted")
    if row.state == BatchState.PROVING and row.prover not in alive:
        # whether its one attempt reached the key is unknown: nobody tries again until somebody types
        return BatchState.PAUSED, "prover_died"
    if not holders & alive and (holders or row.state == BatchState.RUNNING):
        return BatchState.PAUSED, "no_signer"
    return None


def _release(connection: Connection, teken: Teken, row: Row[Any]) -> None:
    item = batches.ordered(connection, row.id)
    if item is None:
        return
    if row.state != State.SIGNING:
        batches.settle(connection, item, Result.SKIPPED, teken.clock.now(), cause="order_lapsed")
        return
    left = dispatches.unsettled(connection, row.id)
    if left is None:
        back(connection, teken, row, None)
    else:  # it went out, and who sent it is gone: nobody knows whether it was signed
        left_open(connection, teken, row, left)
        failed(connection, teken, row, "outcome_unknown")


def _to_tray(connection: Connection, teken: Teken, row: Row[Any], batch: str, cause: str | None) -> Row[Any]:
    state = State.NUMBERED if row.number else State.IN_PARAF
    moved = change(connection, row, teken.clock.now(), state=state, queue="person", ordered_sha=None, fault=cause)
    moves.tell(connection, teken, moved, "permit.order_withdrawn", {"batch": batch, "cause": cause})
    return moved


def _skip_rest(connection: Connection, teken: Teken, batch: str) -> None:
    """Of a batch that was stopped, what waits no more has its result: not signed. Documents still under way are left to end."""
    row = batches.row(connection, batch)
    if row is not None and row.state == BatchState.STOPPED:
        for item in batches.items(connection, batch, Result.WAITING):
            if not item.ordered:
                batches.settle(connection, item, Result.SKIPPED, teken.clock.now(), cause="batch_stopped")
    else:
        close(connection, teken, batch)


def _skip_strays(teken: Teken, row: Row[Any]) -> None:
    """A permit that was withdrawn, parked or made again meanwhile waits for no signature."""
    with teken.db.write() as connection:
        journal.hold(connection)
        for stray in batches.strays(connection, row.id):
            batches.settle(connection, stray, Result.SKIPPED, teken.clock.now(), cause="order_lapsed")
        close(connection, teken, row.id)
