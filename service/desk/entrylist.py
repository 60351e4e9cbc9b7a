"""An official's list of what is entered at the desk: to check, waiting for somebody else, declined, and returned by the procedure."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, select

from service.clients import desk_client_id
from service.clock import stamp
from service.desk import entry
from service.desk.proposals import Proposal
from service.desk.sessions import Session
from service.permits import State
from service.store.desk_tables import Decision, accounts
from service.store.desk_tables import proposals as table
from service.store.tables import permits, revisions

if TYPE_CHECKING:
    from service.wiring import Teken

IMPORT = "case.import"
KINDS = (entry.KIND, IMPORT)
SHOWN = timedelta(days=30)
"""How long what was declined stays on its writer's list."""
MOST = 200


@dataclass(frozen=True, slots=True)
class Line:
    """One line: an entry, an import of `cases` cases, or a returned case. `name` is the applicant's, "" for an import."""

    id: str
    kind: str
    type: str
    upstream_id: str
    name: str = field(repr=False)
    by: str
    at: str
    cases: int = 1


@dataclass(frozen=True, slots=True)
class Entries:
    """What stands on an official's list, newest first."""

    to_check: tuple[Line, ...]
    waiting: tuple[Line, ...]
    declined: tuple[Line, ...]
    returned: tuple[Line, ...]


def entries(teken: Teken, who: Session) -> Entries:
    """Return what the person has to do with entries of the types that he may enter."""
    mine, since = {str(kind.code) for kind in entry.types(teken, who)}, stamp(teken.clock.now() - SHOWN)
    with teken.db.read() as connection:
        recent = (table.c.office == who.account.office) & table.c.kind.in_(KINDS)
        current = (table.c.proposed_at >= since) | (table.c.state == str(Decision.OPEN))
        newest_first = select(table).where(recent, current).order_by(table.c.proposed_at.desc(), table.c.id.desc())
        found = [Proposal.of(row) for row in connection.execute(newest_first.limit(MOST)).all()]
        ours = [one for one in found if one.payload["type"] in mine]
        of = (accounts.c.office == who.account.office) & accounts.c.id.in_({one.proposed_by for one in ours})
        writers = {row.id: row.name for row in connection.execute(select(accounts.c.id, accounts.c.name).where(of))}
        back = list(_returned(connection, who.account.office))
        accepted = _accepted(connection, who.account.office, [str(one.subject) for one in ours])
    lines = {one.id: _line(one, writers[one.proposed_by]) for one in ours}
    waiting = [one for one in ours if one.state == Decision.OPEN]
    in_hand = {one.subject for one in waiting}
    return Entries(
        to_check=tuple(lines[one.id] for one in waiting if one.proposed_by != who.account.id),
        waiting=tuple(lines[one.id] for one in waiting if one.proposed_by == who.account.id),
        declined=tuple(lines[one.id] for one in _declined(ours, who, in_hand | accepted)),
        returned=tuple(line for line in back if line.type in mine and line.upstream_id not in in_hand),
    )


def count(teken: Teken, who: Session) -> int:
    """Return how many entries wait for the person's check."""
    if not entry.types(teken, who):
        return 0
    others = (table.c.office == who.account.office) & (table.c.proposed_by != who.account.id)
    open_ = (table.c.state == str(Decision.OPEN)) & table.c.kind.in_(KINDS)
    with teken.db.read() as connection:
        return connection.execute(select(func.count()).select_from(table).where(others, open_)).scalar_one()


def _line(one: Proposal, by: str) -> Line:
    name = one.payload["answers"].get("applicant.nama", "") if one.kind == entry.KIND else ""
    cases = sum(not row["faults"] for row in one.payload["rows"]) if one.kind == IMPORT else 1
    return Line(one.id, one.kind, one.payload["type"], str(one.subject), name, by, one.proposed_at, cases)


def _declined(newest_first: list[Proposal], who: Session, gone_on: Collection[str | None]) -> Iterator[Proposal]:
    """Yield the person's own that somebody else declined, unless its case has gone on or a newer version took its place."""
    seen = set(gone_on)
    for one in newest_first:
        declined = one.state == Decision.REFUSED and one.decided_by != one.proposed_by
        if declined and one.subject not in seen and one.proposed_by == who.account.id:
            yield one
        seen.add(one.subject)


def _returned(connection: Connection, office: str) -> Iterator[Line]:
    mine = (permits.c.client == desk_client_id(office)) & (permits.c.state == str(State.RETURNED))
    now = (revisions.c.permit == permits.c.id) & (revisions.c.revision == permits.c.revision)
    query = select(permits, revisions.c.body).join(revisions, now).where(mine).order_by(permits.c.updated_at.desc())
    for row in connection.execute(query.limit(MOST)).all():
        name = json.loads(row.body)["applicant"]["nama"]
        yield Line(row.id, str(State.RETURNED), row.type, row.upstream_id, name, "", row.updated_at)


def _accepted(connection: Connection, office: str, subjects: list[str]) -> set[str]:
    mine = (permits.c.client == desk_client_id(office)) & (permits.c.state != str(State.RETURNED))
    query = select(permits.c.upstream_id).where(mine, permits.c.upstream_id.in_(subjects))
    return set(connection.execute(query).scalars())
