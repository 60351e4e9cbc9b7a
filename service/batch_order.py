"""Orders a batch's documents one by one and hands the passphrase over for exactly those that could be ordered."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature
from sqlalchemy import Row

from service import acts, batch_ends, journal, people, signers
from service.canonical import dumps
from service.clock import stamp
from service.errors import Conflict, TekenError
from service.handover import Authority, Recipient, Sealed, seal
from service.identity import decoded, encoded, pins_of
from service.permits import State
from service.store import StoreBusy, batches
from service.store.batch_tables import BatchState, Result
from service.store.permits import lock

if TYPE_CHECKING:
    from service.wiring import Teken

OPENING = timedelta(minutes=5)
"""Longer than it takes to order a tray; whoever died before handing over leaves a batch that pauses then."""
_CONTEXT = "teken/batch/v1\n"


class NoSigner(TekenError):
    """No signing process lives that a pinned host vouches for: nothing was ordered, the passphrase went nowhere."""

    code = "no_signer"
    status = 503


def record(teken: Teken, official: str, documents: Sequence[tuple[str, str]]) -> Row[Any]:
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


def reopen(teken: Teken, row: Row[Any], now_in: tuple[BatchState, ...], *, failed: bool) -> str:
    """Open the batch again; return the certificate that is enrolled now."""
    now = teken.clock.now()
    with teken.db.write() as connection:
        certificate = str(people.enrolled(connection, row.official, now).sha256)
        journal.hold(connection)
        fresh = {"expires_at": stamp(now + OPENING), "ended_at": None, "cause": None, "prover": None}
        again = batches.retry(connection, row.id) if failed else True
        if not again or not batches.become(
            connection, row.id, now_in, BatchState.OPEN, certificate_sha256=certificate, **fresh
        ):
            raise Conflict("batch_state_forbids", state=row.state)
        batches.forget_secrets(connection, row.id)
        batch_ends.tell(connection, teken, row, "resumed", batches.counts(connection, row.id))
    return certificate


def go_on(teken: Teken, row: Row[Any], passphrase: bytearray, certificate: str | None = None) -> None:
    """Order every waiting document, then hand the passphrase over for exactly those that could be ordered."""
    try:
        _go_on(teken, row, passphrase, certificate or row.certificate_sha256)
    except StoreBusy:  # half-way: the official sees a paused batch, not an error behind which something goes on
        batch_ends.end(teken, row, BatchState.PAUSED, "handover_interrupted")


def _go_on(teken: Teken, row: Row[Any], passphrase: bytearray, certificate: str) -> None:
    with teken.db.read() as connection:
        waiting = batches.items(connection, row.id, Result.WAITING)
    documents = tuple(sorted((i.permit, i.seen_sha) for i in waiting if _ordered(teken, row, i)))
    if documents:
        until = stamp(teken.clock.now() + timedelta(minutes=teken.settings.sign_window))
        authority = Authority(row.id, row.official, certificate, until, documents)
        hand_over(teken, row, authority, passphrase)
    else:
        with teken.db.write() as connection:
            journal.hold(connection)
            batch_ends.close(connection, teken, row.id)


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


def hand_over(teken: Teken, row: Row[Any], authority: Authority, passphrase: bytearray) -> None:
    """Seal to who lives now. If all died meanwhile, or the batch was paused meanwhile, nothing is stored."""
    try:
        sealed = seal(authority, passphrase, recipients(teken))
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


def recipients(teken: Teken) -> list[Recipient]:
    """Return the living signing processes that pinned hosts vouch for.

    Raises NoSigner.
    """
    pins = pins_of(teken.settings.pinned_signers, teken.settings.pins)
    with teken.db.read() as connection:
        found = signers.recipients(connection, pins, teken.clock.now())
    if not found:
        raise NoSigner
    return found


def check_unaltered(teken: Teken, row: Row[Any]) -> None:
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
