"""Sends what is due: claim, make the message of the case as it is now, hand it over outside any transaction, record what came of it.

At least once, under one id: whoever dies between hand-over and record sends again.
"""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import structlog
from sqlalchemy import Connection, Row, select

from service import failpoints
from service.clock import instant
from service.notices.contact import addresses
from service.notices.making import KINDS, next_channel
from service.notices.message import Message, NotTaken
from service.notices.quiet import earliest
from service.notices.text import facts_of, written
from service.permits import State
from service.store import StoreBusy
from service.store import notices as store
from service.store.notice_tables import Outcome
from service.store.notices import Held
from service.store.permits import Lost
from service.store.tables import events, handovers, permits

if TYPE_CHECKING:
    from service.notices.gateways import Gateways, Outlet
    from service.sop.model import Notices, Office
    from service.wiring import Teken

log = structlog.get_logger("teken.notices")
LEASE: Final = timedelta(minutes=5)
"""Longer than any hand-over: sixty seconds twice, at most."""
WAITS: Final = (1, 5, 15, 60, 120, 240, 360)
"""Minutes before the next try; the last one repeats until the day is over."""
MOST_TRIES: Final = 25
"""More than fit into a day: whoever comes here died while sending, every time."""
_OF_THE_MESSAGE: Final = frozenset({"address_refused", "mail_refused", "answer_differs"})
"""Others may get through: after these the channel goes on."""
_EVENTS: Final = {kind: event for event, kind in KINDS.items()}


@dataclass(frozen=True, slots=True)
class Ready:
    """A notice that may go out now."""

    outlet: Outlet
    message: Message


@dataclass(frozen=True, slots=True)
class Not:
    """A notice that may not. `until`: put off without counting the try; None: it ends like this."""

    outcome: Outcome
    cause: str | None = None
    until: datetime | None = None


def send_one(teken: Teken, gateways: Gateways, resting: Collection[tuple[str, str]] = ()) -> tuple[str, str] | bool:
    """Send the notice that is due longest; tell whether there was one, or whose channel does not work now (office, channel)."""
    now = teken.clock.now()
    with teken.db.write() as connection:
        taken = store.claim(connection, now, LEASE, resting)
    if taken is None:
        return False
    held, row = taken
    try:
        return _attempt(teken, gateways, held, row)
    except (Lost, StoreBusy):
        log.info("notice_lost", notice=held.id)
    except Exception as error:  # noqa: BLE001 - a fault of the program waits, visibly, with its one notice
        log.error("notice_failed", notice=held.id, error=type(error).__name__)  # noqa: TRY400 - a traceback may quote an address
        _failed(teken, held, row, NotTaken(f"internal:{type(error).__name__}"))
    return True


def _attempt(teken: Teken, gateways: Gateways, held: Held, row: Row[Any]) -> tuple[str, str] | bool:
    with teken.db.read() as connection:
        found = _looked_at(connection, teken, gateways, held, row)
    if isinstance(found, Not):
        _settled(teken, held, row, found)
        return (row.office, row.channel) if found.cause == "no_gateway" else True
    failpoints.passing("notice.before_send")
    try:
        found.outlet.sender.send(found.message)
    except NotTaken as refused:
        log.warning("notice_not_taken", notice=held.id, gateway=found.outlet.name, cause=refused.code)
        _failed(teken, held, row, refused)
        return True if refused.final or refused.code in _OF_THE_MESSAGE else (row.office, row.channel)
    failpoints.passing("notice.after_send")
    with teken.db.write() as connection:
        store.end(connection, held, Outcome.SENT, teken.clock.now())
    return True


def _looked_at(connection: Connection, teken: Teken, gateways: Gateways, held: Held, row: Row[Any]) -> Ready | Not:
    """Look at everything that may have changed since the notice was made."""
    now, office = teken.clock.now(), teken.offices.offices.get(row.office)
    policy = office.notices if office else None
    permit = connection.execute(select(permits).where(permits.c.id == row.permit)).one()
    if office is None or policy is None or row.kind not in policy.kinds or not _is_true(connection, row, permit):
        return Not(Outcome.MOOT)
    if now > instant(row.until) or held.attempts > MOST_TRIES:
        return Not(Outcome.GIVEN_UP, row.cause or "worker_died")
    awake = earliest(now, policy.quiet_from, policy.quiet_to, office.calendar.timezone)
    if awake > now:
        return Not(Outcome.WAITING, row.cause, awake)
    to = addresses(connection, permit).get(row.channel)
    if to is None:
        return Not(Outcome.NO_ADDRESS)
    outlet = gateways.of(row.office, row.channel)
    if outlet is None:
        return Not(Outcome.WAITING, "no_gateway", now + timedelta(minutes=WAITS[1]))
    return Ready(outlet, _message(teken, office, policy, permit, row, to))


def _message(teken: Teken, office: Office, policy: Notices, permit: Row[Any], row: Row[Any], to: str) -> Message:
    kind = teken.offices.permit_type(office.code, permit.type)
    facts = facts_of(teken.settings, office, policy, permit, kind.name, row.kind)
    subject, text = written(policy, row.kind, facts)
    return Message(row.id, row.kind, to, subject, text, teken.clock.now(), facts)


def _is_true(connection: Connection, row: Row[Any], permit: Row[Any]) -> bool:
    """Tell whether what it says still holds: nobody is called for a paper that he has, or for a case that he has corrected."""
    if row.kind == "returned":
        latest = select(events.c.id).where(events.c.permit == row.permit, events.c.type == _EVENTS[row.kind])
        newest = connection.execute(latest.order_by(events.c.seq.desc()).limit(1)).scalar_one_or_none()
        return bool(permit.state == State.RETURNED and newest == row.occasion)
    if permit.state != State.IN_FORCE:
        return False
    if row.kind == "expiring":
        newer = select(permits.c.id).where(permits.c.replaces == permit.id, permits.c.state != State.CLOSED)
        return bool(permit.valid_to == row.occasion) and connection.execute(newer).first() is None
    handed_over = select(handovers.c.permit).where(handovers.c.permit == row.permit)
    return row.kind != "ready" or connection.execute(handed_over).first() is None


def _failed(teken: Teken, held: Held, row: Row[Any], refused: NotTaken) -> None:
    """Try again later, as long as the day lasts; then it is given up, for everybody to see."""
    minutes = WAITS[min(held.attempts, len(WAITS)) - 1] * random.uniform(0.8, 1.2)  # noqa: S311 - jitter
    again = teken.clock.now() + timedelta(minutes=minutes)
    if refused.final:
        found = Not(Outcome.REFUSED, refused.code)
    elif again > instant(row.until):
        found = Not(Outcome.GIVEN_UP, refused.code)
    else:
        found = Not(Outcome.WAITING, refused.code, again)
    try:
        _settled(teken, held, row, found, counted=True)
    except (Lost, StoreBusy):
        log.info("notice_lost", notice=held.id)


def _settled(teken: Teken, held: Held, row: Row[Any], found: Not, *, counted: bool = False) -> None:
    """Record it; where this channel can't tell him, the office's next one shall."""
    now = teken.clock.now()
    with teken.db.write() as connection:
        if found.until is not None:
            store.put_off(connection, held, found.until, found.cause, counted=counted)
            return
        store.end(connection, held, found.outcome, now, found.cause)
        office = teken.offices.offices.get(row.office)
        if office is not None and found.outcome is not Outcome.MOOT:
            permit = connection.execute(select(permits).where(permits.c.id == row.permit)).one()
            next_channel(connection, office, permit, row, now)
