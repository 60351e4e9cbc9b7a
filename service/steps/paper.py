"""What goes to signature and seal: the bytes that were ordered or signed, and the number where it comes with them (ADR 0032).

What the permit's row says of it is believed only where the journal told the same, under a key that the database doesn't hold.
"""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, select

from service.archive import sha256
from service.canonical import digest
from service.checkpoint import Checkpoint, CheckpointInvalid, read
from service.document.page import field_values
from service.errors import TekenError
from service.pins import Bundle
from service.steps.number import registered
from service.store.tables import events, register, revisions
from signing import ProofFailed, fill

if TYPE_CHECKING:
    from service.wiring import Teken


class NumberDiffers(TekenError):
    """The permit's number or dates are not what the register gave it and the journal told: nothing is signed or sealed."""

    code = "number_differs"


def to_sign(teken: Teken, row: Row[Any], bundle: Bundle) -> bytes:
    """Return what a service signs: the ordered bytes, with what is to be filled in an update behind them.

    The same row gives the same bytes. Raises NumberDiffers, and signing's ValueUnfit.
    """
    return fill(teken.archive.get(row.ordered_sha), to_fill(teken, row, bundle))


def to_fill(teken: Teken, row: Row[Any], bundle: Bundle) -> dict[str, str]:
    """Return what the head's signature covers besides the ordered bytes; a key of ours fills it in the signature's own update.

    Number, date and end of validity are compared with the register and the order first, so that whoever can write to the
    permit's row gets nothing signed. Raises NumberDiffers.
    """
    if bundle.permit_type.procedure.number_at_sign:
        with teken.db.read() as connection:
            _check_number(connection, teken, row, bundle)
    return filled_before(row, bundle)


def filled_before(row: Row[Any], bundle: Bundle) -> dict[str, str]:
    """Return what is filled with the head's signature: number, date and end of validity if they were allotted with his order."""
    return _values(row, bundle) if bundle.permit_type.procedure.number_at_sign else {}


def filled_after(row: Row[Any], bundle: Bundle) -> dict[str, str]:
    """Return what the seal's update fills in: the same three where the number comes after the signature."""
    return _values(row, bundle) if bundle.permit_type.procedure.number_after else {}


def to_seal(teken: Teken, row: Row[Any], bundle: Bundle) -> tuple[bytes, dict[str, str]]:
    """Return what the seal is put on, the bytes that the head signed, and what is filled with it.

    Nobody reads either once more, so both are compared with the journal. Raises NumberDiffers, signing.ProofFailed, ArchiveDamaged.
    """
    with teken.db.read() as connection:
        signed = _told(connection, teken, row, "permit.signed")
        if row.head_sha is None or signed.get("signed_sha256") != row.head_sha:
            raise ProofFailed("proof_prefix", "not what the head signed")
        if bundle.permit_type.procedure.number_after:
            _check_register(connection, teken, row, bundle)
    return teken.archive.get(row.head_sha), filled_after(row, bundle)


def ordered_number(row: Row[Any]) -> dict[str, Any]:
    """Return what the order tells the journal of a number that comes with it."""
    return {name: getattr(row, name) for name in ("number", "set_on", "valid_to")}


def _values(row: Row[Any], bundle: Bundle) -> dict[str, str]:
    return field_values(row.number, date.fromisoformat(row.set_on), date.fromisoformat(row.valid_to), bundle.labels)


def _check_number(connection: Connection, teken: Teken, row: Row[Any], bundle: Bundle) -> None:
    entry = registered(connection, row, bundle.permit_type)
    if entry is None or any(getattr(row, name) != value for name, value in entry.items()):
        raise NumberDiffers
    told = _told(connection, teken, row, "permit.sign_ordered")
    if any(told.get(name) != value for name, value in {"sha256": row.ordered_sha, **ordered_number(row)}.items()):
        raise NumberDiffers


def _check_register(connection: Connection, teken: Teken, row: Row[Any], bundle: Bundle) -> None:
    """Number and set date by the register's entry, the end of validity by the case: each as the journal told its hash."""
    columns = registered(connection, row, bundle.permit_type)
    if columns is None or any(getattr(row, name) != value for name, value in columns.items()):
        raise NumberDiffers
    told = _told(connection, teken, row, "permit.numbered")
    named = (register.c.series == row.series) & (register.c.no == row.number_no)
    entries = connection.execute(select(register).where(named)).all()
    kept = next((one for one in entries if one.hash == told.get("register_hash") == _digest(one, "hash")), None)
    if kept is None or (kept.number, kept.day) != (row.number, row.set_on):
        raise NumberDiffers
    case = select(revisions.c.body).where(revisions.c.permit == row.id, revisions.c.revision == row.revision)
    content = sha256(connection.execute(case).scalar_one().encode())
    if _told(connection, teken, row, "case.accepted", "case.corrected").get("content_sha256") != content:
        raise NumberDiffers


def _told(connection: Connection, teken: Teken, row: Row[Any], *types: str) -> dict[str, Any]:
    """Return what the newest event of these types told of the permit; nothing if there is none, or it is not as it was told."""
    mine = (events.c.permit == row.id) & events.c.type.in_(types)
    event = connection.execute(select(events).where(mine).order_by(events.c.seq.desc()).limit(1)).first()
    if event is None or not _is_noted(event, teken.notary.verifier):
        return {}
    return dict(json.loads(event.data))


def _is_noted(event: Row[Any], verifier: bytes) -> bool:
    """Tell whether the event is as it was told: its checkpoint is signed with a key that the database doesn't hold."""
    found = _digest(event, "hash", "checkpoint")
    try:
        return read(event.checkpoint, verifier) == Checkpoint(event.seq, found) and event.hash == found
    except CheckpointInvalid:
        return False


def _digest(row: Row[Any], *without: str) -> str:
    return digest({k: v for k, v in row._mapping.items() if k not in without})  # noqa: SLF001 - SQLAlchemy's public name
