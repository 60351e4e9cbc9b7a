"""Whole trays at once: one authorisation, one result per document (§7). The head opens, pauses, stops, resumes and retries.

Everything is in the database before a call returns: closing the laptop changes nothing. The passphrase is sealed to living
signing processes and wiped here; it is never stored, logged or told in an error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row

from service import batch_ends, gate, journal
from service.batch_order import NoSigner, check_unaltered, go_on, recipients, record, reopen
from service.errors import Conflict, Fault, Invalid, NotFound
from service.handover import LONGEST, wipe
from service.store import batches
from service.store.batch_tables import BatchState, Result
from service.store.batches import RESUMABLE

if TYPE_CHECKING:
    from service.wiring import Teken

__all__ = [
    "MOST",
    "Batch",
    "Item",
    "NoSigner",
    "PassphraseUnfit",
    "open_batch",
    "pause",
    "resume",
    "retry_failed",
    "status",
    "stop_after_this",
]

MOST = 2000
"""Documents of one batch."""
_ENDED = (BatchState.DONE, BatchState.STOPPED)


class PassphraseUnfit(Invalid):
    """Empty, or longer than any key's passphrase."""

    code = "passphrase_unfit"


@dataclass(frozen=True, slots=True)
class Item:
    """One document's result: waiting, signed, failed or skipped, with the cause's code."""

    permit: str
    sha256: str
    result: Result
    cause: str | None
    retryable: bool


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as it stands."""

    id: str
    office: str
    official: str
    state: BatchState
    cause: str | None
    opened_at: str
    expires_at: str
    ended_at: str | None
    items: tuple[Item, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many documents have which result."""
        return dict(Counter(str(item.result) for item in self.items))


def open_batch(teken: Teken, official: str, permits: Sequence[tuple[str, str]], passphrase: bytearray) -> Batch:
    """Order the signature of each (permit, SHA-256 that was read) and hand the passphrase over; it is wiped in any case.

    Each document is checked as a single order is; what changed since it was read is skipped, with the cause.
    Raises NoSigner, PassphraseUnfit, NumberingClosed, Invalid (the list), NotFound (no such official, or no certificate).
    """
    try:
        _check(permits, passphrase)
        gate.pass_through(teken)
        recipients(teken)
        row = record(teken, official, permits)
        go_on(teken, row, passphrase)
        return status(teken, row.id)
    finally:
        wipe(passphrase)


def status(teken: Teken, batch: str) -> Batch:
    """Return a batch with the result of each document.

    Raises NotFound.
    """
    with teken.db.read() as connection:
        row = batches.row(connection, batch)
        listed = batches.items(connection, batch)
    if row is None:
        raise NotFound("batch_unknown")
    items = tuple(Item(i.permit, i.seen_sha, Result(i.result), i.cause, bool(i.retryable)) for i in listed)
    times = (row.opened_at, row.expires_at, row.ended_at)
    return Batch(row.id, row.office, row.official, BatchState(row.state), row.cause, *times, items)


def pause(teken: Teken, official: str, batch: str) -> Batch:
    """Sign no further document; the secret dies, and what is not signed goes back to the tray until the batch is resumed."""
    row = _own(teken, official, batch)
    if not batch_ends.end(teken, row, BatchState.PAUSED, "by_official"):
        raise Conflict("batch_state_forbids", state=_state(teken, batch))
    return status(teken, batch)


def stop_after_this(teken: Teken, official: str, batch: str) -> Batch:
    """Let the signature at hand end, then stop for good: what is not signed is skipped and stays in the tray."""
    row = _own(teken, official, batch)
    if not batch_ends.end(teken, row, BatchState.STOPPED, "by_official") and not _stop_resting(teken, row):
        raise Conflict("batch_state_forbids", state=_state(teken, batch))
    return status(teken, batch)


def resume(teken: Teken, official: str, batch: str, passphrase: bytearray) -> Batch:
    """Go on with a paused, refused or expired batch: each waiting document is checked and ordered again.

    Raises Conflict("batch_state_forbids", "batch_altered"), NoSigner, PassphraseUnfit, NotFound.
    """
    return _again(teken, official, batch, passphrase, RESUMABLE)


def retry_failed(teken: Teken, official: str, batch: str, passphrase: bytearray) -> Batch:
    """Try the failed documents of an ended batch again, those that may be. Raises as `resume`."""
    return _again(teken, official, batch, passphrase, _ENDED)


def _again(teken: Teken, official: str, batch: str, passphrase: bytearray, now_in: tuple[BatchState, ...]) -> Batch:
    try:
        _check_passphrase(passphrase)
        gate.pass_through(teken)
        recipients(teken)
        row = _own(teken, official, batch)
        check_unaltered(teken, row)
        certificate = reopen(teken, row, now_in, failed=now_in is _ENDED)
        go_on(teken, row, passphrase, certificate)
        return status(teken, batch)
    finally:
        wipe(passphrase)


def _check(documents: Sequence[tuple[str, str]], passphrase: bytearray) -> None:
    _check_passphrase(passphrase)
    if not 0 < len(documents) <= MOST:
        raise Invalid(faults=(Fault("/permits", "list_length", {"most": str(MOST)}),))
    if len({permit for permit, _ in documents}) != len(documents):
        raise Invalid(faults=(Fault("/permits", "listed_twice"),))


def _check_passphrase(passphrase: bytearray) -> None:
    if not 0 < len(passphrase) <= LONGEST:
        raise PassphraseUnfit


def _own(teken: Teken, official: str, batch: str) -> Row[Any]:
    """Return a batch of this official's; another's is as unknown as none."""
    with teken.db.read() as connection:
        row = batches.row(connection, batch)
    if row is None or row.official != official:
        raise NotFound("batch_unknown")
    return row


def _state(teken: Teken, batch: str) -> str:
    return str(status(teken, batch).state)


def _stop_resting(teken: Teken, row: Row[Any]) -> bool:
    """Stop a batch that was only waiting to be resumed."""
    with teken.db.write() as connection:
        journal.hold(connection)
        stopped = batches.become(connection, row.id, RESUMABLE, BatchState.STOPPED, cause="by_official")
        if stopped:
            batch_ends.tell(connection, teken, row, BatchState.STOPPED, batches.counts(connection, row.id))
    if stopped:
        batch_ends.send_back(teken, row.id)
    return stopped
