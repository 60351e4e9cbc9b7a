"""What goes to the signature: the bytes that the head ordered, and the number where it was allotted with his order (ADR 0032)."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, select

from service.canonical import digest
from service.checkpoint import Checkpoint, CheckpointInvalid, read
from service.document.page import field_values
from service.errors import TekenError
from service.pins import Bundle
from service.steps.number import registered
from service.store.tables import events
from signing import fill

if TYPE_CHECKING:
    from service.wiring import Teken


class NumberDiffers(TekenError):
    """The permit's number is not what the register gave it and the journal told with the head's order: nothing is signed."""

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


def ordered_number(row: Row[Any]) -> dict[str, Any]:
    """Return what the order tells the journal of a number that comes with it."""
    return {name: getattr(row, name) for name in ("number", "set_on", "valid_to")}


def _values(row: Row[Any], bundle: Bundle) -> dict[str, str]:
    return field_values(row.number, date.fromisoformat(row.set_on), date.fromisoformat(row.valid_to), bundle.labels)


def _check_number(connection: Connection, teken: Teken, row: Row[Any], bundle: Bundle) -> None:
    entry = registered(connection, row, bundle.permit_type)
    if entry is None or any(getattr(row, name) != value for name, value in entry.items()):
        raise NumberDiffers
    mine = (events.c.permit == row.id) & (events.c.type == "permit.sign_ordered")
    order = connection.execute(select(events).where(mine).order_by(events.c.seq.desc()).limit(1)).first()
    if order is None or not _is_noted(order, teken.notary.verifier):
        raise NumberDiffers
    told = json.loads(order.data)
    if any(told.get(name) != value for name, value in {"sha256": row.ordered_sha, **ordered_number(row)}.items()):
        raise NumberDiffers


def _is_noted(event: Row[Any], verifier: bytes) -> bool:
    """Tell whether the event is as it was told: its checkpoint is signed with a key that the database doesn't hold."""
    fields = {k: v for k, v in event._mapping.items() if k not in {"hash", "checkpoint"}}  # noqa: SLF001 - SQLAlchemy's public name
    try:
        return read(event.checkpoint, verifier) == Checkpoint(event.seq, digest(fields)) and event.hash == digest(
            fields
        )
    except CheckpointInvalid:
        return False
