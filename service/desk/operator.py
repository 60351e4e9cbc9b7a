"""Everything of an office that is parked, late or running out, each with the act that helps; and the acts. Nothing here is a person's.

Whoever keeps the service running need not see cases: a permit is told by its number or upstream's id, never by a name.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import ColumnElement, Connection, Row, func, select, update

from service import acts, gate, standings
from service.archive_copies import COPIED
from service.archive_scrub import SCRUBBED
from service.clock import stamp
from service.desk import book
from service.desk.access import own
from service.errors import Conflict, NotFound
from service.expiring import ending
from service.identity import pins_of
from service.journal import length
from service.notices.making import no_try_after
from service.permits import State
from service.signers import recipients
from service.store import StoreBusy
from service.store import notices as messages
from service.store.batch_tables import BatchState, batches
from service.store.batches import RESUMABLE
from service.store.desk_tables import STUCK
from service.store.dispatch_tables import dispatches
from service.store.notice_tables import notices
from service.store.standing_tables import FAILING, UNSETTLED
from service.store.tables import WORKED, clients, officials, permits, upkeep
from service.store.webhook_tables import endpoints
from service.webhooks import endpoints as webhooks
from service.webhooks.standing import lag_in

if TYPE_CHECKING:
    from datetime import datetime

    from service.desk.sessions import Session
    from service.wiring import Teken

log = structlog.get_logger("teken.operator")
OPERATORS = ("admin", "operator")
MOST = 50
"""Lines of one kind; how many there are is told."""
LATE = timedelta(minutes=15)
EXAMINED = "doctor.examined"
_RUNNING = threading.Lock()
_OVER = (State.CLOSED, State.REVOKED, State.REPLACED)


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that waits: its id for the act, what to call it, why (a code), since when, and what else is known of it."""

    id: str
    label: str
    fault: str | None
    since: str | None
    more: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Things of one kind: at most MOST lines of `number`."""

    kind: str
    number: int
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class House:
    """What all offices share: numbering closed since, believed signing processes, the archives, the newest examination."""

    closed: str | None
    signers: int
    lost: int
    scrubbed: str | None
    behind: int | None
    examined: str | None
    findings: tuple[dict[str, str], ...]


def groups(teken: Teken, who: Session) -> list[Group]:
    """Return what waits in the person's office, the urgent first; kinds of which nothing waits are left out."""
    office, now = who.account.office, teken.clock.now()
    with teken.db.read() as connection:
        found = [
            _permits(connection, "parked", office, STUCK, permits.c.state != State.RETURNED),
            _permits(connection, "late", office, WORKED, permits.c.due_at <= stamp(now - LATE)),
            _unsettled(connection, office),
            _batches(connection, office),
            _endpoints(connection, office, now),
            _notices(connection, office),
            _failing(connection, office),
            _certificates(connection, teken, office, now),
            _permits(connection, "returned", office, STUCK, permits.c.state == State.RETURNED),
        ]
    return [one for one in found if one.number]


def house(teken: Teken, who: Session) -> House:
    """Return what all offices share, without what is another office's."""
    settings = teken.settings
    pins = pins_of(settings.pinned_signers, settings.pins)
    with teken.db.read() as connection:
        shut = gate.closure(connection)
        believed = len(recipients(connection, pins, teken.clock.now()))
        scrubs = standings.noted(connection, SCRUBBED, str(settings.archive))
        copies = standings.noted(connection, COPIED, str(settings.second_archive))
        events = length(connection)
        newest = max(standings.noted(connection, EXAMINED), key=lambda one: one.at, default=None)
    copied = copies[0].number if copies else 0
    others = {str(code) for code in teken.offices.offices if code != who.account.office}
    findings = newest.detail["findings"] if newest else []
    return House(
        closed=shut.closed_at if shut is not None else None,
        signers=believed,
        lost=scrubs[0].number if scrubs else 0,
        scrubbed=scrubs[0].at if scrubs else None,
        behind=events - copied if settings.second_archive is not None else None,
        examined=newest.at if newest else None,
        findings=tuple(_for_the_desk(one) for one in findings if _is_of_the_house(one, others)),
    )


