"""Whether numbering is open, and how old the newest backup is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from service import gate, register, standings
from service.backup.make import MADE
from service.clock import instant
from service.doctor.findings import Note, day, fault, warning, well
from service.store.tables import documents

if TYPE_CHECKING:
    from service.doctor.view import View

OLD: Final = timedelta(hours=26)
"""A backup a day, and two hours for one that takes long."""


def look_at_numbering(view: View) -> Iterator[Note]:
    """A closed gate is a fault until somebody opened it."""
    with view.read() as connection:
        closed, holes = gate.closure(connection), register.holes(connection)
    if closed is None:
        yield well("numbering_open_fine")
    else:
        yield fault("numbering_shut", since=day(instant(closed.closed_at)), holes=str(len(holes)))


def look_at_backup(view: View) -> Iterator[Note]:
    """The newest one that was finished, whichever folder it is in; backups made by other means are not seen."""
    with view.read() as connection:
        made = max(standings.noted(connection, MADE), key=lambda one: one.at, default=None)
        something = connection.execute(select(documents.c.sha).limit(1)).first() is not None
    if made is None:
        yield warning("backup_never") if something else well("backup_not_yet")
    elif view.clock.now() - instant(made.at) > OLD:
        yield warning("backup_old", made.place, day=day(instant(made.at)))
    elif made.detail.get("lost"):
        yield warning("backup_lacks", made.place, count=str(made.detail["lost"]))
    else:
        yield well("backup_fine", made.place, day=day(instant(made.at)))
