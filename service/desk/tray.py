"""The head's tray: what waits for a signature, what he has opened of it (these very bytes), and what he set aside.

What was opened or set aside stands in the desk's log, bound to the paper's hash: a paper that changed is unread again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, or_, select

from service import flow, resend, signatories
from service.deadlines import rows_due, totals_due
from service.desk import book, notes
from service.desk.notes import Note
from service.document.preview import page_count
from service.errors import Conflict, NotFound, TekenError
from service.people import signatory
from service.permits import State
from service.signatories import Outdated
from service.sop.model import Verb
from service.store import dispatches
from service.store.desk_tables import desk_log
from service.store.tables import acts as done
from service.store.tables import officials, permits, revisions

if TYPE_CHECKING:
    from service.desk.sessions import Session
    from service.pins import Bundle
    from service.wiring import Teken

OPENED, SKIPPED, TAKEN = "tray.opened", "tray.skipped", "tray.taken"
FIRST_VIEW, PAGE = 40, 50
"""Papers that the first view shows of all types together, and that a page of one type shows."""
_BEFORE_SIGNATURE = (State.RECEIVED, State.DRAFTED, State.IN_PARAF, State.NUMBERED, State.SIGNING, State.PARKED)


@dataclass(frozen=True, slots=True)
class Paper:
    """One paper that is due for signature. `hindrance`: why this person can't sign it now; None if he can."""

    row: Row[Any]
    bundle: Bundle
    opened: bool
    changed: bool  # he opened an earlier paper of this permit
    skipped: bool
    hindrance: str | None

    @property
    def permit(self) -> str:
        return str(self.row.id)

    @property
    def sha(self) -> str:
        return str(self.row.final_sha or "")

    @property
    def waits(self) -> bool:
        """It lies in the tray: nobody has ordered it, and it is not parked."""
        return self.row.queue == "person" and bool(self.row.final_sha)


@dataclass(frozen=True, slots=True)
class Item:
    """What a list tells of a paper."""

    paper: Paper
    holder: str
    place: str
    due: str | None
    parafs: tuple[tuple[str, str], ...]  # initials, name
    notes: tuple[Note, ...]  # the aide's

    @property
    def first(self) -> bool:
        """The aide asks to take it before others."""
        return any(one.first for one in self.notes)


@dataclass(frozen=True, slots=True)
class Group:
    """The papers of one permit type."""

    type: str
    title: str
    papers: tuple[Paper, ...]
    items: tuple[Item, ...]

    @property
    def opened(self) -> int:
        return sum(one.opened for one in self.papers)


@dataclass(frozen=True, slots=True)
class Tray:
    """All that waits, by type."""

    groups: tuple[Group, ...]
    papers: tuple[Paper, ...] = field(repr=False)
    page: int = 1
    pages: int = 1

    def count(self, name: str) -> int:
        """Return how many papers are `opened`, `skipped` or `stale`, or may be signed: `ready` (opened) and `all`."""
        return sum(_COUNTED[name](one) for one in self.papers)


_COUNTED: dict[str, Callable[[Paper], bool]] = {
    "opened": lambda one: one.opened,
    "skipped": lambda one: one.skipped,
    "stale": lambda one: one.hindrance == "signatory_changed",
    "ready": lambda one: one.opened and not one.skipped,
    "all": lambda one: not one.skipped,
}


def signing_roles(teken: Teken, session: Session) -> frozenset[str]:
    """Return the roles whose tray this person sees: those of his that sign; an aide sees all of his office's."""
    roles = teken.offices.office(session.account.office).roles
    signing = {str(code) for code, role in roles.items() if role.signs}
    return frozenset(signing if "ajudan" in session.account.duties else signing & set(session.roles))


