"""Whole trays at once: one authorisation, one result per document (§7). The head opens, pauses, stops, resumes and retries.

Everything is in the database before a call returns: closing the laptop changes nothing. The passphrase is sealed to living
signing processes and wiped here; it is never stored, logged or told in an error.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature
from sqlalchemy import Row

from service import acts, batch_ends, journal, people, signers
from service.canonical import dumps
from service.clock import stamp
from service.errors import Conflict, Fault, Invalid, NotFound, TekenError
from service.handover import LONGEST, Authority, Recipient, Sealed, seal, wipe
from service.identity import decoded, encoded, pins_of
from service.permits import State
from service.store import batches
from service.store.batch_tables import BatchState, Result
from service.store.batches import RESUMABLE
from service.store.permits import lock

if TYPE_CHECKING:
    from service.wiring import Teken

MOST = 2000
"""Documents of one batch."""
OPENING = timedelta(minutes=5)
"""Longer than it takes to order MOST documents; whoever died before handing over leaves a batch that pauses then."""
_CONTEXT = "teken/batch/v1\n"
_ENDED = (BatchState.DONE, BatchState.STOPPED)


class NoSigner(TekenError):
    """No signing process lives that a pinned host vouches for: nothing was ordered, the passphrase went nowhere."""

    code = "no_signer"
    status = 503


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
    Raises NoSigner, PassphraseUnfit, Invalid (the list), NotFound (no such official, or no certificate).
    """
    try:
        _check(permits, passphrase)
        _recipients(teken)
        row = _record(teken, official, permits)
        return _go_on(teken, row, passphrase)
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
        _recipients(teken)
        row = _own(teken, official, batch)
        _check_unaltered(teken, row)
        certificate = _reopen(teken, row, now_in)
        return _go_on(teken, row, passphrase, certificate)
    finally:
        wipe(passphrase)


def _record(teken: Teken, official: str, documents: Sequence[tuple[str, str]]) -> Row[Any]:
    """Store the batch before anything is ordered: its id is permanent whatever happens next."""
    now, batch = teken.clock.now(), f"bch_{secrets.token_hex(12)}"
    values = {
        "id": batch,
        "office": official.partition("/")[0],
        "official": official,
        "state": str(BatchState.OPEN),
        "vouch": encoded(teken.notary.key.sign(_listed(batch, official, documents))),
        "opened_at": stamp(now),
        "expires_at": stamp(now + OPENING),
    }
    with teken.db.write() as connection:
        values["certificate_sha256"] = people.enrolled(connection, official, now).sha256
        journal.hold(connection)
        batches.add(connection, values, documents)
        row = batches.row(connection, batch)
        assert row is not None, "just stored"
        batch_ends.tell(connection, teken, row, "opened", {"documents": len(documents)})
    return row


def _reopen(teken: Teken, row: Row[Any], now_in: tuple[BatchState, ...]) -> str:
    """Open the batch again; return the certificate that is enrolled now."""
    now = teken.clock.now()
    with teken.db.write() as connection:
        certificate = str(people.enrolled(connection, row.official, now).sha256)
        journal.hold(connection)
        fresh = {"expires_at": stamp(now + OPENING), "ended_at": None, "cause": None, "prover": None}
        again = batches.retry(connection, row.id) if now_in is _ENDED else True
        if not again or not batches.become(
            connection, row.id, now_in, BatchState.OPEN, certificate_sha256=certificate, **fresh
        ):
            raise Conflict("batch_state_forbids", state=row.state)
        batches.forget_secrets(connection, row.id)
        batch_ends.tell(connection, teken, row, "resumed", batches.counts(connection, row.id))
    return certificate


def _go_on(teken: Teken, row: Row[Any], passphrase: bytearray, certificate: str | None = None) -> Batch:
    """Order every waiting document, then hand the passphrase over for exactly those that could be ordered."""
    with teken.db.read() as connection:
        waiting = batches.items(connection, row.id, Result.WAITING)
    documents = tuple(sorted((i.permit, i.seen_sha) for i in waiting if _ordered(teken, row, i)))
    if documents:
        until = stamp(teken.clock.now() + timedelta(minutes=teken.settings.sign_window))
        authority = Authority(row.id, row.official, certificate or row.certificate_sha256, until, documents)
        _hand_over(teken, row, authority, passphrase)
    else:
        with teken.db.write() as connection:
            journal.hold(connection)
            batch_ends.close(connection, teken, row.id)
    return status(teken, row.id)


