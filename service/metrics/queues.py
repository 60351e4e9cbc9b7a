"""What waits for workers and signing processes, by office and step, and what is set aside for people.

Read through the indexes of what is due and what is stuck: the cost is that of the backlog, not of the register.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from prometheus_client.core import Metric
from sqlalchemy import Row, Select, and_, case, func, select

from service import flow
from service.archive import ArchiveDamaged, ArchiveUnreachable
from service.clock import stamp
from service.gate import closure
from service.metrics.scrape import gauge
from service.permits import State
from service.store.desk_tables import STUCK
from service.store.tables import WORKED, permits

if TYPE_CHECKING:
    from datetime import datetime

    from service.metrics.scrape import Scrape
    from service.wiring import Teken

PARKED, RETURNED = "parked", "returned"
OVER = (State.CLOSED, State.REVOKED, State.REPLACED)
_UNKNOWN = "unknown"


def look(scrape: Scrape) -> Iterator[Metric]:
    """Yield depth and age of the queues, late leases, and what is stuck."""
    with scrape.read() as connection:
        waiting = connection.execute(worked(scrape.now)).all()
        stuck = connection.execute(stuck_by_office()).all()
        closed = closure(connection) is not None
    about = "1 while the register is closed: it has to be reconciled after a restore."
    yield gauge("teken_numbering_closed", about, [((), int(closed))])
    deep: dict[tuple[str, ...], int] = defaultdict(int)
    old: dict[tuple[str, ...], float] = defaultdict(float)
    late, retried = dict.fromkeys(scrape.offices, 0), dict.fromkeys(scrape.offices, 0)
    for row in waiting:
        place = (row.office, row.queue, step_of(scrape.teken, row))
        deep[place] += row.number
        old[place] = max(old[place], scrape.since(row.oldest))
        late[row.office] = late.get(row.office, 0) + row.late
        retried[row.office] = retried.get(row.office, 0) + row.retried
    labels = ("office", "queue", "step")
    yield gauge("teken_queue_permits", "Permits whose next step a process does.", deep.items(), labels)
    yield gauge("teken_queue_oldest_seconds", "How long the oldest of them has been due.", old.items(), labels)
    yield gauge(
        "teken_leases_late", "Steps whose process died or hangs: lease over, not taken again.", _by(late), ("office",)
    )
    yield gauge(
        "teken_queue_retrying", "Permits of which an attempt has failed and another follows.", _by(retried), ("office",)
    )
    counted = {(office, why): 0 for office in scrape.offices for why in (PARKED, RETURNED)}
    counted |= {(row.office, row.why): row.number for row in stuck}
    yield gauge(
        "teken_permits_stuck",
        "Permits set aside: parked for the operator, or returned to upstream.",
        counted.items(),
        ("office", "why"),
    )


def worked(now: datetime) -> Select[Any]:
    """Return the question for what processes have to do, in groups that share their next step."""
    over = and_(permits.c.lease_until != "", permits.c.lease_until <= stamp(now))
    made = [(permits.c[name].is_(None)).label(f"no_{name}") for name in _PAPERS]
    group = [permits.c.office, permits.c.queue, permits.c.pin, permits.c.position, permits.c.state]
    return (
        select(
            *group,
            *made,
            func.count().label("number"),
            func.min(permits.c.due_at).label("oldest"),
            func.sum(case((over, 1), else_=0)).label("late"),
            func.sum(case((permits.c.fault.is_not(None), 1), else_=0)).label("retried"),
        )
        .where(WORKED)
        .group_by(*group, *made)
    )


def stuck_by_office() -> Select[Any]:
    """Return the question for what is set aside."""
    why = case((permits.c.state == State.RETURNED, RETURNED), else_=PARKED).label("why")
    query = select(permits.c.office, why, func.count().label("number"))
    return query.where(STUCK, permits.c.state.not_in(OVER)).group_by(permits.c.office, why)


_PAPERS = ("draft_sha", "final_sha", "head_sha")


def step_of(teken: Teken, group: Row[Any]) -> str:
    """Return the step that is due for a group; `unknown` if the files that it is pinned to can't be read."""
    papers = {name: None if getattr(group, f"no_{name}") else "" for name in _PAPERS}
    like: Any = SimpleNamespace(state=group.state, position=group.position, parked_from=None, **papers)
    try:
        step = flow.due_step(like, teken.pins.open(group.pin).permit_type.procedure)
    except (ArchiveDamaged, ArchiveUnreachable, OSError):
        return _UNKNOWN
    return step or _UNKNOWN


def _by(counted: dict[str, int]) -> Iterator[tuple[tuple[str], int]]:
    return (((office,), number) for office, number in counted.items())
