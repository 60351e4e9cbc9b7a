"""The work list: what waits for whom in an office, soonest due first; what is stuck; and where a case is found. Writes nothing.

Counts come from one indexed query. Details are read for the cases that are shown, not for all that wait.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, and_, func, or_, select, tuple_

from service import flow
from service.deadlines import dues, since, soonest
from service.desk import notes
from service.desk.access import signing_today
from service.desk.sessions import Session
from service.permits import State
from service.sop.model import Act, By, Verb
from service.store import names
from service.store.desk_tables import AT_DESK, STUCK
from service.store.tables import permits, revisions

if TYPE_CHECKING:
    from service.pins import Bundle
    from service.wiring import Teken

PAGE = 50
RETURNED, PARKED = "returned", "parked"
OVERSEERS = ("admin", "auditor")
MOST_FOUND = 50
MOST_OPENED = 2000
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
        signing = signing_today(connection, teken, who)
        return sum(
            number
            for act, number in _groups(teken, connection, who.account.office).values()
            if _is_his(act, who, signing)
        )


def listing(teken: Teken, who: Session, *, only: str = "", everybody: bool = False, page: int = 1) -> Listing:
    """Return a page of what waits for the person (`everybody`: for anybody of the office), overdue first.

    `only` is a verb, "returned" or "parked". What is stuck is shown to whoever acts in that procedure, and to overseers.
    """
    with teken.db.read() as connection:
        groups = _mine(teken, connection, who, everybody=everybody)
        stuck = _stuck(teken, connection, who)
        counts: Counter[str] = Counter()
        for act, number in groups.values():
            counts[str(act.verb)] += number
        counts |= Counter(_why(row) for row in stuck)
        stuck = [row for row in stuck if _why(row) == only]
        chosen = [key for key, (act, _) in groups.items() if only in {"", act.verb}]
        pages = max(1, -(-(len(stuck) or sum(groups[key][1] for key in chosen)) // PAGE))
        page = min(max(page, 1), pages)
        start, end = (page - 1) * PAGE, page * PAGE
        if only in {RETURNED, PARKED}:
            shown = _items(teken, connection, who, stuck[start:end], {})
        else:
            due = dict(itertools.islice(_waiting(teken, connection, who, chosen), start, end))
            shown = _items(teken, connection, who, _rows(connection, list(due)), due)
    return Listing(shown, dict(counts), page, pages)


def neighbours(teken: Teken, who: Session, permit: str, verb: str) -> tuple[str | None, str | None]:
    """Return the cases before and after this one among those that wait for the person's same act."""
    with teken.db.read() as connection:
        ids = _queue(teken, connection, who, verb)
        soonest_one = before = None
        for one in ids:
            if one == permit:
                return before, next(ids, None)
            soonest_one, before = soonest_one or one, one
    return None, soonest_one


def queue_of(teken: Teken, who: Session, verb: str) -> list[str]:
    """Return the ids of what waits for the person's act with this verb, in the list's order."""
    with teken.db.read() as connection:
        return list(_queue(teken, connection, who, verb))


def search(teken: Teken, who: Session, words: str) -> tuple[Item, ...]:
    """Return the office's newest permits with the words in number or upstream id, or each beginning a word of the holder's name."""
    wanted = " ".join(words.split())
    if not wanted:
        return ()
    with teken.db.read() as connection:
        order = _by_text(connection, who.account.office, wanted) | _by_name(connection, who.account.office, wanted)
        newest = sorted(sorted(order), key=order.__getitem__, reverse=True)[:MOST_FOUND]
        rows = _rows(connection, newest)
        waiting = [(row, teken.pins.open(row.pin)) for row in rows if row.queue == "person"]
        return _items(teken, connection, who, rows, dues(connection, waiting))


_ESCAPED = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})


def _by_text(connection: Connection, office: str, wanted: str) -> dict[str, str]:
    """Return the newest permits, and when they came, whose number or upstream id has the text in it."""
    pattern = f"%{wanted.translate(_ESCAPED)}%"
    found = or_(*(one.ilike(pattern, escape="\\") for one in (permits.c.number, permits.c.upstream_id)))
    query = select(permits.c.id, permits.c.created_at).where(permits.c.office == office, found)
    rows = connection.execute(query.order_by(permits.c.created_at.desc(), permits.c.id).limit(MOST_FOUND)).all()
    return {row.id: row.created_at for row in rows}


def _by_name(connection: Connection, office: str, wanted: str) -> dict[str, str]:
    """The same for holders' names: those that may be meant are opened, newest first, until there are enough."""
    meant = names.candidates(connection, office, wanted)
    if meant is None:
        return {}
    newest = and_(revisions.c.permit == permits.c.id, revisions.c.revision == permits.c.revision)
    query = select(permits.c.id, permits.c.created_at, revisions.c.body).join(revisions, newest)
    query = query.where(permits.c.office == office, permits.c.id.in_(meant))
    rows = connection.execute(query.order_by(permits.c.created_at.desc(), permits.c.id).limit(MOST_OPENED))
    found = (row for row in rows if names.holds(json.loads(row.body)["applicant"]["nama"], wanted))
    return {row.id: row.created_at for row in itertools.islice(found, MOST_FOUND)}


