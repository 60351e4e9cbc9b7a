"""What befalls a case before its issue besides its procedure: withdrawn, moved to the office's files of today, or begun again corrected."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, func, insert, select, update

from service import flow, moves, register
from service.archive import sha256
from service.canonical import digest
from service.clients import Client
from service.clock import stamp
from service.errors import NotFound, ReasonRequired, StateForbids
from service.journal import Entry, append
from service.permits import BEFORE_ISSUE, State
from service.sop.model import Procedure, Verb
from service.store.permits import change, lock
from service.store.tables import acts, permits, revisions

if TYPE_CHECKING:
    from service.wiring import Teken

REASON_LENGTH = 500
REPINNABLE = frozenset({State.RECEIVED, State.DRAFTED, State.IN_PARAF, State.NUMBERED})
BOOKKEEPING = frozenset({"attested", "complete_at", "upstream_id"})
"""Parts of a case that no paraf binds: upstream's own record of who did what when."""


def withdraw(teken: Teken, client: Client, permit_id: str, reason: str) -> dict[str, Any]:
    """Close a case before issue at upstream's wish; its number, if any, is voided. Withdrawing twice is one withdrawal.

    Raises NotFound, ReasonRequired, StateForbids (issued already).
    """
    reason = " ".join(reason.split())[:REASON_LENGTH]
    if not reason:
        raise ReasonRequired
    with teken.db.write() as connection:
        row = lock(connection, permit_id)
        if row is None or row.client != client.id:
            raise NotFound("permit_unknown")
        if row.state != State.CLOSED:
            row = _close(connection, teken, row, by=f"client:{client.id}", reason=reason)
    return {"id": row.id, "state": row.state, "upstream_id": row.upstream_id}


def withdraw_in(connection: Connection, teken: Teken, permit: str, *, official: str, reason: str) -> Row[Any]:
    """Close a case before issue by the office's own decision, in the caller's transaction; its number, if any, is voided.

    Raises ReasonRequired, StateForbids (issued or closed already).
    """
    reason = " ".join(reason.split())[:REASON_LENGTH]
    if not reason:
        raise ReasonRequired
    row = lock(connection, permit)
    assert row is not None, "permits are never deleted"
    return _close(connection, teken, row, by=f"official:{official}", reason=reason)


def expire_in(connection: Connection, teken: Teken, row: Row[Any], *, by: str) -> Row[Any]:
    """Close a returned case that nobody corrected in all the time that it is kept. Raises StateForbids."""
    return _close(connection, teken, row, by=by, reason="expired")


def repin(teken: Teken, permit_id: str) -> dict[str, Any]:
    """Move a case that nobody signed yet to the office's files of today, on the record: what was read of the old paper is voided (§4.1).

    Raises NotFound, StateForbids.
    """
    with teken.db.read() as connection:
        found = connection.execute(select(permits).where(permits.c.id == permit_id)).first()
    if found is None:
        raise NotFound("permit_unknown")
    pin = teken.pins.pin(found.office, found.type)
    procedure = teken.pins.open(pin).permit_type.procedure
    with teken.db.write() as connection:
        row = lock(connection, permit_id)
        assert row is not None, "permits are never deleted"
        if row.state not in REPINNABLE or row.pin == pin:
            raise StateForbids(state=row.state)
        body = json.loads(newest(connection, row).body)
        manifest_sha = manifest(body, pin)
        _copy_revision(connection, row, manifest_sha, teken.clock.now())
        moved, voided = begin_again(connection, teken, row, procedure, manifest_sha, pin)
        moves.tell(connection, teken, moved, "case.re_pinned", {"pin": pin, "before": row.pin, "acts_voided": voided})
    teken.doorbell.ring(moved.queue, moved.id)
    return {"id": moved.id, "state": moved.state, "revision": moved.revision}


def manifest(body: Mapping[str, Any], pin: str) -> str:
    """Hash what a reading binds: the case without upstream's own bookkeeping, and the pinned files."""
    return digest({"content": {k: v for k, v in body.items() if k not in BOOKKEEPING}, "pin": pin})


def begin_again(
    connection: Connection, teken: Teken, row: Row[Any], procedure: Procedure, manifest_sha: str, pin: str
) -> tuple[Row[Any], int]:
    """Void the readings of other content and everything made from it; the number and readings of the same content stay."""
    now = teken.clock.now()
    readings = [str(verb) for verb in flow.READINGS]
    outdated = acts.c.verb.not_in([*readings, str(Verb.NUMBER)]) | (
        acts.c.verb.in_(readings) & (acts.c.manifest_sha != manifest_sha)
    )
    mine = (acts.c.permit == row.id) & acts.c.voided_at.is_(None)
    voided = connection.execute(update(acts).where(mine, outdated).values(voided_at=stamp(now))).rowcount
    made = dict.fromkeys(("draft_sha", "final_sha", "ordered_sha", "signatory"))
    last = connection.execute(select(func.max(revisions.c.revision)).where(revisions.c.permit == row.id)).scalar_one()
    again = moves.settle(
        connection, row, procedure, now, state=State.RECEIVED, position=0, revision=last, pin=pin, **made
    )
    return again, voided


def newest(connection: Connection, row: Row[Any]) -> Row[Any]:
    """Return the newest revision of a permit's case."""
    return connection.execute(
        select(revisions).where(revisions.c.permit == row.id, revisions.c.revision == row.revision)
    ).one()


def _copy_revision(connection: Connection, row: Row[Any], manifest_sha: str, now: datetime) -> None:
    """The same content under another pin is another revision: readings bind both."""
    old = dict(newest(connection, row)._mapping)  # noqa: SLF001 - SQLAlchemy's public name
    fresh = old | {"revision": row.revision + 1, "manifest_sha": manifest_sha, "accepted_at": stamp(now)}
    connection.execute(insert(revisions).values(**fresh))


def _close(connection: Connection, teken: Teken, row: Row[Any], *, by: str, reason: str) -> Row[Any]:
    if row.state not in BEFORE_ISSUE:
        raise StateForbids(state=row.state)
    now = teken.clock.now()
    voided = register.void(connection, permit=row.id, by=by, reason="withdrawn", at=now)
    closed = change(connection, row, now, state=State.CLOSED, queue="none")
    data = {"state": State.CLOSED, "upstream_id": row.upstream_id, "by": by, "reason_sha256": sha256(reason.encode())}
    if voided:
        data |= {"voided": voided.number, "series": voided.series, "register_hash": voided.entry_hash}
    append(connection, teken.notary, now, Entry("permit.withdrawn", row.office, row.client, row.id, data))
    return closed
