"""Drops a data key from the file once nothing needs it any more: after one leaked, and everything was sealed anew.

What it sealed in backups of before stays readable only with a copy of it: an operator keeps that apart, as long as those backups.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, Row, select, update

from service.clock import instant, stamp
from service.errors import Conflict, NotFound
from service.reseal import uses, uses_of_photos
from service.store.tables import data_keys

if TYPE_CHECKING:
    from service.wiring import Teken

SETTLED: Final = timedelta(days=1)
"""So long a form may be open that names a photo, and a host be behind whose file lacks the newest key."""


def drop(teken: Teken, name: str) -> None:
    """Take a key out of the file of this host, once nothing needs it. May be killed and run again.

    Raises NotFound("data_key_unknown"), Conflict (data_key_seals, data_key_young, data_key_needed), VaultShut, ArchiveUnreachable.
    """
    newest = list(teken.vault.keys())[-1]
    if name == newest:
        raise Conflict("data_key_seals")
    now = teken.clock.now()
    with teken.db.read() as connection:
        if _row(connection, name) is None:
            raise NotFound("data_key_unknown")
        seals_since = _row(connection, newest)
    if seals_since is None or now - instant(seals_since.seen_at) < SETTLED:
        raise Conflict("data_key_young", hours=str(int(SETTLED.total_seconds() // 3600)))
    _refuse_if_needed(teken, name)
    with teken.db.write() as connection:  # before the file: without the mark no process starts that lacks the key
        connection.execute(update(data_keys).where(data_keys.c.id == name).values(dropped_at=stamp(now)))
    gone = teken.vault.leave_out(name)
    try:
        _refuse_if_needed(teken, name, photos=False)  # what was being written meanwhile
    except Conflict:
        if gone is not None:
            teken.vault.put_back(gone)
            with teken.db.write() as connection:
                connection.execute(update(data_keys).where(data_keys.c.id == name).values(dropped_at=None))
        raise


def _refuse_if_needed(teken: Teken, name: str, *, photos: bool = True) -> None:
    used = uses(teken)
    texts = used.get(name, 0) + used.get("", 0)
    pictures = uses_of_photos(teken).get(name, 0) if photos else 0
    if texts or pictures:
        raise Conflict("data_key_needed", texts=str(texts), photos=str(pictures))


def _row(connection: Connection, name: str) -> Row[tuple[str, ...]] | None:
    return connection.execute(select(data_keys).where(data_keys.c.id == name)).first()
