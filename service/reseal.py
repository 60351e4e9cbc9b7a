"""Seals again, with the newest data key, what older ones sealed: after a new key, or photos of before photos were sealed.

In pages, each its own transaction: it may be killed and run again, also beside people who work, and beside another of its kind.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Column, Table, Text, and_, func, select, tuple_, type_coerce, update

from service import photos
from service.archive import ArchiveDamaged
from service.corrections import newest as newest_revision
from service.retention import DRAFTS
from service.store import names
from service.store.desk_tables import proposals
from service.store.permits import lock
from service.store.sealed import Sealed
from service.store.tables import case_names, data_keys, metadata, revisions
from service.vault import VERSION, key_of, key_of_file
from service.webhooks import sealing as webhooks

if TYPE_CHECKING:
    from service.wiring import Teken

_PAGE: Final = 200
_ID: Final = len(f"{VERSION}.k") + 12
_HASH: Final = re.compile(r"\b[0-9a-f]{64}\b")


def uses(teken: Teken) -> dict[str, int]:
    """Return how many texts and notes of names each key made, in whichever column; reads every table.

    Under "" are notes of before they told their key: `reseal` makes them anew.
    """
    found: Counter[str] = Counter()
    with teken.db.read() as connection:
        for table in metadata.sorted_tables:
            for column in table.columns:
                if isinstance(column.type, Text | Sealed) and table is not data_keys:
                    text = type_coerce(column, Text)
                    head = func.substr(text, 1, _ID)
                    query = select(head, func.count()).where(text.like(f"{VERSION}.k%")).group_by(head)
                    found.update({key_of(f"{name}."): count for name, count in connection.execute(query)})
        known = [*teken.vault.keys(), *connection.execute(select(data_keys.c.id)).scalars()]
        marks = {names.mark_of(key): key for key in known}
        found.update({marks.get(mark, mark): count for mark, count in names.count(connection).items()})
    return dict(found)


def uses_of_photos(teken: Teken) -> dict[str, int]:
    """Return how many photos of the archive each key sealed; reads them all. Those of before sealing are nobody's.

    Raises ArchiveUnreachable.
    """
    found: Counter[str] = Counter()
    for name in (*_of_cases(teken), *(photo for _, photo in _of_drafts(teken))):
        try:
            found[key_of_file(teken.archive.get(name))] += 1
        except ArchiveDamaged:
            continue  # the scrub tells of it
    return dict(found)


def reseal(teken: Teken) -> tuple[int, int]:
    """Seal every sealed column, name and photo anew that is not of the newest key; return how many texts and photos.

    Raises VaultShut, SealBroken, ArchiveUnreachable.
    """
    newest = list(teken.vault.keys())[-1]
    texts = sum(_column(teken, table, column, newest) for table, column in _sealed())
    return texts + _names(teken) + webhooks.reseal(teken), _photos(teken, newest)


def _sealed() -> Iterator[tuple[Table, Column[Any]]]:
    for table in metadata.sorted_tables:
        yield from ((table, column) for column in table.columns if isinstance(column.type, Sealed))


def _column(teken: Teken, table: Table, column: Column[Any], newest: str) -> int:
    """Each row is locked before it is read: what is written back is never older than what somebody else wrote."""
    text, keys, done = type_coerce(column, Text), list(table.primary_key.columns), 0
    older = column.is_not(None) & text.not_like(f"{VERSION}.{newest}.%")
    page = select(*keys, column).where(older).order_by(*keys).limit(_PAGE).with_for_update()
    query = page
    while True:
        with teken.db.write() as connection:
            rows = connection.execute(query).all()
            for row in rows:
                mine = and_(*(key == row[at] for at, key in enumerate(keys)))
                connection.execute(update(table).where(mine).values({column: row[-1]}))
        done += len(rows)
        if len(rows) < _PAGE:
            return done
        query = page.where(tuple_(*keys) > tuple_(*rows[-1][:-1]))


def _names(teken: Teken) -> int:
    last, done = "", 0
    while True:
        with teken.db.write() as connection:
            mine = names.outdated(connection) & (case_names.c.permit > last)
            query = select(case_names.c.permit).where(mine).distinct().order_by(case_names.c.permit).limit(_PAGE)
            page = connection.execute(query).scalars().all()
            for permit in page:
                row = lock(connection, permit)
                revision = None if row is None else newest_revision(connection, row)
                names.forget(connection, permit)
                if row is not None and revision is not None and revision.erased_at is None:
                    names.note(connection, permit, row.office, revision.body)
        done += len(page)
        if len(page) < _PAGE:
            return done
        last = page[-1]


def _photos(teken: Teken, newest: str) -> int:
    """The bytes before stay in the archive until the sweep finds them unnamed."""
    done = 0
    for name in _of_cases(teken):
        if fresh := _fresh(teken, name, newest):
            with teken.db.write() as connection:
                mine = revisions.c.photo_sha == name
                connection.execute(update(revisions).where(mine).values(photo_sha=fresh))
            done += 1
    for draft, name in _of_drafts(teken):
        if fresh := _fresh(teken, name, newest):
            _rename_in(teken, draft, name, fresh)
            done += 1
    return done


def _fresh(teken: Teken, name: str, newest: str) -> str | None:
    """Store a photo under the newest key; return its new name, None if it needs none."""
    try:
        if key_of_file(teken.archive.get(name)) == newest:
            return None
        return photos.keep(teken, photos.read(teken, name))
    except ArchiveDamaged:
        return None  # the scrub tells of it


def _of_cases(teken: Teken) -> list[str]:
    with teken.db.read() as connection:
        named = select(revisions.c.photo_sha).where(revisions.c.photo_sha.is_not(None)).distinct()
        return list(connection.execute(named).scalars())


def _of_drafts(teken: Teken) -> list[tuple[str, str]]:
    """Return (proposal, photo) of what was typed at the desk; a name that leads to no file may be among them."""
    with teken.db.read() as connection:
        typed = select(proposals.c.id, proposals.c.payload).where(proposals.c.kind.in_(DRAFTS))
        return [(row.id, name) for row in connection.execute(typed) for name in sorted(set(_HASH.findall(row.payload)))]


def _rename_in(teken: Teken, draft: str, name: str, fresh: str) -> None:
    with teken.db.write() as connection:
        mine = proposals.c.id == draft
        text = connection.execute(select(proposals.c.payload).where(mine).with_for_update()).scalar_one_or_none()
        if text is not None:
            connection.execute(update(proposals).where(mine).values(payload=text.replace(name, fresh)))
