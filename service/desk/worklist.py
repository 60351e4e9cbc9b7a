"""The work list: what waits for whom in an office, soonest due first; what is stuck; and where a case is found. Writes nothing.

Counts come from one indexed query. Details are read for the cases that are shown, not for all that wait.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Row, Text, and_, cast, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import JSONB

from service import flow
from service.deadlines import rows_due, totals_due
from service.desk import notes
from service.desk.sessions import Session
from service.permits import State
from service.sop.model import Act, By, Verb
from service.store.desk_tables import AT_DESK, STUCK
from service.store.tables import permits, revisions

if TYPE_CHECKING:
    from service.pins import Bundle
    from service.wiring import Teken

PAGE = 50
RETURNED, PARKED = "returned", "parked"
OVERSEERS = ("admin", "auditor")
MOST_FOUND = 50
_NEVER = "9"
_OVER = (State.CLOSED, State.REVOKED, State.REPLACED)


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a list."""

    id: str
    upstream_id: str
    number: str | None
    type: str
    name: str
    place: str
    state: str
    verb: Verb | None  # what is due, if a person does it
    role: str | None
    mine: bool  # the one who asks may do it
    due: datetime | None
    fault: str | None
    first: bool  # the aide asks to take it before others


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a list, and how many there are by act; `returned` and `parked` are counted beside the acts."""

    items: tuple[Item, ...]
    counts: dict[str, int]
    page: int
    pages: int

    @property
    def total(self) -> int:
        """How many wait, whatever the filter; stuck ones apart."""
        return sum(count for key, count in self.counts.items() if key not in {RETURNED, PARKED})


Group = tuple[str, int]
"""Pin and position: cases of one group wait for the same act."""


def count(teken: Teken, who: Session) -> int:
    """Return how many cases wait for the person's own act: one query."""
    with teken.db.read() as connection:
        return sum(
            number for act, number in _groups(teken, connection, who.account.office).values() if act.role in who.roles
        )


def listing(teken: Teken, who: Session, *, only: str = "", everybody: bool = False, page: int = 1) -> Listing:
    """Return a page of what waits for the person (`everybody`: for anybody of the office), overdue first.

    `only` is a verb, "returned" or "parked". What is stuck is shown to whoever acts in that procedure, and to overseers.
    """
    with teken.db.read() as connection:
        groups = _mine(_groups(teken, connection, who.account.office), who, everybody=everybody)
        stuck = _stuck(teken, connection, who)
        counts: Counter[str] = Counter()
        for act, number in groups.values():
            counts[str(act.verb)] += number
        counts |= Counter(_why(row) for row in stuck)
        if only in {RETURNED, PARKED}:
            rows = [row for row in stuck if _why(row) == only]
            due: dict[str, datetime | None] = {}
        else:
            rows, due = _sorted(
                teken, connection, who, [key for key, (act, _) in groups.items() if only in {"", act.verb}]
            )
        pages = max(1, -(-len(rows) // PAGE))
        page = min(max(page, 1), pages)
        shown = _items(teken, connection, who, rows[(page - 1) * PAGE : page * PAGE], due)
    return Listing(shown, dict(counts), page, pages)


def neighbours(teken: Teken, who: Session, permit: str, verb: str) -> tuple[str | None, str | None]:
    """Return the cases before and after this one among those that wait for the person's same act."""
    ids = queue_of(teken, who, verb)
    if permit not in ids:
        return None, (ids[0] if ids else None)
    at = ids.index(permit)
    return (ids[at - 1] if at else None), (ids[at + 1] if at + 1 < len(ids) else None)


def queue_of(teken: Teken, who: Session, verb: str) -> list[str]:
    """Return the ids of what waits for the person's act with this verb, in the list's order."""
    with teken.db.read() as connection:
        groups = _mine(_groups(teken, connection, who.account.office), who, everybody=False)
        rows, _ = _sorted(teken, connection, who, [key for key, (act, _) in groups.items() if act.verb == verb])
    return [row.id for row in rows]


def search(teken: Teken, who: Session, words: str) -> tuple[Item, ...]:
    """Return the office's newest permits whose number, upstream id or holder's name has the words in it, whatever their state."""
    wanted = " ".join(words.split())
    if not wanted:
        return ()
    with teken.db.read() as connection:
        pattern = f"%{wanted.translate(_ESCAPED)}%"
        name = _name_in(connection.dialect.name)
        newest = and_(revisions.c.permit == permits.c.id, revisions.c.revision == permits.c.revision)
        found = or_(*(one.ilike(pattern, escape="\\") for one in (permits.c.number, permits.c.upstream_id, name)))
        ids = select(permits.c.id).join(revisions, newest).where(permits.c.office == who.account.office, found)
        ids = ids.order_by(permits.c.created_at.desc(), permits.c.id).limit(MOST_FOUND)
        order = connection.execute(ids).scalars().all()
        rows = connection.execute(select(permits).where(permits.c.id.in_(order))).all()
        rows = sorted(rows, key=lambda row: order.index(row.id))
        waiting = [row for row in rows if row.queue == "person"]
        return _items(teken, connection, who, rows, _due(teken, connection, waiting))


_ESCAPED = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})