def _is_of_the_house(found: dict[str, str], others: set[str]) -> bool:
    """Other offices' people are not, nor what the page tells of its own office anyway."""
    return found["subject"].partition("/")[0] not in others and found["check"] not in {
        "webhook",
        "notices",
        "numbering",
    }


def _for_the_desk(found: dict[str, str]) -> dict[str, str]:
    """Where a file lies on the server is for the server's operator alone."""
    return {**found, "subject": "" if found["subject"].startswith("/") else found["subject"]}


def waiting(teken: Teken, who: Session) -> int:
    """Return how many permits of the office are parked: one indexed query."""
    with teken.db.read() as connection:
        query = select(func.count()).where(permits.c.office == who.account.office, STUCK)
        query = query.where(permits.c.state.not_in([*_OVER, State.RETURNED]))
        return int(connection.execute(query).scalar_one())


def resume(teken: Teken, who: Session, permit: str) -> None:
    """Send a parked permit back to where it stuck. Raises NotFound (also another office's), StateForbids."""
    with teken.db.read() as connection:
        own(connection, who, permit)
    acts.resume_parked(teken, permit)
    _note(teken, who, "operator.resumed", permit)


def renew(teken: Teken, who: Session, permit: str) -> None:
    """Have a document that could not be extended tried again now. Raises NotFound, Conflict("nothing_fails")."""
    with teken.db.write() as connection:
        own(connection, who, permit)
        mine = update(upkeep).where(upkeep.c.permit == permit, FAILING)
        tried = connection.execute(mine.values(due_at=stamp(teken.clock.now()), attempts=0))
        if tried.rowcount == 0:
            raise Conflict("nothing_fails")
    _note(teken, who, "operator.renewed", permit)


def reopen(teken: Teken, who: Session, target: str) -> None:
    """Send to an endpoint again, from where it stopped. Raises NotFound, also for another office's."""
    with teken.db.read() as connection:
        query = select(clients.c.office).join(endpoints, endpoints.c.client == clients.c.id)
        office = connection.execute(query.where(endpoints.c.id == target)).scalar_one_or_none()
    if office != who.account.office:
        raise NotFound
    webhooks.resume(teken, target)
    _note(teken, who, "operator.reopened", target=target)


def tell_again(teken: Teken, who: Session) -> int:
    """Send the office's failed notices once more; return how many."""
    now = teken.clock.now()
    with teken.db.write() as connection:
        failed = [row.id for row in messages.listed(connection, *_untold(who.account.office), most=10_000)]
        changed = len(messages.again(connection, failed, now, no_try_after(now)))
    _note(teken, who, "operator.told_again", number=changed)
    return changed


def examine(teken: Teken, who: Session) -> threading.Thread:
    """Have the doctor look at this host, in a thread of its own. Raises Conflict("examination_running")."""
    if not _RUNNING.acquire(blocking=False):
        raise Conflict("examination_running")
    _note(teken, who, "operator.examined")
    thread = threading.Thread(target=_examine, args=(teken,), name="doctor", daemon=True)
    thread.start()
    return thread


def _examine(teken: Teken) -> None:
    from service.doctor import State as Health
    from service.doctor import examine as look

    try:
        found = [asdict(one) for one in look(teken.settings) if one.state is not Health.OK]
        standings.note(teken, EXAMINED, socket.gethostname(), len(found), findings=found)
    except StoreBusy:
        log.warning("examination_not_noted")
    finally:
        _RUNNING.release()


def _note(teken: Teken, who: Session, action: str, permit: str | None = None, **detail: Any) -> None:
    book.note(teken, office=who.account.office, account=who.account.id, action=action, permit=permit, **detail)


def _group(kind: str, connection: Connection, query: Any, order: Any, line: Any) -> Group:
    rows: Sequence[Row[Any]] = connection.execute(query.order_by(order).limit(MOST)).all()
    number = len(rows)
    if number == MOST:
        number = int(connection.execute(select(func.count()).select_from(query.subquery())).scalar_one())
    return Group(kind, number, tuple(line(row) for row in rows))


