"""The desk's log: who saw and did what, and what was refused. Only appended to; holds ids and codes, nothing of a holder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, insert, select

from service.canonical import dumps
from service.clock import stamp
from service.store.desk_tables import desk_log

if TYPE_CHECKING:
    from service.wiring import Teken

OK = "ok"


def note(
    teken: Teken,
    *,
    office: str,
    account: str,
    action: str,
    permit: str | None = None,
    outcome: str = OK,
    connection: Connection | None = None,
    **detail: Any,
) -> None:
    """Append one line, in the caller's transaction if there is one."""
    line = {
        "at": stamp(teken.clock.now()),
        "office": office,
        "account": account,
        "action": action,
        "permit": permit,
        "outcome": outcome,
        "detail": dumps(detail),
    }
    if connection is not None:
        connection.execute(insert(desk_log).values(**line))
        return
    with teken.db.write() as own:
        own.execute(insert(desk_log).values(**line))


def lines(
    teken: Teken,
    office: str,
    *,
    permit: str | None = None,
    account: str | None = None,
    span: tuple[str, str] | None = None,
    before: int | None = None,
    most: int = 100,
) -> list[Row[Any]]:
    """Return the newest lines of an office, newest first: of one permit, of one account, of a span of instants (stamps)."""
    query = select(desk_log).where(desk_log.c.office == office).order_by(desk_log.c.id.desc()).limit(most)
    if permit is not None:
        query = query.where(desk_log.c.permit == permit)
    if account is not None:
        query = query.where(desk_log.c.account == account)
    if span is not None:
        query = query.where(desk_log.c.at >= span[0], desk_log.c.at < span[1])
    if before is not None:
        query = query.where(desk_log.c.id < before)
    with teken.db.read() as connection:
        return list(connection.execute(query).all())
