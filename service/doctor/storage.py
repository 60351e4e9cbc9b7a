"""Whether the database can be reached and has today's schema, and what its server's clock says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import make_url, text

from service.doctor.elsewhere import is_here
from service.doctor.findings import Note, fault, well
from service.doctor.moments import Reading
from service.store.localdisk import NetworkDisk, check_local

if TYPE_CHECKING:
    from service.doctor.view import View

_CODES: Final = {
    "unreachable": "database_unreachable",
    "empty": "database_empty",
    "behind": "database_behind",
    "ahead": "database_ahead",
}


def look_at_database(view: View) -> Iterator[Note]:
    """One line; a server's clock is handed on."""
    url = make_url(view.settings.database)
    host = str(url.host or url.query.get("host", "localhost"))
    where = f"{host}/{url.database}"
    if url.get_backend_name() == "sqlite":
        where = str(url.database)
        if not Path(where).is_file():
            yield fault("database_missing", where)
            return
        try:
            check_local(Path(where))
        except NetworkDisk:
            yield fault("database_remote", where)
    elif view.schema != "unreachable" and not is_here(host):
        view.readings.append(_reading(view, where))
    if view.schema in _CODES:
        yield fault(_CODES[view.schema], where)
    else:
        yield well("database_fine", where)


def _reading(view: View, where: str) -> Reading:
    before = view.clock.now()
    with view.database.read() as connection:
        theirs = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    return Reading(where, theirs, before, view.clock.now())