def _ordered(teken: Teken, row: Row[Any], item: Row[Any]) -> bool:
    """Order one document as `acts.order_signature` does, in its own transaction; a refusal is its result."""
    if item.ordered and _under_way(teken, item):
        return True
    also = partial(batches.order, batch=row.id, permit=item.permit)
    try:
        acts.order_signature(teken, row.official, item.permit, seen_sha=item.seen_sha, also=also)
    except TekenError as refused:
        with teken.db.write() as connection:
            batches.settle(connection, item, Result.SKIPPED, teken.clock.now(), cause=refused.code)
        return False
    return True


def _under_way(teken: Teken, item: Row[Any]) -> bool:
    """A document whose signature was at hand when the batch paused is still ordered, on the same bytes."""
    with teken.db.write() as connection:
        row = lock(connection, item.permit)
        held = batches.ordered(connection, item.permit)
        mine = held is not None and held.batch == item.batch
        return mine and row is not None and (row.state, row.ordered_sha) == (State.SIGNING, item.seen_sha)


def _hand_over(teken: Teken, row: Row[Any], authority: Authority, passphrase: bytearray) -> None:
    """Seal to who lives now. If all died meanwhile, or the batch was paused meanwhile, nothing is stored."""
    try:
        sealed = seal(authority, passphrase, _recipients(teken))
    except NoSigner:
        batch_ends.end(teken, row, BatchState.PAUSED, NoSigner.code)
        return
    with teken.db.write() as connection:
        still = batches.become(connection, row.id, [BatchState.OPEN], BatchState.OPEN, expires_at=authority.expires_at)
        if still:
            batches.keep_secrets(connection, [_stored(one) for one in sealed])
    if not still:
        batch_ends.send_back(teken, row.id)
    for permit, _ in authority.documents[: len(sealed)]:
        teken.doorbell.ring("sign", permit)


def _stored(sealed: Sealed) -> dict[str, str]:
    keys = {"sender_key": encoded(sealed.sender_key), "ciphertext": encoded(sealed.ciphertext)}
    return {"batch": sealed.batch, "signer": sealed.signer, **keys}


def _recipients(teken: Teken) -> list[Recipient]:
    """Return the living signing processes that pinned hosts vouch for.

    Raises NoSigner.
    """
    pins = pins_of(teken.settings.pinned_signers, teken.settings.pins)
    with teken.db.read() as connection:
        found = signers.recipients(connection, pins, teken.clock.now())
    if not found:
        raise NoSigner
    return found


def _check(documents: Sequence[tuple[str, str]], passphrase: bytearray) -> None:
    _check_passphrase(passphrase)
    if not 0 < len(documents) <= MOST:
        raise Invalid(faults=(Fault("/permits", "list_length", {"most": str(MOST)}),))
    if len({permit for permit, _ in documents}) != len(documents):
        raise Invalid(faults=(Fault("/permits", "listed_twice"),))


def _check_passphrase(passphrase: bytearray) -> None:
    if not 0 < len(passphrase) <= LONGEST:
        raise PassphraseUnfit


def _check_unaltered(teken: Teken, row: Row[Any]) -> None:
    """What goes on is what the official opened: whoever can write to the database can't lengthen the list."""
    with teken.db.read() as connection:
        documents = [(item.permit, item.seen_sha) for item in batches.items(connection, row.id)]
    try:
        text = _listed(row.id, row.official, documents)
        teken.notary.key.public_key().verify(decoded(row.vouch), text)
    except (ValueError, InvalidSignature):
        raise Conflict("batch_altered") from None


def _listed(batch: str, official: str, documents: Sequence[tuple[str, str]]) -> bytes:
    return (_CONTEXT + dumps([batch, official, sorted(list(one) for one in documents)])).encode()


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
