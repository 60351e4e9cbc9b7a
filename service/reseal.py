"""Seals again, with the newest data key, what older ones sealed: after a new key, or photos of before photos were sealed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Column, Connection, Table, Text, and_, func, select, type_coerce, update

from service import photos
from service.archive import ArchiveDamaged
from service.store.sealed import Sealed
from service.store.tables import data_keys, metadata, revisions
from service.vault import VERSION, key_of
from service.webhooks import sealing as webhooks

if TYPE_CHECKING:
    from service.wiring import Teken

_PAGE: Final = 200
_ID: Final = len(f"{VERSION}.k") + 12


def uses(teken: Teken) -> dict[str, int]:
    """Return how many texts of the database each key sealed, in whichever column; reads every table."""
    found: Counter[str] = Counter()
    with teken.db.read() as connection:
        for table in metadata.sorted_tables:
            for column in table.columns:
                if isinstance(column.type, Text | Sealed) and table is not data_keys:
                    text = type_coerce(column, Text)
                    head = func.substr(text, 1, _ID)
                    query = select(head, func.count()).where(text.like(f"{VERSION}.k%")).group_by(head)
                    found.update({key_of(f"{name}."): count for name, count in connection.execute(query)})
    return dict(found)


def reseal(teken: Teken) -> tuple[int, int]:
    """Seal every sealed column and photo anew that is not of the newest key; return how many of both. May be interrupted."""
    newest = list(teken.vault.keys())[-1]
    texts = sum(_column(teken, table, column, newest) for table, column in _sealed())
    return texts + webhooks.reseal(teken), _photos(teken)


def _sealed() -> Iterator[tuple[Table, Column[Any]]]:
    for table in metadata.sorted_tables:
        yield from ((table, column) for column in table.columns if isinstance(column.type, Sealed))


def _column(teken: Teken, table: Table, column: Column[Any], newest: str) -> int:
    text, keys, done = type_coerce(column, Text), list(table.primary_key.columns), 0
    older = column.is_not(None) & text.not_like(f"{VERSION}.{newest}.%")
    while True:
        with teken.db.write() as connection:
            rows = connection.execute(select(*keys, text.label("sealed"), column).where(older).limit(_PAGE)).all()
            for row in rows:
                mine = and_(*(key == row[at] for at, key in enumerate(keys)))
                connection.execute(update(table).where(mine).values({column: row[-1]}))
        done += len(rows)
        if len(rows) < _PAGE:
            return done


def _photos(teken: Teken) -> int:
    """The bytes before stay in the archive until the sweep finds them unnamed."""
    with teken.db.read() as connection:
        named = select(revisions.c.photo_sha).where(revisions.c.photo_sha.is_not(None)).distinct()
        names = connection.execute(named).scalars().all()
    done = 0
    for name in names:
        try:
            fresh = photos.keep(teken, photos.read(teken, name))
        except ArchiveDamaged:
            continue  # the scrub tells of it
        if fresh != name:
            with teken.db.write() as connection:
                _rename(connection, name, fresh)
            done += 1
    return done


def _rename(connection: Connection, name: str, fresh: str) -> None:
    connection.execute(update(revisions).where(revisions.c.photo_sha == name).values(photo_sha=fresh))
