"""How far the journal and each series have come, noted outside the database: in `home`, and beside the documents in the archive.

A database that is put back (a restored copy, a fail-over that lost commits) knows nothing of what it lost. These marks do.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import structlog
from sqlalchemy import Connection, func, select

from service import durable, journal
from service.archive import ArchiveDamaged, ArchiveUnreachable
from service.canonical import dumps
from service.checkpoint import Notary, read
from service.store import gate_tables
from service.store.gate_tables import closures
from service.store.tables import events, series

if TYPE_CHECKING:
    from service.wiring import Teken

log = structlog.get_logger("teken.highwater")
_CONTEXT = b"teken/mark/v1\n"


@dataclass(frozen=True, slots=True)
class Mark:
    """A signed word: in this era (how often numbering was opened again) the journal had this checkpoint, the series these last numbers."""

    era: int
    length: int
    head: str
    last: Mapping[str, int]
    text: str

    @property
    def order(self) -> tuple[int, int]:
        """A later era counts more than a longer journal: what an earlier one lost has been accepted."""
        return (self.era, self.length)

    @classmethod
    def read(cls, text: str, notary: Notary) -> Self | None:
        """Return what a mark of ours says; None for anything else."""
        try:
            told = json.loads(text)
            said, signature = told["said"], bytes.fromhex(told["signature"])
            notary.key.public_key().verify(signature, _CONTEXT + dumps(said).encode())
            noted = read(said["checkpoint"], notary.verifier)
            return cls(int(said["era"]), noted.length, noted.head, dict(said["last"]), text)
        except Exception:  # noqa: BLE001 - a torn or foreign file is no mark, whatever it is instead
            return None


def now(connection: Connection, notary: Notary) -> Mark | None:
    """Return the mark of this database as it is; None before the first event."""
    checkpoint = journal.newest_checkpoint(connection)
    if not checkpoint:
        return None
    last = {row.name: row.last_no for row in connection.execute(select(series.c.name, series.c.last_no))}
    said = {"era": era(connection), "checkpoint": checkpoint, "last": last}
    signature = notary.key.sign(_CONTEXT + dumps(said).encode()).hex()
    return Mark.read(dumps({"said": said, "signature": signature}), notary)


def era(connection: Connection) -> int:
    """Return how often numbering was opened again."""
    query = select(func.count()).select_from(closures).where(closures.c.opened_at.is_not(None))
    return int(connection.execute(query).scalar_one())


def went_back(connection: Connection, mark: Mark) -> bool:
    """Tell whether this database is not the one that the mark saw, or an earlier state of it."""
    today = era(connection)
    if mark.era != today:
        return mark.era > today
    known = connection.execute(select(events.c.hash).where(events.c.seq == mark.length)).scalar_one_or_none()
    return known != mark.head


def at_home(teken: Teken) -> Mark | None:
    """Return this host's mark."""
    try:
        return Mark.read(_file(teken).read_text("utf-8"), teken.notary)
    except (OSError, UnicodeDecodeError):
        return None


def in_archive(teken: Teken) -> Mark | None:
    """Return the newest mark beside the documents; None also where the archive can't be asked now."""
    try:
        found = teken.archive.newest_mark()
    except (ArchiveUnreachable, ArchiveDamaged, OSError):
        return None
    return Mark.read(found.decode("utf-8", "replace"), teken.notary) if found else None


def rise(teken: Teken) -> Mark | None:
    """Note at home how far we have come, unless numbering is closed or more is noted already; return the mark that stands there."""
    with teken.db.read() as connection:
        mark = None if is_closed(connection) else now(connection, teken.notary)
    return mark and _raise(teken, mark)


def rise_everywhere(teken: Teken) -> None:
    """The same, and in the archive: what is left when this host is gone. An archive that is away is told later."""
    mark = rise(teken)
    if mark is None:
        return
    try:
        teken.archive.put_mark(mark.order, mark.text.encode())
    except (ArchiveUnreachable, OSError) as error:
        log.warning("mark_waits", error=type(error).__name__)


def is_closed(connection: Connection) -> bool:
    """Tell whether numbering is closed."""
    return bool(connection.execute(select(gate_tables.is_closed)).scalar_one())


def _raise(teken: Teken, mark: Mark) -> Mark:
    """Several processes of a host write the same file: one at a time, and never a lower mark over a higher one."""
    path = _file(teken)
    try:
        with _alone(path):
            known = at_home(teken)
            if known is not None and known.order >= mark.order:
                return known
            durable.write(path, mark.text.encode())
    except OSError as error:
        log.warning("mark_not_written", error=type(error).__name__)
    return mark


class _alone:  # noqa: N801 - reads as a word of the with statement
    """Holds the file's lock."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_suffix(".lock")
        self._descriptor = -1

    def __enter__(self) -> None:
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            os.close(self._descriptor)


def _file(teken: Teken) -> Path:
    return teken.settings.home / "high-water"