def tray(teken: Teken, session: Session, only_type: str | None = None, page: int = 1) -> Tray:
    """Return what waits for this person's signature, the oldest case of each type first."""
    with teken.db.read() as connection:
        waiting = [one for one in papers(connection, teken, session) if one.waits]
        by_type: dict[str, list[Paper]] = {}
        for paper in waiting:
            by_type.setdefault(str(paper.row.type), []).append(paper)
        if only_type is not None:
            mine = by_type.get(only_type, [])
            pages = max(1, -(-len(mine) // PAGE))
            page = min(max(page, 1), pages)
            shown = {only_type: mine[(page - 1) * PAGE : page * PAGE]}
            groups = _groups(connection, {only_type: mine} if mine else {}, shown)
            return Tray(groups, tuple(mine), page, pages)
        return Tray(_groups(connection, by_type, _first(by_type)), tuple(waiting))


def papers(connection: Connection, teken: Teken, session: Session, ids: Collection[str] | None = None) -> list[Paper]:
    """Return the papers of the office that are due for a signature in this person's roles, ordered and parked ones too."""
    roles = signing_roles(teken, session)
    query = select(permits).where(permits.c.office == session.account.office, permits.c.state.in_(_BEFORE_SIGNATURE))
    if ids is not None:
        query = query.where(permits.c.id.in_(ids))
    rows = connection.execute(query.order_by(permits.c.type, permits.c.complete_at, permits.c.id)).all()
    due = [(row, bundle) for row in rows if (bundle := _for_signature(teken, row, roles)) is not None]
    marks = _marks(connection, session.account.id, [row.id for row, _ in due])
    first = notes.first(connection, session.account.office)
    unsettled = dispatches.unsettled_among(connection, [row.id for row, _ in due])
    known = _Today(connection, teken, session.account.official, unsettled)
    due.sort(key=lambda one: (one[0].type, one[0].id not in first))
    return [_paper(row, bundle, marks.get(row.id, _Marks()), known) for row, bundle in due]


def one(teken: Teken, session: Session, permit: str) -> Paper:
    """Return one paper of the tray. Raises NotFound."""
    with teken.db.read() as connection:
        found = papers(connection, teken, session, [permit])
    if not found or not found[0].waits:
        raise NotFound("permit_unknown")
    return found[0]


def neighbours(teken: Teken, session: Session, permit: str) -> tuple[str | None, str | None, int, int]:
    """Return the permits before and after this one in the tray, its place and how many there are."""
    with teken.db.read() as connection:
        listed = [one.permit for one in papers(connection, teken, session) if one.waits]
    place = listed.index(permit) if permit in listed else 0
    before = listed[place - 1] if place > 0 else None
    after = listed[place + 1] if place + 1 < len(listed) else None
    return before, after, place + 1, len(listed)


def described(teken: Teken, chosen: Sequence[Paper]) -> list[Item]:
    """Return what a list tells of these papers."""
    with teken.db.read() as connection:
        return _items(connection, chosen)


def pages(teken: Teken, paper: Paper) -> int:
    """Return how many pages the paper has."""
    return page_count(teken.archive.get(paper.sha))


def mark(teken: Teken, session: Session, permit: str, sha: str, action: str) -> None:
    """Note that this person opened these bytes, set them aside or took them up again.

    Raises NotFound, Conflict("seen_differs").
    """
    paper = one(teken, session, permit)
    if paper.sha != sha:
        raise Conflict("seen_differs")
    who = session.account
    book.note(teken, office=who.office, account=who.id, action=action, permit=permit, sha256=sha)


def confirm_resend(teken: Teken, session: Session, permit: str) -> None:
    """The signer allows what may have been signed to be sent again. Raises NotFound, and Conflict as `resend` does."""
    one(teken, session, permit)
    assert session.account.official is not None, "only who signs confirms"
    resend.confirm_resend(teken, session.account.official, permit)


def make_again(teken: Teken, session: Session) -> int:
    """Have every paper made again that names somebody else than who signs today; parafs and numbers stay. Return how many."""
    with teken.db.read() as connection:
        stale = [one for one in papers(connection, teken, session) if one.hindrance == "signatory_changed"]
    return sum(signatories.make_again(teken, Outdated(one.permit, one.row.fence, one.bundle)) for one in stale)


@dataclass(slots=True)
class _Marks:
    opened: set[str] = field(default_factory=set)
    skipped: str | None = None


@dataclass(slots=True)
class _Today:
    """Who signs today, by pinned files and role; asked once each."""

    connection: Connection
    teken: Teken
    official: str | None
    unsettled: set[str]  # permits that went out to a signing service, and nobody knows whether they were signed
    _found: dict[tuple[str, str], tuple[str, str] | str] = field(default_factory=dict)

    def hindrance(self, row: Row[Any], bundle: Bundle) -> str | None:
        """Return why this person can't order the signature now: a code, as the order itself would refuse."""
        if (elsewhere := _not_at_hand(row)) is not None:
            return elsewhere
        if row.id in self.unsettled:
            return "resend_unconfirmed"
        act = flow.at(bundle.permit_type.procedure, row.position)
        found = self._signatory(bundle, str(act.role) if act else "")
        if isinstance(found, str):
            return found
        official, named = found
        if named != row.signatory:
            return "signatory_changed"
        return None if official == self.official else "not_the_signatory"

    def _signatory(self, bundle: Bundle, role: str) -> tuple[str, str] | str:
        """Return who signs and the text that names him on a paper, or the code of why nobody can."""
        key = (bundle.pin, role)
        if key not in self._found:
            try:
                named = signatory(self.connection, bundle.office, role, self.teken.clock.now())
                self._found[key] = (named.official, named.as_json())
            except TekenError as nobody:
                self._found[key] = nobody.code
        return self._found[key]


def _not_at_hand(row: Row[Any]) -> str | None:
    """Return why the paper does not lie in the tray just now."""
    if row.state == State.SIGNING:
        return "ordered_already"
    if row.queue != "person":
        return "parked"
    return "paper_in_making" if row.final_sha is None else None


def _for_signature(teken: Teken, row: Row[Any], roles: frozenset[str]) -> Bundle | None:
    """Return the permit's bundle if the due act is a signature in one of these roles."""
    if row.state == State.RECEIVED and row.queue != "person":
        return None
    bundle = teken.pins.open(row.pin)
    act = flow.at(bundle.permit_type.procedure, row.position)
    due = act is not None and act.verb is Verb.SIGN and str(act.role) in roles
    return bundle if due else None


def _marks(connection: Connection, account: str, ids: Collection[str]) -> dict[str, _Marks]:
    found: dict[str, _Marks] = {}
    for start in range(0, len(ids), 500):
        some = list(ids)[start : start + 500]
        query = select(desk_log.c.permit, desk_log.c.action, desk_log.c.detail).where(
            desk_log.c.permit.in_(some),
            desk_log.c.account == account,
            desk_log.c.outcome == book.OK,
            or_(desk_log.c.action == OPENED, desk_log.c.action == SKIPPED, desk_log.c.action == TAKEN),
        )
        for permit, action, detail in connection.execute(query.order_by(desk_log.c.id)).all():
            _noted(found.setdefault(permit, _Marks()), action, json.loads(detail)["sha256"])
    return found


def _noted(marks: _Marks, action: str, sha: str) -> None:
    if action == OPENED:
        marks.opened.add(sha)
    else:
        marks.skipped = sha if action == SKIPPED else None


def _paper(row: Row[Any], bundle: Bundle, marks: _Marks, today: _Today) -> Paper:
    opened = row.final_sha in marks.opened
    changed = bool(marks.opened) and not opened
    return Paper(row, bundle, opened, changed, marks.skipped == row.final_sha, today.hindrance(row, bundle))


def _first(by_type: dict[str, list[Paper]]) -> dict[str, list[Paper]]:
    """Share the first view among the types: unread ones first come first, the rest is a link away."""
    left, shown = FIRST_VIEW, {}
    for place, (code, listed) in enumerate(by_type.items()):
        share = max(3, left // (len(by_type) - place)) if left > 0 else 0
        shown[code] = listed[: min(share, left)]
        left -= len(shown[code])
    return shown


def _groups(
    connection: Connection, by_type: dict[str, list[Paper]], shown: dict[str, list[Paper]]
) -> tuple[Group, ...]:
    items = {item.paper.permit: item for item in _items(connection, [one for some in shown.values() for one in some])}
    return tuple(
        Group(
            code,
            listed[0].bundle.permit_type.name,
            tuple(listed),
            tuple(items[one.permit] for one in shown.get(code, ())),
        )
        for code, listed in by_type.items()
    )


def _items(connection: Connection, chosen: Sequence[Paper]) -> list[Item]:
    ids, known = [one.permit for one in chosen], [(one.row, one.bundle) for one in chosen]
    cases, parafs, said = _cases(connection, ids), _parafs(connection, ids), notes.of(connection, ids)
    by_row, total = rows_due(connection, known), totals_due(connection, known)
    return [
        Item(
            one,
            *cases[one.permit],
            due=by_row[one.permit] or total[one.permit],
            parafs=tuple(parafs.get(one.permit, ())),
            notes=tuple(said.get(one.permit, ())),
        )
        for one in chosen
    ]


def _cases(connection: Connection, ids: Collection[str]) -> dict[str, tuple[str, str]]:
    """Return holder and place of each permit."""
    newest = (revisions.c.permit == permits.c.id) & (revisions.c.revision == permits.c.revision)
    query = select(permits.c.id, revisions.c.body).join(revisions, newest).where(permits.c.id.in_(ids))
    bodies = {row.id: json.loads(row.body) for row in connection.execute(query)}
    return {permit: (body["applicant"]["nama"], body["practice"]["nama"]) for permit, body in bodies.items()}


def _parafs(connection: Connection, ids: Collection[str]) -> dict[str, list[tuple[str, str]]]:
    query = (
        select(done.c.permit, officials.c.name)
        .join(officials, officials.c.id == done.c.official)
        .where(
            done.c.permit.in_(ids), done.c.verb.in_([str(verb) for verb in flow.READINGS]), done.c.voided_at.is_(None)
        )
    )
    found: dict[str, list[tuple[str, str]]] = {}
    for permit, name in connection.execute(query.order_by(done.c.position)).all():
        found.setdefault(permit, []).append((initials(name), name))
    return found


def initials(name: str) -> str:
    """Return "RWS" for "Ratna Wulandari Siregar, S.H., M.Si."."""
    return "".join(word[0].upper() for word in _words(name))[:3]


def _words(name: str) -> Iterable[str]:
    return (word for word in name.partition(",")[0].split() if word[:1].isalpha() and not word.endswith("."))