def _groups(teken: Teken, connection: Connection, office: str) -> dict[Group, tuple[Act, int]]:
    query = select(permits.c.pin, permits.c.position, func.count()).where(permits.c.office == office, AT_DESK)
    counted = connection.execute(query.group_by(permits.c.pin, permits.c.position)).all()
    return {(pin, position): (_act(teken, pin, position), number) for pin, position, number in counted}


def _act(teken: Teken, pin: str, position: int) -> Act:
    act = flow.at(teken.pins.open(pin).permit_type.procedure, position)
    assert act is not None, "who waits for a person waits for an act"
    return act


def _mine(teken: Teken, connection: Connection, who: Session, *, everybody: bool) -> dict[Group, tuple[Act, int]]:
    groups = _groups(teken, connection, who.account.office)
    signing = signing_today(connection, teken, who)
    return {
        key: (act, number)
        for key, (act, number) in groups.items()
        if everybody or _is_his(act, who, signing) or _helps(act, who)
    }


def _is_his(act: Act, who: Session, signing: frozenset[str]) -> bool:
    """Whoever holds the role may act in it, but a signature is given by the nearest mandate alone."""
    return str(act.role) in (signing if act.verb is Verb.SIGN else who.roles)


def _helps(act: Act, who: Session) -> bool:
    """The aide sees the head's tray, without the right to act in it."""
    return act.verb is Verb.SIGN and "ajudan" in who.account.duties


def _stuck(teken: Teken, connection: Connection, who: Session) -> list[Row[Any]]:
    query = select(permits).where(permits.c.office == who.account.office, STUCK, permits.c.state.not_in(_OVER))
    rows = connection.execute(query.order_by(permits.c.updated_at, permits.c.id)).all()
    return [row for row in rows if who.is_one_of(*OVERSEERS) or _takes_part(teken.pins.open(row.pin), who)]


def _takes_part(bundle: Bundle, who: Session) -> bool:
    acts = [act for act in bundle.permit_type.procedure.plan if act.by is By.PERSON]
    return any(act.role in who.roles or _helps(act, who) for act in acts)


def _why(row: Row[Any]) -> str:
    return RETURNED if row.state == State.RETURNED else PARKED


def _queue(teken: Teken, connection: Connection, who: Session, verb: str) -> Iterator[str]:
    groups = _mine(teken, connection, who, everybody=False)
    wanted = [key for key, (act, _) in groups.items() if act.verb == verb]
    return (permit for permit, _ in _waiting(teken, connection, who, wanted))


def _waiting(
    teken: Teken, connection: Connection, who: Session, groups: Sequence[Group]
) -> Iterator[tuple[str, str | None]]:
    """Yield the cases of these groups and until when they are due, in the list's order."""
    if not groups:
        return iter(())
    one = (permits.c.id, permits.c.pin, permits.c.position, permits.c.revision, permits.c.complete_at)
    mine = tuple_(permits.c.pin, permits.c.position).in_(groups)
    query = select(*one, permits.c.created_at, since()).where(permits.c.office == who.account.office, AT_DESK, mine)
    cases = [(row, teken.pins.open(row.pin)) for row in connection.execute(query).all()]
    return soonest(connection, cases, notes.first(connection, who.account.office))


def _rows(connection: Connection, ids: Sequence[str]) -> list[Row[Any]]:
    """Return these permits in this order."""
    found = {row.id: row for row in connection.execute(select(permits).where(permits.c.id.in_(ids)))}
    return [found[permit] for permit in ids]


def _items(
    teken: Teken, connection: Connection, who: Session, rows: Sequence[Row[Any]], due: Mapping[str, str | None]
) -> tuple[Item, ...]:
    bodies = _bodies(connection, rows)
    first = notes.first(connection, who.account.office) if rows else frozenset()
    signing = signing_today(connection, teken, who)
    waits = {row.id: _act(teken, row.pin, row.position) for row in rows if row.queue == "person"}
    mine = {permit for permit, act in waits.items() if _is_his(act, who, signing)}
    return tuple(
        _item(
            teken, row, bodies[row.id], waits.get(row.id), due.get(row.id), mine=row.id in mine, first=row.id in first
        )
        for row in rows
    )


def _item(
    teken: Teken, row: Row[Any], case: dict[str, Any], act: Act | None, due: str | None, *, mine: bool, first: bool
) -> Item:
    return Item(
        id=row.id,
        upstream_id=row.upstream_id,
        number=row.number,
        type=teken.pins.open(row.pin).permit_type.name,
        name=case["applicant"]["nama"],
        place=case["practice"]["nama"],
        state=row.state,
        verb=act.verb if act else None,
        role=str(act.role) if act else None,
        mine=mine,
        due=datetime.fromisoformat(due) if due else None,
        fault=row.fault,
        first=first,
    )


def _bodies(connection: Connection, rows: Iterable[Row[Any]]) -> dict[str, dict[str, Any]]:
    wanted = [(row.id, row.revision) for row in rows]
    query = select(revisions.c.permit, revisions.c.body)
    found = connection.execute(query.where(tuple_(revisions.c.permit, revisions.c.revision).in_(wanted))).all()
    return {permit: json.loads(body) for permit, body in found}