def _name_in(dialect: str) -> ColumnElement[str]:
    if dialect == "postgresql":
        return cast(cast(revisions.c.body, JSONB)[("applicant", "nama")].astext, Text)
    return func.json_extract(revisions.c.body, "$.applicant.nama")


def _groups(teken: Teken, connection: Connection, office: str) -> dict[Group, tuple[Act, int]]:
    query = select(permits.c.pin, permits.c.position, func.count()).where(permits.c.office == office, AT_DESK)
    counted = connection.execute(query.group_by(permits.c.pin, permits.c.position)).all()
    return {(pin, position): (_act(teken, pin, position), number) for pin, position, number in counted}


def _act(teken: Teken, pin: str, position: int) -> Act:
    act = flow.at(teken.pins.open(pin).permit_type.procedure, position)
    assert act is not None, "who waits for a person waits for an act"
    return act


def _mine(groups: dict[Group, tuple[Act, int]], who: Session, *, everybody: bool) -> dict[Group, tuple[Act, int]]:
    return {key: value for key, value in groups.items() if everybody or _concerns(value[0], who)}


def _concerns(act: Act, who: Session) -> bool:
    """The aide sees the head's tray, without the right to act in it."""
    return act.role in who.roles or (act.verb is Verb.SIGN and "ajudan" in who.account.duties)


def _stuck(teken: Teken, connection: Connection, who: Session) -> list[Row[Any]]:
    query = select(permits).where(permits.c.office == who.account.office, STUCK, permits.c.state.not_in(_OVER))
    rows = connection.execute(query.order_by(permits.c.updated_at, permits.c.id)).all()
    return [row for row in rows if who.is_one_of(*OVERSEERS) or _takes_part(teken.pins.open(row.pin), who)]


def _takes_part(bundle: Bundle, who: Session) -> bool:
    return any(act.by is By.PERSON and _concerns(act, who) for act in bundle.permit_type.procedure.plan)


def _why(row: Row[Any]) -> str:
    return RETURNED if row.state == State.RETURNED else PARKED


def _sorted(
    teken: Teken, connection: Connection, who: Session, groups: Sequence[Group]
) -> tuple[list[Row[Any]], dict[str, datetime | None]]:
    """Cases to be taken first, then by due time; where no time is set, the one that waits longest."""
    if not groups:
        return [], {}
    mine = tuple_(permits.c.pin, permits.c.position).in_(groups)
    rows = connection.execute(select(permits).where(permits.c.office == who.account.office, AT_DESK, mine)).all()
    due, first = _due(teken, connection, rows), notes.first(connection, who.account.office)

    def order(row: Row[Any]) -> tuple[bool, str, str, str]:
        at = due[row.id]
        return row.id not in first, at.isoformat() if at else _NEVER, row.created_at, row.id

    return sorted(rows, key=order), due


def _due(teken: Teken, connection: Connection, rows: Sequence[Row[Any]]) -> dict[str, datetime | None]:
    """The due row's own time, or the whole case's where the SOP sets none for the row."""
    cases = [(row, teken.pins.open(row.pin)) for row in rows]
    by_row = rows_due(connection, cases)
    rest = totals_due(connection, [(row, bundle) for row, bundle in cases if by_row[row.id] is None])
    found = by_row | rest
    return {permit: datetime.fromisoformat(at) if at else None for permit, at in found.items()}


def _items(
    teken: Teken, connection: Connection, who: Session, rows: Sequence[Row[Any]], due: dict[str, datetime | None]
) -> tuple[Item, ...]:
    bodies = _bodies(connection, rows)
    first = notes.first(connection, who.account.office) if rows else frozenset()
    return tuple(_item(teken, who, row, bodies[row.id], due.get(row.id), row.id in first) for row in rows)


def _item(teken: Teken, who: Session, row: Row[Any], case: dict[str, Any], due: datetime | None, first: bool) -> Item:
    permit_type = teken.pins.open(row.pin).permit_type
    act = flow.at(permit_type.procedure, row.position) if row.queue == "person" else None
    return Item(
        id=row.id,
        upstream_id=row.upstream_id,
        number=row.number,
        type=permit_type.name,
        name=case["applicant"]["nama"],
        place=case["practice"]["nama"],
        state=row.state,
        verb=act.verb if act else None,
        role=str(act.role) if act else None,
        mine=act is not None and act.role in who.roles,
        due=due,
        fault=row.fault,
        first=first,
    )


def _bodies(connection: Connection, rows: Iterable[Row[Any]]) -> dict[str, dict[str, Any]]:
    wanted = [(row.id, row.revision) for row in rows]
    query = select(revisions.c.permit, revisions.c.body)
    found = connection.execute(query.where(tuple_(revisions.c.permit, revisions.c.revision).in_(wanted))).all()
    return {permit: json.loads(body) for permit, body in found}
