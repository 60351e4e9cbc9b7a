"""The signing process's side of batches: make itself known, take what is sealed to it, prove a passphrase once, give the key.

`attend` runs before every claim, so that a pause, a stop or the end of a window counts from the next document on.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import ColumnElement, Row, false

from service import batch_codes, batch_ends, journal, signers
from service.custody import Custody
from service.handover import HandoverBroken, Sealed
from service.identity import decoded
from service.keys import Opened
from service.store import batches
from service.store.batch_tables import BatchState
from service.store.permits import Claim, fenced

if TYPE_CHECKING:
    from service.wiring import Teken

log = structlog.get_logger("teken.batch")
WRONG = frozenset({"passphrase_wrong", "pin_wrong", "totp_wrong"})
"""What was typed is wrong: nobody tries it again."""


def attend(teken: Teken) -> frozenset[str]:
    """Return the batches for which this process may sign now. Empty in every other process."""
    custody = teken.custody
    if custody is None:
        return frozenset()
    now = teken.clock.now()
    _announce(teken, custody, now)
    batch_codes.pass_on(teken)
    with teken.db.read() as connection:
        handed = {row.batch: row for row in batches.handed_to(connection, custody.id)}
        fresh = [batch for batch, row in handed.items() if not custody.has_seen(row.signature)]
        shown = [row for batch in fresh if (row := batches.handed(connection, batch, custody.id)) is not None]
    for batch in custody.batches(now) - handed.keys():
        custody.drop(batch)  # paused, stopped, refused, over or done: the row is gone, and so is the secret
    for row in shown:
        _take(teken, custody, row, now)
    for row in handed.values():
        if row.batch in custody.batches(now):
            _use(teken, custody, row)
    return custody.ready(now)


def claimable(teken: Teken) -> ColumnElement[bool]:
    """Say of a permit that this process may sign it now.

    Of a batch whose secret only a signature proves, one process alone signs the first document; the others wait for it.
    """
    ready, custody = attend(teken), teken.custody
    if custody is None:
        return batches.claimable(ready)
    return batches.claimable(ready, custody.unproven(teken.clock.now()), custody.id)


def mates(teken: Teken, permit: str) -> tuple[ColumnElement[bool], int]:
    """Return which permits may go out in one request with this one, and how many.

    None before its batch's secret is proven, unless that is good for one request only.
    """
    with teken.db.read() as connection:
        item = batches.ordered(connection, permit)
        row = batches.row(connection, item.batch) if item is not None else None
    custody, now = teken.custody, teken.clock.now()
    if row is None or custody is None:
        return false(), 0
    first = row.state == BatchState.PROVING and row.prover == custody.id and custody.once(row.id, now)
    if row.state != BatchState.RUNNING and not first:
        return false(), 0
    return batches.waits_for(row.id), custody.chunk(row.id, now) - 1


def proved(teken: Teken, batch: str) -> None:
    """A first signature showed that the secret is right: everybody may sign."""
    with teken.db.read() as connection:
        row = batches.row(connection, batch)
    if row is not None and teken.custody is not None and row.state == BatchState.PROVING:
        _run(teken, teken.custody, row)


def spent(teken: Teken, batch: str, cause: str) -> None:
    """A code that is good for one request was used: what is not signed waits in the tray for another one."""
    batch_ends.end_by_id(teken, batch, BatchState.PAUSED, cause)


def refused(teken: Teken, claim: Claim, batch: str, cause: str, state: BatchState = BatchState.REFUSED) -> Row[Any]:
    """Nothing was signed, and nothing of this batch will be: its documents are back in the tray, this one too, and wait.

    Both at once: of a batch that goes on, a document back in the tray counts as gone another way. Raises Lost.
    """
    with teken.db.write() as connection:
        moved = batch_ends.back(connection, teken, fenced(connection, claim), cause)
        row = batches.row(connection, batch)
        assert row is not None, "batches are never deleted"
        batch_ends.end_within(connection, teken, row, state, cause)
    batch_ends.send_back(teken, batch)
    return moved


def key_for(teken: Teken, row: Row[Any], official: str, certificate_sha256: str) -> tuple[str | None, Opened]:
    """Return the key for an ordered permit, with its batch: by the sealed list, or (None, development only) by the passphrase file.

    Raises WindowOver, NotOnSealedList, KeyMissing, KeyDiffers.
    """
    with teken.db.read() as connection:
        item = batches.ordered(connection, row.id)
    if item is None or teken.custody is None:
        return None, teken.keys.key(official, certificate_sha256)
    document = (row.id, row.ordered_sha, row.verify_url)
    return item.batch, teken.custody.key(item.batch, official, certificate_sha256, document, teken.clock.now())


def leave(teken: Teken) -> None:
    """End in good order: nothing more is sealed to this process."""
    if teken.custody is None:
        return
    teken.custody.close()
    with teken.db.write() as connection:
        signers.leave(connection, teken.custody.id)


def _announce(teken: Teken, custody: Custody, now: datetime) -> None:
    said = custody.announcement(now)
    if said is not None:
        with teken.db.write() as connection:
            signers.announce(connection, said)


def _take(teken: Teken, custody: Custody, row: Row[Any], now: datetime) -> None:
    """Open what is new. What no pinned web host sealed just now reaches no key; if nobody holds the batch then, it pauses."""
    sealed = Sealed(row.batch, row.signer, _decoded(row.sender_key), _decoded(row.ciphertext))
    try:
        custody.take(replace(sealed, host_key=row.host_key, sealed_at=row.sealed_at, signature=row.signature), now)
    except HandoverBroken:
        log.warning("handover_refused", batch=row.batch)
        if row.batch not in custody.batches(now):
            _refuse(teken, row)


def _decoded(text: str) -> bytes:
    """What is no base64 is nothing, which nobody signed."""
    try:
        return decoded(text)
    except ValueError:
        return b""


def _refuse(teken: Teken, row: Row[Any]) -> None:
    with teken.db.write() as connection:
        batches.refuse_secret(connection, row)
        held, batch = batches.holders(connection, row.batch), batches.row(connection, row.batch)
    if not held and batch is not None:
        batch_ends.end(teken, batch, BatchState.PAUSED, "handover_refused")


def _use(teken: Teken, custody: Custody, row: Row[Any]) -> None:
    """Prove the passphrase, or open the key once another has proved it."""
    if row.state == BatchState.RUNNING:
        _join(teken, custody, row)
    elif row.state == BatchState.OPEN or row.prover == custody.id:
        _prove(teken, custody, row.batch)


def _prove(teken: Teken, custody: Custody, batch: str) -> None:
    """One process, chosen by the row, tries the passphrase on the key, once; the others wait for what it finds.

    If the database is busy just then, the next look finds the row as it was, and the attempt as it ended.
    """
    with teken.db.write() as connection:
        mine = batches.become(connection, batch, [BatchState.OPEN], BatchState.PROVING, prover=custody.id)
        row = batches.row(connection, batch)
    assert row is not None, "batches are never deleted"
    if not mine and (row.state, row.prover) != (BatchState.PROVING, custody.id):
        return
    fault = custody.open(batch, teken.keys.open_with)
    if fault is None and batch in custody.unproven(teken.clock.now()):
        return  # a service has nothing to open: this process's first document proves what was typed (`claimable`, `proved`)
    if fault is None:
        _run(teken, custody, row)
    elif fault in WRONG:
        batch_ends.end(teken, row, BatchState.REFUSED, fault, proven_by=custody.id)
    else:
        _pass_on(teken, custody, row, fault)


def _run(teken: Teken, custody: Custody, row: Row[Any]) -> None:
    """The passphrase is right: everybody may sign. If the batch was taken away meanwhile, nobody does."""
    with teken.db.write() as connection:
        journal.hold(connection)
        mine = {"proven_by": custody.id}
        if batches.become(connection, row.id, [BatchState.PROVING], BatchState.RUNNING, **mine):
            batch_ends.tell(connection, teken, row, "proved", {})
            return
    custody.drop(row.id)


def _pass_on(teken: Teken, custody: Custody, row: Row[Any], fault: str) -> None:
    """This host can't open the key at all (no attempt was wrong): another may try, and if there is none the batch pauses."""
    with teken.db.write() as connection:
        batches.forget_secrets(connection, row.id, custody.id)
        others = batches.holders(connection, row.id)
        if others:
            batches.become(connection, row.id, [BatchState.PROVING], BatchState.OPEN, proven_by=custody.id)
    if not others:
        batch_ends.end(teken, row, BatchState.PAUSED, fault)


def _join(teken: Teken, custody: Custody, row: Row[Any]) -> None:
    """The passphrase was proved by another process; this one opens its own key. If it can't, or may not, it takes no part."""
    fault = custody.open(row.batch, teken.keys.open_with)
    if fault is not None:
        log.warning("batch_key_unusable", batch=row.batch, fault=fault)
    if fault is not None or (row.prover != custody.id and custody.alone(row.batch, teken.clock.now())):
        custody.drop(row.batch)
        with teken.db.write() as connection:
            batches.forget_secrets(connection, row.batch, custody.id)
