"""Reads every archived file that the database names, hashes it, and heals what is lost from a second copy; lists what nobody names."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog
from sqlalchemy import select

from service import journal, standings
from service.archive import Archive, ArchiveDamaged, ArchiveUnreachable
from service.archive_named import DOCUMENT, MENTIONED, Named, Names
from service.journal import Entry
from service.store.tables import events, permits

if TYPE_CHECKING:
    from service.wiring import Teken

log = structlog.get_logger("teken.archive")
GRACE: Final = timedelta(days=1)
"""A file that nobody names is told when it is older: before, a process may still be about to name it."""
FORGOTTEN: Final = timedelta(days=7)
"""An interrupted scrub is taken up again for so long; later it begins anew."""
DAMAGED, HEALED = "archive.damaged", "archive.healed"
SCRUBBED: Final = "archive.scrubbed"
_NOTE_EVERY: Final = 200


@dataclass(frozen=True, slots=True)
class Finding:
    """One file that is not as it should be: `missing`, `damaged` or `unnamed`; and whether it is sound again."""

    what: str
    sha256: str
    kind: str
    permit: str | None
    healed: bool = False


@dataclass(slots=True)
class Scrub:
    """How far a scrub has come, and what it found; written to `home` on the way so that it can go on."""

    place: str
    begun: str
    after: str = ""
    read: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def lost(self) -> list[Finding]:
        """What is named and not sound, healed or not."""
        return [one for one in self.findings if one.what != "unnamed"]

    @property
    def unhealed(self) -> list[Finding]:
        """What an operator must look at."""
        return [one for one in self.lost if not one.healed]


class ArchiveEmpty(Exception):
    """The database names files and the archive has none at all: it is not mounted, or the address is another one. Nothing was touched."""


def scrub(
    teken: Teken,
    archive: Archive,
    place: str,
    *,
    second: Archive | None = None,
    anew: bool = False,
    journalled: bool = True,
    grace: timedelta = GRACE,
    told: Callable[[int], None] = lambda _read: None,
) -> Scrub:
    """Walk `archive` in the order of names, from where an interrupted scrub of the same place stopped.

    `second` heals: `mend` never overwrites, and a released document gets its lock again. Unless `journalled` is off, the offices' journals
    say what was lost. Raises ArchiveUnreachable (what was done is noted, and the next scrub goes on there) and ArchiveEmpty.
    """
    now, path = teken.clock.now(), teken.settings.home / "archive-scrub.json"
    state = Scrub(place, now.isoformat()) if anew else _resumed(path, place, now)
    with teken.db.read() as connection:
        names = Names(connection)
    with closing(names):
        if next(archive.names(), None) is None and next(names.after(), None) is not None:
            raise ArchiveEmpty
        names.open_pins(*filter(None, (archive, second)))
        try:
            for name, found in _walk(teken, archive, second, names, state.after, now - grace):
                state.after, state.read = name, state.read + 1
                if found is not None:
                    state.findings.append(found)
                    _tell(teken, found, journalled=journalled)
                if found is not None or state.read % _NOTE_EVERY == 0:
                    _note(path, state)
                    told(state.read)
        finally:
            _note(path, state)
    path.unlink(missing_ok=True)
    standings.note(teken, SCRUBBED, place, len(state.unhealed), read=state.read, lost=len(state.lost))
    return state


def _walk(
    teken: Teken, archive: Archive, second: Archive | None, names: Names, after: str, until: datetime
) -> Iterator[tuple[str, Finding | None]]:
    """Merge two ordered lists: what is named, and what is there. Yield every name, with what is wrong with it."""
    there = archive.names(after)
    stored = next(there, None)
    for named in names.after(after):
        while stored is not None and stored.name < named.name:
            yield stored.name, _unnamed(stored.name) if stored.since < until and not names.has(stored.name) else None
            stored = next(there, None)
        if stored is not None and stored.name == named.name:
            stored = next(there, None)
        yield named.name, _looked_at(teken, archive, second, named)
    while stored is not None:
        yield stored.name, _unnamed(stored.name) if stored.since < until and not names.has(stored.name) else None
        stored = next(there, None)


def _unnamed(name: str) -> Finding:
    return Finding("unnamed", name, "unnamed", None)


def _looked_at(teken: Teken, archive: Archive, second: Archive | None, named: Named) -> Finding | None:
    what = _state(archive, named.name)
    if what is None or (what == "missing" and named.kind == MENTIONED):
        return None
    healed = second is not None and _healed(teken, archive, second, named)
    return Finding(what, named.name, named.kind, named.permit, healed)


def _state(archive: Archive, name: str) -> str | None:
    """Return what is wrong with the bytes; a disk that can't read them is damage as well."""
    try:
        archive.get(name)
    except ArchiveDamaged as damage:
        return "missing" if str(damage).startswith("missing") else "damaged"
    except OSError:
        return "damaged"
    return None


def _healed(teken: Teken, archive: Archive, second: Archive, named: Named) -> bool:
    """Mend, lock what was released, and read again: only then it is sound."""
    try:
        archive.mend(named.name, second.get(named.name))
        if named.kind == DOCUMENT:
            archive.keep(named.name, teken.clock.now())
    except (ArchiveDamaged, ArchiveUnreachable, OSError) as error:
        log.warning("archive_not_healed", sha256=named.name, error=type(error).__name__)
        return False
    return _state(archive, named.name) is None


def _tell(teken: Teken, found: Finding, *, journalled: bool) -> None:
    """Alert: a log line each time; in the office's journal once, until it is healed."""
    if found.what == "unnamed":
        return
    log.error("archive_damaged", what=found.what, sha256=found.sha256, kind=found.kind, healed=found.healed)
    if found.permit is None or not journalled:
        return
    kind = HEALED if found.healed else DAMAGED
    with teken.db.write() as connection:
        office = connection.execute(select(permits.c.office).where(permits.c.id == found.permit)).scalar_one()
        mine = (
            events.c.permit == found.permit,
            events.c.type.in_([DAMAGED, HEALED]),
            events.c.data.contains(found.sha256),
        )
        newest = select(events.c.type).where(*mine).order_by(events.c.seq.desc()).limit(1)
        if kind == HEALED or connection.execute(newest).scalar_one_or_none() != DAMAGED:
            data = {"sha256": found.sha256, "found": found.what, "kind": found.kind}
            journal.append(connection, teken.notary, teken.clock.now(), Entry(kind, office, None, found.permit, data))


def _resumed(path: Path, place: str, now: datetime) -> Scrub:
    with suppress(OSError, ValueError, TypeError, KeyError):
        told = json.loads(path.read_text("utf-8"))
        state = Scrub(**{**told, "findings": [Finding(**one) for one in told["findings"]]})
        if state.place == place and now - datetime.fromisoformat(state.begun) < FORGOTTEN:
            return state
    return Scrub(place, now.isoformat())


def _note(path: Path, state: Scrub) -> None:
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(asdict(state)), "utf-8")
    draft.replace(path)
