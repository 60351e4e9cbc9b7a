"""Makes notices: of what the journal says, in its order, and of permits that are about to end. Each is made once, whoever looks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, Row, exists, select

from service.archive import sha256
from service.clock import instant, stamp
from service.notices.contact import addresses
from service.notices.quiet import earliest
from service.people import local_day
from service.permits import State
from service.store import notices as store
from service.store.notice_tables import Outcome, notices
from service.store.permits import Lost
from service.store.tables import events, permits

if TYPE_CHECKING:
    from service.sop.model import Notices, Office
    from service.wiring import Teken

KINDS: Final = {"permit.ready": "ready", "permit.issued": "issued", "case.returned": "returned"}
"""Events that applicants may be told of."""
ENDING: Final = "expiring"
NEWS: Final = timedelta(days=3)
"""What happened longer ago than this, before anybody followed the journal here, is not told any more."""
A_DAY: Final = timedelta(days=1)
ONE_ROUND: Final = 200


def follow(teken: Teken, *, limit: int = ONE_ROUND) -> int:
    """Make the notices of the next events; return how many events were looked at."""
    now = teken.clock.now()
    with teken.db.read() as connection:
        after = store.place(connection)
        rows = [] if after is None else _next(connection, after, limit)
        made = [row for event in rows for row in _of_event(connection, teken, event, now)]
    if after is not None and not rows:
        return 0
    try:
        with teken.db.write() as connection:
            if after is None:
                store.begin(connection)
                return 0
            for row in made:
                store.enter(connection, row)
            store.advance(connection, after, rows[-1].seq)
    except Lost:
        return 0
    return len(rows)


def remind(teken: Teken, *, limit: int = ONE_ROUND) -> int:
    """Make the notices of permits that are about to end, of offices that want that; return how many. Once a day is enough."""
    found, now = 0, teken.clock.now()
    for office in teken.offices.offices.values():
        while office.notices is not None and ENDING in office.notices.kinds:
            with teken.db.read() as connection:
                rows = connection.execute(_ending(office, office.notices, now).limit(limit)).all()
                made = [_made(connection, office, row, ENDING, str(row.valid_to), now) for row in rows]
            with teken.db.write() as connection:
                for one in made:
                    store.enter(connection, one)
            found += len(made)
            if len(made) < limit:
                break
    return found


def next_channel(connection: Connection, office: Office, row: Row[Any], failed: Row[Any], now: datetime) -> None:
    """Where one channel failed, enter the notice for the next one of the office for which there is an address."""
    policy, known = office.notices, addresses(connection, row)
    if policy is None or failed.channel not in policy.channels:
        return
    later = policy.channels[policy.channels.index(failed.channel) + 1 :]
    following = next((one for one in later if one in known), None)
    if following is not None:
        store.enter(connection, _row(office, row, failed.kind, failed.occasion, following, now))


def no_try_after(due: datetime) -> datetime:
    """Return when a notice is given up."""
    return due + A_DAY


def _next(connection: Connection, after: int, limit: int) -> list[Row[Any]]:
    query = select(events.c.seq, events.c.id, events.c.type, events.c.at, events.c.office, events.c.permit)
    return list(connection.execute(query.where(events.c.seq > after).order_by(events.c.seq).limit(limit)))


def _of_event(connection: Connection, teken: Teken, event: Row[Any], now: datetime) -> Iterator[dict[str, Any]]:
    office, kind = teken.offices.offices.get(event.office), KINDS.get(event.type)
    if office is None or office.notices is None or kind not in office.notices.kinds:
        return
    if instant(event.at) < now - NEWS:
        return
    row = connection.execute(select(permits).where(permits.c.id == event.permit)).one()
    yield _made(connection, office, row, kind, event.id, now)


def _ending(office: Office, policy: Notices, now: datetime) -> Any:
    """In force, ending soon, with no newer permit under way, and not told yet."""
    today = local_day(office, now)
    newer, told = permits.alias(), notices.alias()
    last = (today + timedelta(days=policy.expiring_days)).isoformat()
    return (
        select(permits)
        .where(permits.c.office == office.code, permits.c.state == State.IN_FORCE)
        .where(permits.c.valid_to >= today.isoformat(), permits.c.valid_to <= last)
        .where(~exists().where(newer.c.replaces == permits.c.id, newer.c.state != State.CLOSED))
        .where(
            ~exists().where(told.c.permit == permits.c.id, told.c.kind == ENDING, told.c.occasion == permits.c.valid_to)
        )
        .order_by(permits.c.id)
    )


def _made(
    connection: Connection, office: Office, row: Row[Any], kind: str, occasion: str, now: datetime
) -> dict[str, Any]:
    assert office.notices is not None, "asked only of offices with notices"
    known = addresses(connection, row)
    channel = next((one for one in office.notices.channels if one in known), None)
    if channel is not None:
        return _row(office, row, kind, occasion, channel, now)
    nowhere = _row(office, row, kind, occasion, office.notices.channels[0], now)
    return nowhere | {"outcome": Outcome.NO_ADDRESS, "ended_at": stamp(now)}


def _row(office: Office, row: Row[Any], kind: str, occasion: str, channel: str, now: datetime) -> dict[str, Any]:
    """A notice that waits. Its id follows from what it is: made again after a restore it is the same."""
    policy = office.notices
    assert policy is not None, "asked only of offices with notices"
    due = earliest(now, policy.quiet_from, policy.quiet_to, office.calendar.timezone)
    named = sha256(f"{row.id}|{kind}|{occasion}|{channel}".encode())
    return {
        "id": f"ntf_{named[:24]}",
        "office": office.code,
        "permit": row.id,
        "kind": kind,
        "occasion": occasion,
        "channel": channel,
        "made_at": stamp(now),
        "due_at": stamp(due),
        "until": stamp(no_try_after(due)),
        "outcome": Outcome.WAITING,
    }
