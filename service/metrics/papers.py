"""Documents below the level that their office wants, renewals that failed, and how long certificates still last."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from prometheus_client.core import Metric
from sqlalchemy import Select, func, select, union_all

from service.clock import instant, stamp
from service.errors import TekenError
from service.expiring import owners
from service.longterm import below
from service.metrics.scrape import gauge
from service.people import enrolled
from service.store.standing_tables import FAILING
from service.store.tables import permits, upkeep

if TYPE_CHECKING:
    from datetime import datetime

    from service.metrics.scrape import Scrape


def look(scrape: Scrape) -> Iterator[Metric]:
    """Yield level debt, failed renewals and the ends of certificates in use."""
    targets = {office.code: office.target for office in scrape.teken.offices.offices.values()}
    with scrape.read() as connection:
        rows = connection.execute(owed(scrape.now)).all()
        failed = connection.execute(failures()).all()
        ends = {
            (office.code, owner.rpartition("/")[2]): end
            for office in scrape.teken.offices.offices.values()
            for owner in owners(connection, office, scrape.now)
            if (end := _end(connection, owner, scrape.now)) is not None
        }
    debt = {(row.office, row.level): row.number for row in rows if below(row.level, targets.get(row.office, "B-B"))}
    for office in scrape.offices:
        debt.setdefault((office, "B-B"), 0)
    yield gauge(
        "teken_level_debt_documents",
        "Released documents below the level that their office wants, by the level reached.",
        debt.items(),
        ("office", "level"),
    )
    faults = dict.fromkeys(scrape.offices, 0) | {row.office: row.number for row in failed}
    yield gauge(
        "teken_renewals_failing",
        "Documents whose last extension or renewal failed; each is tried again, at least daily.",
        (((office,), number) for office, number in faults.items()),
        ("office",),
    )
    yield gauge(
        "teken_certificate_expiry_timestamp_seconds",
        "When a certificate with which an office signs or seals today expires; 0 if there is no valid one.",
        ends.items(),
        ("office", "owner"),
    )


def owed(now: datetime) -> Select[Any]:
    """Return the question for documents that are due or have failed, by level: each half through its index."""
    mine = (upkeep.c.permit, upkeep.c.level)
    due = select(*mine).where(upkeep.c.due_at <= stamp(now))
    failed = select(*mine).where(FAILING, upkeep.c.due_at > stamp(now))
    found = union_all(due, failed).subquery()
    query = select(permits.c.office, found.c.level, func.count().label("number"))
    return query.join_from(found, permits, permits.c.id == found.c.permit).group_by(permits.c.office, found.c.level)


def failures() -> Select[Any]:
    """Return the question for documents that could not be extended."""
    found = select(upkeep.c.permit).where(FAILING).subquery()
    query = select(permits.c.office, func.count().label("number"))
    return query.join_from(found, permits, permits.c.id == found.c.permit).group_by(permits.c.office)


def _end(connection: Any, owner: str, now: datetime) -> float | None:
    try:
        return instant(enrolled(connection, owner, now).not_after).timestamp()
    except TekenError:  # none is enrolled, or none is valid now
        return 0.0
