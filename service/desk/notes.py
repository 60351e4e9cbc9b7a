"""What the head's aide notes on a case: a short word for the head, and which cases to take first. A note is no act."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection, insert, select, update

from service.clock import stamp
from service.desk import book
from service.desk.accounts import Account
from service.errors import Fault, Forbidden, Invalid, NotFound
from service.store.desk_tables import PUT_FIRST, accounts, case_notes
from service.store.tables import permits

if TYPE_CHECKING:
    from service.wiring import Teken

AIDE = "ajudan"
LONGEST = 280


@dataclass(frozen=True, slots=True)
class Note:
    """One note, with who wrote it. `first`: take this case before others."""

    id: int
    permit: str
    account: str
    by: str
    text: str
    first: bool
    at: str


def write(teken: Teken, who: Account, permit: str, text: str, *, first: bool) -> None:
    """Put a note on a case of the aide's own office.

    Raises Forbidden (no aide), NotFound, Invalid (empty or too long).
    """
    if AIDE not in who.duties:
        raise Forbidden
    said = " ".join(text.split())
    if not said and not first:
        raise Invalid(faults=(Fault("/text", "required"),))
    if len(said) > LONGEST:
        raise Invalid(faults=(Fault("/text", "too_long", {"limit": str(LONGEST)}),))
    with teken.db.write() as connection:
        mine = (permits.c.id == permit) & (permits.c.office == who.office)
        if connection.execute(select(permits.c.id).where(mine)).first() is None:
            raise NotFound("permit_unknown")
        row = {"permit": permit, "account": who.id, "text": said, "first": int(first), "at": stamp(teken.clock.now())}
        connection.execute(insert(case_notes).values(**row))
        book.note(teken, office=who.office, account=who.id, action="note.written", permit=permit, connection=connection)


def withdraw(teken: Teken, who: Account, permit: str, note: int) -> None:
    """Take one's own note back. Raises NotFound."""
    mine = (case_notes.c.id == note) & (case_notes.c.permit == permit) & (case_notes.c.account == who.id)
    with teken.db.write() as connection:
        gone = update(case_notes).where(mine, case_notes.c.withdrawn_at.is_(None)).returning(case_notes.c.id)
        if connection.execute(gone.values(withdrawn_at=stamp(teken.clock.now()))).first() is None:
            raise NotFound
        book.note(
            teken, office=who.office, account=who.id, action="note.withdrawn", permit=permit, connection=connection
        )


def of(connection: Connection, wanted: Collection[str]) -> dict[str, list[Note]]:
    """Return the notes of cases, oldest first."""
    query = select(case_notes, accounts.c.name).join(accounts, accounts.c.id == case_notes.c.account)
    mine = case_notes.c.permit.in_(wanted) & case_notes.c.withdrawn_at.is_(None)
    found: dict[str, list[Note]] = defaultdict(list)
    for row in connection.execute(query.where(mine).order_by(case_notes.c.id)).all():
        note = Note(row.id, row.permit, row.account, row.name, row.text, bool(row.first), row.at)
        found[row.permit].append(note)
    return found


def first(connection: Connection, office: str) -> frozenset[str]:
    """Return the office's cases that an aide asks to take first."""
    query = select(case_notes.c.permit).join(permits, permits.c.id == case_notes.c.permit)
    query = query.where(permits.c.office == office, PUT_FIRST)
    return frozenset(connection.execute(query).scalars())
