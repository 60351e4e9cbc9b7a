"""Orders a batch's documents, some at a time, and hands the passphrase over for exactly those that could be ordered."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature
from sqlalchemy import Row

from service import acts, batch_ends, failpoints, journal, people, signers
from service.canonical import dumps
from service.clock import stamp
from service.codes import readable_url
from service.errors import Conflict, TekenError
from service.handover import Authority, Document, Recipient, Sealed, seal, signed
from service.identity import decoded, encoded, pins_of, web_identity
from service.ordering import order_plain
from service.pins import Bundle
from service.sop.model import OfficeCode
from service.store import StoreBusy, batches
from service.store.batch_tables import BatchState, Result

if TYPE_CHECKING:
    from service.wiring import Teken

OPENING = timedelta(minutes=5)
"""Longer than it takes to order a tray; whoever died before handing over leaves a batch that pauses then."""
CHUNK = 50
"""Documents that one transaction orders, in a few hundredths of a second."""
BREATH = 0.01
"""Seconds between two of them: SQLite gives its lock to whoever asks at the right moment."""
_CONTEXT = "teken/batch/v1\n"


class NoSigner(TekenError):
    """No signing process lives that a pinned host vouches for: nothing was ordered, the passphrase went nowhere."""

    code = "no_signer"
    status = 503


class _Altered(Conflict):
    """The list is not the one that the official opened."""

    code = "batch_altered"


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
    except _Altered:  # since it was opened or resumed, a moment ago
        batch_ends.end(teken, row, BatchState.PAUSED, _Altered.code)


def _go_on(teken: Teken, row: Row[Any], passphrase: bytearray, certificate: str) -> None:
    documents = _ordered(teken, row, [item for item in check_unaltered(teken, row) if item.result == Result.WAITING])
    if documents:
        authority = Authority(row.id, row.official, certificate, _window_ends(teken, row.office), documents)
        hand_over(teken, row, authority, passphrase)
    else:
        with teken.db.write() as connection:
            journal.hold(connection)
            batch_ends.close(connection, teken, row.id)


def _window_ends(teken: Teken, office: str) -> str:
    """The office's own window goes before the host's."""
    known = teken.offices.offices.get(OfficeCode(office))
    own = known.signing.sign_window if known is not None else None
    return stamp(teken.clock.now() + timedelta(minutes=own or teken.settings.sign_window))


def _ordered(teken: Teken, row: Row[Any], waiting: Sequence[Row[Any]]) -> tuple[Document, ...]:
    """Order some at a time, so that others get their turn at the database; return what now waits for this batch's signature."""
    addresses: dict[str, str] = {}
    for start in range(0, len(waiting), CHUNK):
        chunk = waiting[start : start + CHUNK]
        addresses |= _order(teken, row, chunk)
        time.sleep(BREATH)
    ready = _at_signing(teken, row)
    return tuple(
        sorted((i.permit, i.seen_sha, addresses[i.permit]) for i in waiting if i.permit in addresses.keys() & ready)
    )


def _order(teken: Teken, row: Row[Any], items: Sequence[Row[Any]]) -> dict[str, str]:
    """Order documents, what is plain in one transaction and the others each in its own; return the addresses that they bear."""
    under_way = _at_signing(teken, row)  # when a batch is resumed, a signature may still be at hand
    addresses, papers = {}, {}
    for paper, bundle in _papers(teken, items):
        if paper.verify_url in _own_addresses(teken, bundle, paper.code):
            addresses[paper.id], papers[paper.id] = paper.verify_url, bundle
    read = {
        item.permit: (papers[item.permit], item.seen_sha) for item in items if item.permit in papers.keys() - under_way
    }
    with teken.db.write() as connection:
        done = order_plain(connection, teken, row.official, row.id, read) if read else set()
        failpoints.passing("act.before_commit")
    failpoints.passing("act.after_commit")
    for item in items:
        if item.permit not in papers:
            _skip(teken, item, "address_differs")
        elif item.permit not in done | under_way:
            _order_one(teken, row, item)
    return addresses


def _order_one(teken: Teken, row: Row[Any], item: Row[Any]) -> None:
    """Order one document as `acts.order_signature` does; a refusal is its result."""
    also = partial(batches.order, batch=row.id, permit=item.permit)
    try:
        acts.order_signature(teken, row.official, item.permit, seen_sha=item.seen_sha, also=also)
    except TekenError as refused:
        _skip(teken, item, refused.code)


def _skip(teken: Teken, item: Row[Any], cause: str) -> None:
    with teken.db.write() as connection:
        batches.settle(connection, item, Result.SKIPPED, teken.clock.now(), cause=cause)


def _at_signing(teken: Teken, row: Row[Any]) -> set[str]:
    with teken.db.read() as connection:
        return batches.at_signing(connection, row.id)


def _papers(teken: Teken, items: Sequence[Row[Any]]) -> Iterator[tuple[Row[Any], Bundle]]:
    """Yield what is known of each paper, with its pinned files: no file is read inside a transaction."""
    with teken.db.read() as connection:
        known = batches.papers(connection, [item.permit for item in items])
    for paper in known:
        yield paper, teken.pins.open(paper.pin)


def _own_addresses(teken: Teken, bundle: Bundle, code: str) -> set[str]:
    """Where this paper's QR may lead: the code is printed on what was read, the rest is the office's own or the operator's."""
    bases = {bundle.office.public_url, teken.settings.public_url} - {""}
    return {readable_url(base, code) for base in bases}


def hand_over(teken: Teken, row: Row[Any], authority: Authority, passphrase: bytearray) -> None:
    """Seal to who lives now, signed by this host. If all died meanwhile, or the batch was paused meanwhile, nothing is stored."""
    try:
        sealed = seal(authority, passphrase, recipients(teken))
    except NoSigner:
        batch_ends.end(teken, row, BatchState.PAUSED, NoSigner.code)
        return
    web, now = web_identity(teken.settings), teken.clock.now()
    with teken.db.write() as connection:
        still = batches.become(connection, row.id, [BatchState.OPEN], BatchState.OPEN, expires_at=authority.expires_at)
        if still:
            batches.keep_secrets(connection, [_stored(signed(one, web, now)) for one in sealed])
    if not still:
        batch_ends.send_back(teken, row.id)
    for permit, *_ in authority.documents[: len(sealed)]:
        teken.doorbell.ring("sign", permit)


def _stored(sealed: Sealed) -> dict[str, str]:
    keys = {"sender_key": encoded(sealed.sender_key), "ciphertext": encoded(sealed.ciphertext)}
    word = {"host_key": sealed.host_key, "sealed_at": sealed.sealed_at, "signature": sealed.signature}
    return {"batch": sealed.batch, "signer": sealed.signer, **keys, **word}


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


def check_unaltered(teken: Teken, row: Row[Any]) -> Sequence[Row[Any]]:
    """Return the batch's items, exactly those that the official opened: whoever can write to the database can't lengthen the list.

    Raises Conflict("batch_altered").
    """
    with teken.db.read() as connection:
        items = batches.items(connection, row.id)
    documents = [(item.permit, item.seen_sha) for item in items]
    try:
        text = _listed(row.id, row.official, documents)
        teken.notary.key.public_key().verify(decoded(row.vouch), text)
    except (ValueError, InvalidSignature):
        raise _Altered from None
    return items


def _listed(batch: str, official: str, documents: Sequence[tuple[str, str]]) -> bytes:
    return (_CONTEXT + dumps([batch, official, sorted(list(one) for one in documents)])).encode()
