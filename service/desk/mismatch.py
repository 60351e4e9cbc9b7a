"""What citizens report: a paper and the register that do not match. Taken from anybody, read and ended at the office's desk.

Whoever reports learns a reference number and nothing of the code that he named. What he wrote is erased after 90 days.
"""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, func, insert, select, update

from service.canonical import dumps
from service.clock import instant, stamp
from service.codes import CODE_LENGTH, crockford, normalised
from service.desk import book
from service.errors import Conflict, Fault, Invalid, NotFound
from service.journal import Entry, append
from service.store.desk_tables import accounts
from service.store.released import has_code
from service.store.report_tables import OPEN, Progress, reports
from service.store.tables import permits

if TYPE_CHECKING:
    from service.desk.sessions import Session
    from service.wiring import Teken

DIFFERS = ("name", "number", "profession", "place", "validity", "looks", "unregistered", "other")
LONGEST_TEXT, LONGEST_CONTACT, LONGEST_NOTE = 500, 120, 280
KEPT = timedelta(days=90)
ENDED = "mismatch.ended"
PAGE = 50
_LENGTH = 8
_NOBODY = "0" * CODE_LENGTH


class MismatchEnded(Conflict):
    """Somebody has ended this report already."""

    code = "mismatch_ended"


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody sends: everything as it was typed."""

    code: str = field(repr=False)
    differs: tuple[str, ...]
    text: str = field(repr=False)
    contact: str = field(repr=False)
    office: str


@dataclass(frozen=True, slots=True)
class Report:
    """One report, for the desk. `text` and `contact` are None once they are erased, or were never given."""

    id: str
    permit: str | None
    number: str | None
    code: str | None
    differs: tuple[str, ...]
    text: str | None = field(repr=False)
    contact: str | None = field(repr=False)
    at: str
    state: Progress
    note: str | None
    by: str | None
    ended_at: str | None
    erased: bool
    erased_on: str
    """The day on which it is erased, or was."""

    @property
    def is_open(self) -> bool:
        """Tell whether it still waits for somebody."""
        return self.state in OPEN


def send(teken: Teken, told: Told) -> str:
    """Keep a report and return its reference number: the same work and the same answer whatever the code is.

    It goes to the office of the released permit with this code, otherwise to the office that was named.
    Raises Invalid.
    """
    text, contact = tidy(told.text), tidy(told.contact)
    faults = [*_too_long("/text", text, LONGEST_TEXT), *_too_long("/contact", contact, LONGEST_CONTACT)]
    differs = [one for one in DIFFERS if one in told.differs]
    faults += [] if differs else [Fault("/differs", "required")]
    faults += [] if told.office in teken.offices.offices else [Fault("/office", "required")]
    if faults:
        raise Invalid(faults=tuple(faults))
    code, reference = normalised(told.code), reference_number()
    with teken.db.write() as connection:
        found = _released(connection, code or _NOBODY)
        row = {
            "id": reference,
            "office": found.office if found else told.office,
            "permit": found.id if found else None,
            "code": code,
            "differs": dumps(differs),
            "text": text or None,
            "contact": contact or None,
            "at": stamp(teken.clock.now()),
            "state": Progress.NEW,
        }
        connection.execute(insert(reports).values(**row))
    return reference


def reference_number() -> str:
    """Return a number for a citizen to quote."""
    return crockford(_LENGTH)


def reference(text: str) -> str | None:
    """Return a reference number as it is shown, None for what can be none."""
    code = text.upper()
    sound = len(code) == _LENGTH and code.isascii() and code.isalnum()
    return f"{code[:4]}-{code[4:]}" if sound else None


def tidy(text: str) -> str:
    """Return text without what nobody can see; line breaks stay."""
    lines = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    seen = ("".join(c for c in line if unicodedata.category(c)[0] != "C" or c == "\t") for line in lines)
    return "\n".join(" ".join(line.split()) for line in seen).strip()


def listed(teken: Teken, who: Session, *, ended: bool, page: int = 1) -> tuple[list[Report], bool]:
    """Return a page of the office's reports, and whether there are more: open ones longest waiting first, ended ones newest first."""
    query = _mine(who).where(reports.c.state.not_in(OPEN) if ended else reports.c.state.in_(OPEN))
    order = reports.c.at.desc() if ended else reports.c.at
    query = query.order_by(order, reports.c.id).limit(PAGE + 1).offset((max(page, 1) - 1) * PAGE)
    with teken.db.read() as connection:
        found = [_report(row) for row in connection.execute(query)]
    return found[:PAGE], len(found) > PAGE


