"""Acts of reading from the desk: verify, paraf, approve, give back. A form that is sent twice is one act."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from service import acts
from service.desk.access import content, own
from service.desk.sessions import Session
from service.errors import Conflict, Forbidden, StateForbids
from service.flow import READINGS
from service.permits import State
from service.sop.model import Verb
from service.store.tables import acts as table
from service.turn import Stood

if TYPE_CHECKING:
    from service.wiring import Teken


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was done, and to whose case. `verb` is "returned" for a case given back."""

    permit: str
    verb: str
    name: str
    upstream_id: str


def read(teken: Teken, who: Session, permit: str, verb: str, *, stood: Stood, seen_sha: str | None) -> None:
    """Do the reading that is due, on the paper that was seen.

    Raises Forbidden (no official), NotFound (another office's), RoleForbids, MandateExpired, StateForbids; Conflict("seen_differs")
    when the paper or the case is another one by now.
    """
    official = _official(teken, who, permit)
    if verb not in READINGS:
        raise StateForbids(state="")
    try:
        acts.read(teken, official, permit, Verb(verb), seen_sha=seen_sha, stood=stood)
    except StateForbids:
        if not _read_already(teken, official, permit, verb, stood):
            _check_place(teken, who, permit, stood)
            raise


def give_back(
    teken: Teken, who: Session, permit: str, *, stood: Stood, reason: str, seen_sha: str | None = None
) -> None:
    """Return the case to upstream with the reason; `seen_sha`: the final paper that was read. Raises as `read`, and ReasonRequired."""
    official = _official(teken, who, permit)
    if _returned_already(teken, who, permit, stood):
        return
    if seen_sha is not None:
        _check_paper(teken, who, permit, seen_sha)
    try:
        acts.give_back(teken, official, permit, reason=reason, stood=stood)
    except StateForbids:
        if not _returned_already(teken, who, permit, stood):
            _check_place(teken, who, permit, stood)
            raise


def receipt(teken: Teken, who: Session, permit: str, verb: str) -> Receipt | None:
    """Return what this person has just done to the case, None if it is not so: no link can claim it."""
    with teken.db.read() as connection:
        row = own(connection, who, permit)
        query = select(table.c.verb).where(table.c.permit == permit, table.c.official == who.account.official)
        last = connection.execute(query.order_by(table.c.id.desc()).limit(1)).scalar_one_or_none()
        returned = verb == row.state == State.RETURNED
        if who.account.official is None or not (returned or last == verb):
            return None
        case = content(connection, row, teken.pins.open(row.pin))
    return Receipt(permit, verb, str(case.get("applicant.nama")), row.upstream_id)


def _official(teken: Teken, who: Session, permit: str) -> str:
    with teken.db.read() as connection:
        own(connection, who, permit)
    if who.account.official is None:
        raise Forbidden
    return who.account.official


def _read_already(teken: Teken, official: str, permit: str, verb: str, stood: Stood) -> bool:
    revision, position = stood
    mine = (table.c.permit == permit) & (table.c.official == official) & (table.c.verb == verb)
    here = (table.c.revision == revision) & (table.c.position == position) & table.c.voided_at.is_(None)
    with teken.db.read() as connection:
        return connection.execute(select(table.c.id).where(mine, here)).first() is not None


def _check_place(teken: Teken, who: Session, permit: str, stood: Stood) -> None:
    """Raises Conflict("seen_differs") when the case was corrected or moved on since the form was made."""
    with teken.db.read() as connection:
        row = own(connection, who, permit)
    if (row.revision, row.position) != stood:
        raise Conflict("seen_differs")


def _check_paper(teken: Teken, who: Session, permit: str, seen_sha: str) -> None:
    with teken.db.read() as connection:
        if own(connection, who, permit).final_sha != seen_sha:
            raise Conflict("seen_differs")


def _returned_already(teken: Teken, who: Session, permit: str, stood: Stood) -> bool:
    with teken.db.read() as connection:
        row = own(connection, who, permit)
    return row.state == State.RETURNED and (row.revision, row.position) == stood