def _permits(connection: Connection, kind: str, office: str, *where: Any) -> Group:
    named = (permits.c.id, permits.c.number, permits.c.upstream_id, permits.c.fault, permits.c.updated_at)
    query = select(*named).where(permits.c.office == office, permits.c.state.not_in(_OVER), *where)
    return _group(kind, connection, query, permits.c.updated_at, _of_permit)


def _of_permit(row: Row[Any]) -> Line:
    return Line(row.id, row.number or row.upstream_id, row.fault, row.updated_at)


def _unsettled(connection: Connection, office: str) -> Group:
    """Ordered from the few that are open: the permits' part is looked up by key."""
    waits = select(dispatches.c.permit, dispatches.c.cause, dispatches.c.dispatched_at).where(UNSETTLED).subquery()
    named = (permits.c.id, permits.c.number, permits.c.upstream_id, waits.c.cause, waits.c.dispatched_at)
    query = select(*named).join_from(waits, permits, permits.c.id == waits.c.permit).where(permits.c.office == office)
    return _group(
        "unsettled",
        connection,
        query,
        waits.c.dispatched_at,
        lambda row: Line(row.id, row.number or row.upstream_id, row.cause, row.dispatched_at),
    )


def _batches(connection: Connection, office: str) -> Group:
    held = (BatchState.PAUSED, *(one for one in RESUMABLE if one is not BatchState.PAUSED))
    query = select(batches.c.id, batches.c.cause, batches.c.opened_at, officials.c.name)
    query = query.join(officials, officials.c.id == batches.c.official)
    query = query.where(batches.c.office == office, batches.c.state.in_(held))
    return _group(
        "batch",
        connection,
        query,
        batches.c.opened_at,
        lambda row: Line(row.id, row.name, row.cause, row.opened_at),
    )


def _endpoints(connection: Connection, office: str, now: datetime) -> Group:
    """Those that are given up, or behind for longer than a short outage explains. An address may hold a secret: client and id name it."""
    mine = [one for one in lag_in(connection, now) if one.office == office]
    stuck = [
        one
        for one in mine
        if one.state in {"parked", "disabled"} or (one.state == "active" and one.behind > LATE.total_seconds())
    ]
    lines = (
        Line(one.endpoint, f"{one.name}, {one.endpoint}", one.fault, stamp(one.since) if one.since else None, one.state)
        for one in stuck
    )
    return Group("endpoint", len(stuck), tuple(lines)[:MOST])


def _untold(office: str) -> tuple[ColumnElement[bool], ...]:
    return notices.c.office == office, notices.c.outcome.in_(messages.FAILED)


def _notices(connection: Connection, office: str) -> Group:
    rows = messages.listed(connection, *_untold(office), most=MOST)
    lines = (Line(row.permit, f"{row.kind}, {row.channel}", row.cause, row.ended_at) for row in rows)
    return Group("notice", len(rows), tuple(lines))


def _failing(connection: Connection, office: str) -> Group:
    fails = select(upkeep.c.permit, upkeep.c.fault, upkeep.c.level, upkeep.c.due_at).where(FAILING).subquery()
    named = (permits.c.id, permits.c.number, permits.c.upstream_id, fails.c.fault, fails.c.level, fails.c.due_at)
    query = select(*named).join_from(fails, permits, permits.c.id == fails.c.permit).where(permits.c.office == office)
    return _group(
        "failing",
        connection,
        query,
        fails.c.due_at,
        lambda row: Line(row.id, row.number or row.upstream_id, row.fault, None, row.level),
    )


def _certificates(connection: Connection, teken: Teken, office: str, now: datetime) -> Group:
    lines = tuple(_certificate(one) for one in ending(connection, teken.offices.office(office), now))
    return Group("certificate", len(lines), lines)


def _certificate(one: dict[str, Any]) -> Line:
    return Line(one["owner"], one["owner"].rpartition("/")[2], None, None, str(one["days"]))
