"""Rows of the offline QR: keys that ever signed, an office's newest list, and the codes that it names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select, update

from service.clock import stamp
from service.codes import CODE_LENGTH, crockford
from service.permits import State
from service.qr import list_id
from service.store.qr_tables import KeyState, qr_burned, qr_keys, qr_lists
from service.store.tables import permits

ENDED: Final = (State.REVOKED, State.SUSPENDED, State.REPLACED, State.CLOSED)
"""A permit whose paper may be about, and is not in force; CLOSED was withdrawn before its issue."""


def record(connection: Connection, office: str, kid: str, x: str, y: str, now: datetime) -> None:
    """Note a key as active if it isn't known."""
    if find(connection, office, kid) is None:
        values = {"office": office, "kid": kid, "x": x, "y": y}
        connection.execute(insert(qr_keys).values(**values, state=KeyState.ACTIVE, not_before=stamp(now)))


def find(connection: Connection, office: str, kid: str) -> Row[Any] | None:
    """Return one key."""
    return connection.execute(select(qr_keys).where(qr_keys.c.office == office, qr_keys.c.kid == kid)).first()


def keys(connection: Connection, offices: Iterable[str] | None = None) -> Sequence[Row[Any]]:
    """Return every key that ever signed for these offices (None: for all), the oldest first."""
    query = select(qr_keys).order_by(qr_keys.c.office, qr_keys.c.not_before, qr_keys.c.kid)
    return connection.execute(query if offices is None else query.where(qr_keys.c.office.in_(sorted(offices)))).all()


def offices(connection: Connection) -> set[str]:
    """Return the offices that ever had a key: papers that it signed are about for years."""
    return set(connection.execute(select(qr_keys.c.office).distinct()).scalars())


def end(connection: Connection, office: str, state: KeyState, now: datetime, *, kid: str | None = None) -> int:
    """Retire the office's active keys, or call one compromised; return how many that changed."""
    mine = qr_keys.c.office == office
    mine &= qr_keys.c.state == KeyState.ACTIVE if kid is None else (qr_keys.c.kid == kid) & (qr_keys.c.state != state)
    return connection.execute(update(qr_keys).where(mine).values(state=state, ended_at=stamp(now))).rowcount


def burn(connection: Connection, row: Row[Any], now: datetime) -> Mapping[str, Any]:
    """List the code of a paper that is never issued; return the columns of a permit that begins with another code."""
    burned = {"id": list_id(row.code).hex(), "office": row.office, "permit": row.id, "at": stamp(now)}
    connection.execute(insert(qr_burned).values(**burned))
    fresh = crockford(CODE_LENGTH)
    return {"qr": None, "code": fresh, "verify_url": row.verify_url.rpartition("/")[0] + "/" + fresh}


def ended(connection: Connection, office: str) -> list[tuple[str, str]]:
    """Return (code, state) of each permit with such a QR whose paper proves too much."""
    query = select(permits.c.code, permits.c.state).where(
        permits.c.office == office, permits.c.qr.is_not(None), permits.c.state.in_(ENDED)
    )
    return [(code, state) for code, state in connection.execute(query)]


def burned(connection: Connection, office: str) -> list[bytes]:
    """Return the ids of codes that no permit bears any more."""
    query = select(qr_burned.c.id).where(qr_burned.c.office == office)
    return [bytes.fromhex(one) for one in connection.execute(query).scalars()]


def lists(connection: Connection, offices: Iterable[str] | None = None) -> Sequence[Row[Any]]:
    """Return the newest list of each of these offices (None: of all)."""
    query = select(qr_lists).order_by(qr_lists.c.office)
    return connection.execute(query if offices is None else query.where(qr_lists.c.office.in_(sorted(offices)))).all()


def put_list(connection: Connection, office: str, values: Mapping[str, str]) -> None:
    """Put a list in the place of the office's last one."""
    if not connection.execute(update(qr_lists).where(qr_lists.c.office == office).values(**values)).rowcount:
        connection.execute(insert(qr_lists).values(office=office, **values))
