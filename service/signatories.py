"""Papers that name somebody else than who signs today are made again: parafs and number stay, and the new signer reads them.

An order looks at the mandate again anyway; this saves the head from finding it out one by one.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import Connection, select

from service import moves
from service.errors import TekenError
from service.people import signatory
from service.store import StoreBusy
from service.store.desk_tables import AT_DESK
from service.store.permits import lock
from service.store.tables import permits

if TYPE_CHECKING:
    from service.pins import Bundle
    from service.wiring import Teken

log = structlog.get_logger("teken.signatories")
REASON = {"reason": "signatory_changed"}


@dataclass(frozen=True, slots=True)
class Outdated:
    """A paper that waits at a desk and names the wrong official."""

    permit: str
    fence: int
    bundle: Bundle


def renew(teken: Teken, office: str | None = None) -> int:
    """Have every outdated paper made again (of one office, or of all), each in its own transaction; return how many."""
    with teken.db.read() as connection:
        found = outdated(connection, teken, office)
    return sum(make_again(teken, one) for one in found)


def outdated(connection: Connection, teken: Teken, office: str | None = None) -> list[Outdated]:
    """Return the papers at desks, not yet ordered, that do not name who signs now. Where nobody may sign, papers stay as they are."""
    query = select(permits.c.id, permits.c.pin, permits.c.signatory, permits.c.fence).where(
        AT_DESK, permits.c.final_sha.is_not(None), permits.c.head_sha.is_(None)
    )
    if office is not None:
        query = query.where(permits.c.office == office)
    named: dict[str, str | None] = {}
    found = []
    for row in connection.execute(query.order_by(permits.c.id)).all():
        bundle = teken.pins.open(row.pin)
        if row.pin not in named:
            named[row.pin] = _today(connection, teken, bundle)
        if named[row.pin] not in {None, row.signatory}:
            found.append(Outdated(row.id, row.fence, bundle))
    return found


def make_again(teken: Teken, paper: Outdated) -> bool:
    """Send one paper back to be typeset; tell whether it still waited as it was found."""
    procedure = paper.bundle.permit_type.procedure
    with teken.db.write() as connection:
        row = lock(connection, paper.permit)
        if row is None or (row.fence, row.queue, row.pin) != (paper.fence, "person", paper.bundle.pin):
            return False
        moved = moves.settle(connection, row, procedure, teken.clock.now(), final_sha=None)
        moves.tell(connection, teken, moved, "permit.paper_outdated", REASON)
    teken.doorbell.ring(moved.queue, moved.id)
    return True


def _today(connection: Connection, teken: Teken, bundle: Bundle) -> str | None:
    try:
        return signatory(
            connection, bundle.office, bundle.permit_type.procedure.signing_role, teken.clock.now()
        ).as_json()
    except TekenError:
        return None


@dataclass(slots=True)
class Watch:
    """The worker's: mandates begin and end at midnight, without anybody doing anything."""

    seconds: float = 300
    _next: float = 0

    def look(self, teken: Teken) -> None:
        """Called in spare time. A fault of the program here must not end the worker, whose other work goes on."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + self.seconds
        try:
            renew(teken)
        except StoreBusy:
            raise
        except Exception as error:  # noqa: BLE001 - told, and tried again at the next look
            log.error("signatories_failed", error=type(error).__name__)  # noqa: TRY400 - a traceback may quote the case
