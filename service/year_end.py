"""Numbered and unsigned at new year: listed, and kept or voided by the office's recorded policy (§4.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, select, update

from service import flow, moves, register
from service.clock import stamp
from service.people import local_day
from service.permits import RELEASED, State
from service.pins import Bundle
from service.sop.model import Verb
from service.steps.number import carried_on
from service.store.permits import lock
from service.store.tables import acts, permits

if TYPE_CHECKING:
    from service.wiring import Teken

_NUMBERED = frozenset({State.NUMBERED, State.SIGNING})
UNNUMBERED = dict.fromkeys(
    ("series", "number_no", "number", "set_on", "valid_from", "valid_to", "final_sha", "ordered_sha")
)


def left_over(teken: Teken, office: str) -> list[dict[str, Any]]:
    """List permits that were numbered in an earlier year and are not signed."""
    year = str(local_day(teken.offices.office(office), teken.clock.now()).year)
    with teken.db.read() as connection:
        query = select(permits).where(
            permits.c.office == office, permits.c.number.is_not(None), permits.c.head_sha.is_(None)
        )
        rows = connection.execute(query.where(permits.c.state != State.CLOSED).order_by(permits.c.number_no)).all()
        carrying = {row.id for row in rows if carried_on(connection, row) is not None}  # not theirs to keep or void
    return [
        {"id": row.id, "number": row.number, "set_on": row.set_on, "state": row.state}
        for row in rows
        if row.set_on[:4] < year and row.id not in carrying
    ]


def settle_year(teken: Teken, office: str) -> list[dict[str, Any]]:
    """Apply the office's policy to each: `keep` records that old number and date stay, `void` voids the number and numbers anew."""
    policy = teken.offices.office(office).year_end
    settled = []
    for listed in left_over(teken, office):
        bundle = moves.pinned(teken, listed["id"])
        with teken.db.write() as connection:
            row = lock(connection, listed["id"])
            if (
                row is None
                or row.number is None
                or row.head_sha is not None
                or row.state in RELEASED
                or row.pin != bundle.pin
            ):
                continue  # signed, or corrected, since it was listed
            settled.append(
                _kept(connection, teken, row) if policy == "keep" else _voided(connection, teken, row, bundle)
            )
    return settled


def _kept(connection: Connection, teken: Teken, row: Row[Any]) -> dict[str, Any]:
    moves.tell(connection, teken, row, "permit.number_kept", {"number": row.number, "set_on": row.set_on})
    return {"id": row.id, "number": row.number, "kept": True}


def _voided(connection: Connection, teken: Teken, row: Row[Any], bundle: Bundle) -> dict[str, Any]:
    now = teken.clock.now()
    voided = register.void(connection, permit=row.id, by="system", reason="year_end", at=now)
    assert voided is not None, "a numbered permit has an entry"
    mine = (acts.c.permit == row.id) & (acts.c.verb == str(Verb.NUMBER)) & acts.c.voided_at.is_(None)
    connection.execute(update(acts).where(mine).values(voided_at=stamp(now)))
    moved = moves.settle(connection, row, bundle.permit_type.procedure, now, **UNNUMBERED, **_back(row, bundle))
    told = {"voided": voided.number, "series": voided.series, "register_hash": voided.entry_hash, "reason": "year_end"}
    moves.tell(connection, teken, moved, "permit.number_voided", told)
    return {"id": row.id, "number": voided.number, "kept": False}


def _back(row: Row[Any], bundle: Bundle) -> dict[str, Any]:
    """Return the state and place at which it is numbered anew: before the number, or before the order that brings it."""
    procedure = bundle.permit_type.procedure
    back = {"position": flow.position_of(procedure, Verb.SIGN if procedure.number_at_sign else Verb.NUMBER)}
    if row.state in _NUMBERED:
        return {**back, "state": State.IN_PARAF}
    if row.parked_from in _NUMBERED:
        return {**back, "parked_from": State.IN_PARAF}
    return {}
