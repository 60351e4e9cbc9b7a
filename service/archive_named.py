"""Every archived file that the database names, in the order of the names, on disk and not in memory: there may be millions."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import Column, ColumnElement, Connection, select

from service.archive import ArchiveDamaged, sha256
from service.store.batch_tables import batch_items
from service.store.desk_tables import desk_log, proposals
from service.store.dispatch_tables import dispatches
from service.store.tables import acts, documents, permits, prints, quarantine, revisions

if TYPE_CHECKING:
    from service.archive import Archive

DOCUMENT, PAPER, PHOTO, PIN, MENTIONED = "document", "paper", "photo", "pin", "mentioned"
"""What a name is to us: a released version; another state of a paper; a photo; the office's files; something that a text of the desk
mentions, which may be no archived file at all."""
READY: Final = sha256(b"teken ready\n")
_RANKS: Final = (DOCUMENT, PAPER, PHOTO, PIN, MENTIONED)
_PAGE: Final = 500
_HASH: Final = re.compile(r"\b[0-9a-f]{64}\b")
_COLUMNS: Final[tuple[tuple[str, Column[str], Column[str]], ...]] = (
    (DOCUMENT, documents.c.sha, documents.c.permit),
    (DOCUMENT, permits.c.released_sha, permits.c.id),
    *(
        (PAPER, permits.c[one], permits.c.id)
        for one in ("draft_sha", "final_sha", "ordered_sha", "head_sha", "sealed_sha")
    ),
    (PAPER, documents.c.extends, documents.c.permit),
    (PAPER, acts.c.document_sha, acts.c.permit),
    (PAPER, dispatches.c.sent_sha, dispatches.c.permit),
    (PAPER, dispatches.c.returned_sha, dispatches.c.permit),
    (PAPER, quarantine.c.sha, quarantine.c.permit),
    (PAPER, batch_items.c.seen_sha, batch_items.c.permit),
    (PAPER, prints.c.sha, prints.c.permit),
    (PHOTO, revisions.c.photo_sha, revisions.c.permit),
)

_ANY = revisions.alias()


@dataclass(frozen=True, slots=True)
class Named:
    """One name: what it is (the weightiest, if several) and to which permit it belongs, if to one."""

    name: str
    kind: str
    permit: str | None


class Names:
    """The names as one reading of the database found them, kept in a temporary file that goes with the object."""

    def __init__(self, connection: Connection, *, mentioned_in_log: bool = True) -> None:
        """What cases that were erased name is not asked for. `mentioned_in_log`: names in the desk's log count too."""
        self._file = sqlite3.connect("")
        self._file.execute("CREATE TABLE names (name TEXT PRIMARY KEY, rank INTEGER, permit TEXT) WITHOUT ROWID")
        for kind, column, permit in _COLUMNS:
            named = select(column, permit).where(column.is_not(None), ~_is_erased(permit))
            self._add(kind, connection.execute(named))
        self._pins = list(connection.execute(select(permits.c.pin).distinct()).scalars())
        for column in (desk_log.c.detail, proposals.c.payload) if mentioned_in_log else (proposals.c.payload,):
            texts = connection.execute(select(column)).scalars()
            self._add(MENTIONED, ((name, None) for text in texts for name in _HASH.findall(text)))

    def open_pins(self, *archives: Archive) -> None:
        """Add the offices' pinned files, which only their manifests name: in the first archive that has them sound.

        Raises ArchiveUnreachable.
        """
        for pin in self._pins:
            listed = next(filter(None, (_pinned(archive, pin) for archive in archives)), [])
            self._add(PIN, ((name, None) for name in (pin, *listed)))

    def close(self) -> None:
        """Remove the file."""
        self._file.close()

    def has(self, name: str) -> bool:
        """Tell whether anything names it."""
        return name == READY or self._file.execute("SELECT 1 FROM names WHERE name = ?", (name,)).fetchone() is not None

    def after(self, name: str = "") -> Iterator[Named]:
        """Yield the names in their order."""
        query = f"SELECT name, rank, permit FROM names WHERE name > ? ORDER BY name LIMIT {_PAGE}"  # noqa: S608 - a number of ours
        while found := self._file.execute(query, (name,)).fetchall():
            yield from (Named(one, _RANKS[rank], permit) for one, rank, permit in found)
            name = found[-1][0]

    def of(self, kinds: tuple[str, ...]) -> int:
        """Count the names of these kinds."""
        marks = ",".join(str(_RANKS.index(kind)) for kind in kinds)
        return int(self._file.execute(f"SELECT count(*) FROM names WHERE rank IN ({marks})").fetchone()[0])  # noqa: S608 - as above

    def _add(self, kind: str, rows: object) -> None:
        rank = _RANKS.index(kind)
        known = (
            "INSERT INTO names VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE"
            " SET rank = excluded.rank, permit = excluded.permit WHERE excluded.rank < rank"
        )
        self._file.executemany(known, ((name, rank, permit) for name, permit in rows))  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class OfPermits:
    """What some permits name."""

    found: tuple[Named, ...]
    pins: tuple[str, ...]

    def opened(self, archive: Archive) -> Iterator[Named]:
        """Yield all of it; the pinned files are named in the archive. Raises ArchiveUnreachable."""
        yield from self.found
        for pin in self.pins:
            yield from (Named(name, PIN, None) for name in (pin, *_pinned(archive, pin)))


def of_permits(connection: Connection, ids: Sequence[str]) -> OfPermits:
    """Return what these permits name, the released documents first."""
    found = {
        name: Named(name, kind, of)
        for kind, column, permit in reversed(_COLUMNS)
        for name, of in connection.execute(
            select(column, permit).where(permit.in_(ids), column.is_not(None), ~_is_erased(permit))
        )
    }
    pins = connection.execute(select(permits.c.pin).where(permits.c.id.in_(ids)).distinct()).scalars()
    return OfPermits(tuple(sorted(found.values(), key=lambda one: _RANKS.index(one.kind))), tuple(pins))


def _is_erased(permit: Column[str]) -> ColumnElement[bool]:
    """Nothing is missing of a case whose content is erased."""
    return select(_ANY.c.permit).where(_ANY.c.permit == permit, _ANY.c.erased_at.is_not(None)).exists()


def _pinned(archive: Archive, pin: str) -> list[str]:
    """A manifest that can't be read is told as damaged itself."""
    try:
        return [str(name) for name in json.loads(archive.get(pin))["files"].values()]
    except (ArchiveDamaged, OSError, ValueError, KeyError):
        return []
