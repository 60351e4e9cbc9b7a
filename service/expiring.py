"""Says in time that a certificate in use is going to expire: an event for the office, once a week."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from service.clock import instant, stamp
from service.errors import TekenError
from service.journal import Entry, append
from service.people import enrolled, local_day, seal_owner
from service.store.tables import events, mandates

if TYPE_CHECKING:
    from service.sop.model import Office
    from service.wiring import Teken

DAYS = 60
AGAIN = timedelta(days=7)
EVENT = "certificate.expiring"


def expiring(teken: Teken) -> list[dict[str, Any]]:
    """List the certificates with which an office signs or seals now and that have less than 60 days left."""
    now = teken.clock.now()
    with teken.db.read() as connection:
        return [one for office in teken.offices.offices.values() for one in ending(connection, office, now)]


def warn(teken: Teken) -> list[dict[str, Any]]:
    """Tell each in the journal, unless it was told within a week; return what was told."""
    now, told = teken.clock.now(), []
    for one in expiring(teken):
        with teken.db.write() as connection:
            if not _told(connection, one["certificate_sha256"], now):
                append(connection, teken.notary, now, Entry(EVENT, one["office"], None, None, one))
                told.append(one)
    return told


def ending(connection: Connection, office: Office, now: datetime) -> Iterator[dict[str, Any]]:
    """Yield what one office's certificates in use are, as far as they end within 60 days."""
    for owner in owners(connection, office, now):
        try:
            row = enrolled(connection, owner, now)
        except TekenError:  # nothing to warn of: the rehearsal refuses, and says why
            continue
        left = (instant(row.not_after) - now).days
        if left < DAYS:
            yield {"office": office.code, "owner": owner, "certificate_sha256": row.sha256, "days": left}


def owners(connection: Connection, office: Office, now: datetime) -> list[str]:
    """Who holds a signing role today, and the office's seal."""
    day = local_day(office, now).isoformat()
    signs = [role.code for role in office.roles.values() if role.signs]
    held = connection.execute(select(mandates).where(mandates.c.office == office.code, mandates.c.role.in_(signs)))
    people = {one.official for one in held if one.valid_from <= day and (one.valid_to is None or day <= one.valid_to)}
    return [*sorted(people), seal_owner(office)]


def _told(connection: Connection, sha256: str, now: datetime) -> bool:
    query = select(events.c.seq).where(events.c.type == EVENT, events.c.data.contains(sha256))
    return connection.execute(query.where(events.c.at > stamp(now - AGAIN)).limit(1)).first() is not None
