"""How the head's batches stand: counts and what went wrong, never more than a phone can show; the rest page by page."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, and_, func, select

from service.batch_ends import unconfirmed
from service.desk.selection import signer_lives
from service.errors import NotFound
from service.store import batches as rows
from service.store.batch_tables import ORDERED, BatchState, Result, batch_items, batches
from service.store.batches import ACTIVE, RESUMABLE
from service.store.tables import permits, revisions

if TYPE_CHECKING:
    from service.desk.sessions import Session
    from service.wiring import Teken

NEWEST, PAGE = 5, 50
"""Documents of one result that the moving part shows, and that a page of them shows."""


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a batch, as a list tells it."""

    permit: str
    holder: str
    number: str | None
    result: str
    cause: str | None
    retryable: bool

    @property
    def unconfirmed(self) -> bool:
        """A signature may exist: it is sent again only after the signer has allowed it."""
        return not self.retryable and self.cause is not None and unconfirmed(self.cause)


@dataclass(frozen=True, slots=True)
class Progress:
    """A batch as it stands."""

    id: str
    state: BatchState
    cause: str | None
    opened_at: str
    ended_at: str | None
    total: int
    signed: int
    failed: int
    skipped: int
    waiting: int
    retryable: int
    under_way: int  # a signature at hand when it was paused or stopped may still end
    signer_lives: bool

    @property
    def active(self) -> bool:
        return self.state in ACTIVE

    @property
    def going(self) -> bool:
        """It may still change without anybody's doing."""
        return self.active or bool(self.under_way)

    @property
    def resumable(self) -> bool:
        return self.state in RESUMABLE and self.waiting > 0

    @property
    def settled(self) -> int:
        return self.total - self.waiting

    @property
    def quarter(self) -> int:
        """How many quarters have a result: what is told aloud."""
        return 4 * self.settled // self.total if self.total else 4


def mine(teken: Teken, session: Session) -> tuple[list[Progress], list[Progress]]:
    """Return this person's batches that go on or may, and his last few that ended, newest first."""
    own = select(batches).where(batches.c.official == session.account.official).order_by(batches.c.opened_at.desc())
    with teken.db.read() as connection:
        going = connection.execute(own.where(batches.c.state.in_([*ACTIVE, *RESUMABLE]))).all()
        ended = connection.execute(own.where(batches.c.state.not_in([*ACTIVE, *RESUMABLE])).limit(3)).all()
        told = [[_progress(connection, row, lives=True) for row in some] for some in (going, ended)]
    return told[0], told[1]


def progress(teken: Teken, session: Session, batch: str) -> Progress:
    """Return one batch of this person's. Raises NotFound, also for another's."""
    lives = signer_lives(teken)
    with teken.db.read() as connection:
        return _progress(connection, _own(connection, session, batch), lives=lives)


def latest(teken: Teken, batch: str) -> dict[str, list[Document]]:
    """Return the newest few documents of each result but waiting."""
    with teken.db.read() as connection:
        return {
            str(result): _documents(connection, batch, result, NEWEST, 0)
            for result in (Result.FAILED, Result.SKIPPED, Result.SIGNED)
        }


def listed(teken: Teken, session: Session, batch: str, result: str, page: int) -> tuple[list[Document], int, int]:
    """Return one page of a batch's documents with one result, that page's number and how many there are. Raises NotFound."""
    if result not in set(Result):
        raise NotFound
    with teken.db.read() as connection:
        _own(connection, session, batch)
        count = rows.counts(connection, batch).get(result, 0)
        pages = max(1, -(-count // PAGE))
        page = min(max(page, 1), pages)
        return _documents(connection, batch, Result(result), PAGE, (page - 1) * PAGE), page, pages


def _own(connection: Connection, session: Session, batch: str) -> Row[Any]:
    row = rows.row(connection, batch)
    if row is None or session.account.official is None or row.official != session.account.official:
        raise NotFound("batch_unknown")
    return row


def _progress(connection: Connection, row: Row[Any], *, lives: bool) -> Progress:
    counts = rows.counts(connection, row.id)
    here = batch_items.c.batch == row.id
    retryable = select(func.count()).where(here, batch_items.c.result == Result.FAILED, batch_items.c.retryable == 1)
    under_way = select(func.count()).where(here, ORDERED)
    return Progress(
        id=row.id,
        state=BatchState(row.state),
        cause=row.cause,
        opened_at=row.opened_at,
        ended_at=row.ended_at,
        total=sum(counts.values()),
        **{str(result): counts.get(str(result), 0) for result in Result},
        retryable=int(connection.execute(retryable).scalar_one()),
        under_way=int(connection.execute(under_way).scalar_one()),
        signer_lives=lives,
    )


def _documents(connection: Connection, batch: str, result: Result, most: int, start: int) -> list[Document]:
    order = (batch_items.c.settled_at.desc(), batch_items.c.position.desc())
    query = (
        select(batch_items, permits.c.number)
        .join(permits, permits.c.id == batch_items.c.permit)
        .where(batch_items.c.batch == batch, batch_items.c.result == result)
        .order_by(*(order if result is not Result.WAITING else (batch_items.c.position,)))
    )
    found = connection.execute(query.limit(most).offset(start)).all()
    holders = _holders(connection, [one.permit for one in found])
    return [
        Document(one.permit, holders[one.permit], one.number, one.result, one.cause, bool(one.retryable))
        for one in found
    ]


def _holders(connection: Connection, ids: Collection[str]) -> dict[str, str]:
    newest = and_(revisions.c.permit == permits.c.id, revisions.c.revision == permits.c.revision)
    query = select(permits.c.id, revisions.c.body).join(revisions, newest).where(permits.c.id.in_(ids))
    return {row.id: json.loads(row.body)["applicant"]["nama"] for row in connection.execute(query)}