def waiting(teken: Teken, who: Session) -> int:
    """Return how many of the office's reports nobody has opened yet."""
    new = (reports.c.office == who.account.office) & (reports.c.state == Progress.NEW)
    with teken.db.read() as connection:
        return int(connection.execute(select(func.count()).select_from(reports).where(new)).scalar_one())


def opened(teken: Teken, who: Session, report: str, *, handles: bool) -> Report:
    """Return a report of the person's own office; it is new no more once somebody who `handles` reports has it open.

    Raises NotFound.
    """
    with teken.db.write() as connection:
        found = _found(connection, who, report)
        if handles and found.state is Progress.NEW:
            connection.execute(update(reports).where(reports.c.id == report).values(state=Progress.SEEN))
            book.note(teken, **_by(who, "mismatch.opened", found), connection=connection, report=report)
    return found


def end(teken: Teken, who: Session, report: str, *, answered: bool, note: str) -> None:
    """End a report with a short note, once. Raises NotFound, Invalid, MismatchEnded."""
    said = " ".join(tidy(note).split())
    faults = _too_long("/note", said, LONGEST_NOTE) if said else [Fault("/note", "required")]
    if faults:
        raise Invalid(faults=tuple(faults))
    state, now = Progress.ANSWERED if answered else Progress.CLOSED, teken.clock.now()
    with teken.db.write() as connection:
        found = _found(connection, who, report)
        values = {"state": state, "note": said, "by": who.account.id, "ended_at": stamp(now)}
        mine = update(reports).where(reports.c.id == report, reports.c.state.in_(OPEN)).returning(reports.c.id)
        if connection.execute(mine.values(**values)).first() is None:
            raise MismatchEnded
        book.note(teken, **_by(who, ENDED, found), connection=connection, report=report)
        data = {"report": report, "state": state, "by": who.account.id, "permit": found.permit}
        append(connection, teken.notary, now, Entry(ENDED, who.account.office, None, None, data))


def forget(teken: Teken) -> int:
    """Erase what people wrote more than 90 days ago, with the means to reach them; return how many. That they wrote stays."""
    now = teken.clock.now()
    old = (reports.c.erased_at.is_(None)) & (reports.c.at <= stamp(now - KEPT))
    with teken.db.write() as connection:
        gone = update(reports).where(old).values(text=None, contact=None, erased_at=stamp(now))
        return len(connection.execute(gone.returning(reports.c.id)).all())


def _released(connection: Connection, code: str) -> Row[Any] | None:
    return connection.execute(select(permits).where(has_code(code))).first()


def _mine(who: Session) -> Any:
    query = select(reports, permits.c.number, accounts.c.name.label("by_name"))
    query = query.join(permits, permits.c.id == reports.c.permit, isouter=True)
    return query.join(accounts, accounts.c.id == reports.c.by, isouter=True).where(
        reports.c.office == who.account.office
    )


def _found(connection: Connection, who: Session, report: str) -> Report:
    row = connection.execute(_mine(who).where(reports.c.id == report)).first()
    if row is None:
        raise NotFound
    return _report(row)


def _report(row: Row[Any]) -> Report:
    return Report(
        id=row.id,
        permit=row.permit,
        number=row.number,
        code=row.code,
        differs=tuple(json.loads(row.differs)),
        text=row.text,
        contact=row.contact,
        at=row.at,
        state=Progress(row.state),
        note=row.note,
        by=row.by_name,
        ended_at=row.ended_at,
        erased=row.erased_at is not None,
        erased_on=row.erased_at or stamp(instant(row.at) + KEPT),
    )


def _by(who: Session, action: str, found: Report) -> dict[str, Any]:
    return {"office": who.account.office, "account": who.account.id, "action": action, "permit": found.permit}


def _too_long(pointer: str, text: str, most: int) -> list[Fault]:
    return [Fault(pointer, "too_long", {"limit": str(most)})] if len(text) > most else []
