"""A permit for somebody of its own office. Another office's is unknown, as if it were not there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, select

from service.cases import Case, restore
from service.desk.sessions import Session
from service.errors import NotFound
from service.people import local_day, nearest
from service.sop.model import RoleCode
from service.store.tables import permits, revisions

if TYPE_CHECKING:
    from service.pins import Bundle
    from service.wiring import Teken


def own(connection: Connection, who: Session, permit: str) -> Row[Any]:
    """Return the row of a permit of the person's own office. Raises NotFound."""
    mine = (permits.c.id == permit) & (permits.c.office == who.account.office)
    row = connection.execute(select(permits).where(mine)).first()
    if row is None:
        raise NotFound("permit_unknown")
    return row


def signing_today(connection: Connection, teken: Teken, who: Session) -> frozenset[str]:
    """Return the roles in which this person's signature counts today: not those that a Plh. exercises in his place."""
    office = teken.offices.office(who.account.office)
    day = local_day(office, teken.clock.now())
    held = [role for role in who.roles if RoleCode(role) in office.roles and office.roles[RoleCode(role)].signs]
    chosen = {role: nearest(connection, office, role, day) for role in held}
    return frozenset(role for role, one in chosen.items() if one is not None and one.official == who.account.official)


def content(connection: Connection, row: Row[Any], bundle: Bundle, revision: int | None = None) -> Case:
    """Return the case as it is now, or as an earlier revision had it."""
    mine = (revisions.c.permit == row.id) & (revisions.c.revision == (revision or row.revision))
    body = connection.execute(select(revisions.c.body).where(mine)).scalar_one()
    return restore(body.encode(), bundle.permit_type)
