"""The signing process's side of batches: make itself known, take what is sealed to it, prove a passphrase once, give the key.

`attend` runs before every claim, so that a pause, a stop or the end of a window counts from the next document on.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import Row

from service import batch_ends, journal, signers
from service.custody import Custody
from service.handover import HandoverBroken, Sealed
from service.identity import decoded
from service.store import batches
from service.store.batch_tables import BatchState
from signing import Backend

if TYPE_CHECKING:
    from service.wiring import Teken

log = structlog.get_logger("teken.batch")
WRONG = "passphrase_wrong"


def attend(teken: Teken) -> frozenset[str]:
    """Return the batches for which this process may sign now. Empty in every other process."""
    custody = teken.custody
    if custody is None:
        return frozenset()
    now = teken.clock.now()
    _announce(teken, custody, now)
    with teken.db.read() as connection:
        handed = {row.batch: row for row in batches.handed_to(connection, custody.id)}
    for batch in custody.batches(now) - handed.keys():
        custody.drop(batch)  # paused, stopped, refused, over or done: the row is gone, and so is the secret
    for row in handed.values():
        _take(teken, custody, row, now)
    return custody.ready(now)


def key_for(teken: Teken, row: Row[Any], official: str, certificate_sha256: str) -> Backend:
    """Return the key for an ordered permit: by its batch's sealed list, or (development only) by the passphrase file.

    Raises WindowOver, NotOnSealedList, KeyMissing, KeyDiffers.
    """
    with teken.db.read() as connection:
        item = batches.ordered(connection, row.id)
    if item is None or teken.custody is None:
        return teken.keys.key(official, certificate_sha256)
    document = (row.id, row.ordered_sha)
    return teken.custody.key(item.batch, official, certificate_sha256, document, teken.clock.now())


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
    """Open the ciphertext if it is new, then prove the passphrase, or open the key once another has proved it."""
    try:
        custody.take(Sealed(row.batch, row.signer, decoded(row.sender_key), decoded(row.ciphertext)), now)
    except (HandoverBroken, ValueError):
        log.warning("handover_broken", batch=row.batch)
    if row.batch not in custody.batches(now):
        return
    if row.state == BatchState.RUNNING:
        _join(teken, custody, row.batch)
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
    if fault is None:
        _run(teken, custody, row)
    elif fault == WRONG:
        batch_ends.end(teken, row, BatchState.REFUSED, WRONG, proven_by=custody.id)
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


def _join(teken: Teken, custody: Custody, batch: str) -> None:
    """The passphrase was proved by another process; this one opens its own key. If it can't, it takes no part."""
    fault = custody.open(batch, teken.keys.open_with)
    if fault is not None:
        log.warning("batch_key_unusable", batch=batch, fault=fault)
        with teken.db.write() as connection:
            batches.forget_secrets(connection, batch, custody.id)
