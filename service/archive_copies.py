"""The second copy: follows the journal in the workers' spare time; no release waits for it, and its lag is known (ADR 0049)."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import structlog
from sqlalchemy import Connection, func, select

from service import standings
from service.archive import Archive, ArchiveDamaged, ArchiveUnreachable, open_archive
from service.archive_named import DOCUMENT, Named, of_permits
from service.clock import instant
from service.store.tables import events

if TYPE_CHECKING:
    from service.settings import Settings
    from service.wiring import Teken

log = structlog.get_logger("teken.archive")
ONE_ROUND: Final = 50
LATE: Final = timedelta(hours=1)
COPIED: Final = "archive.copied"
_MOST_KNOWN: Final = 100_000


@dataclass(frozen=True, slots=True)
class Lag:
    """How far the copy is behind: events not followed yet, and when the oldest of them happened (an instant, or None)."""

    place: str
    behind: int
    since: str | None


@dataclass(slots=True)
class Copies:
    """One worker's hand. What it has seen in the copy it does not ask again."""

    _second: Archive | None = None
    _known: set[str] = field(default_factory=set)

    def follow(self, teken: Teken, *, limit: int = ONE_ROUND) -> int:
        """Copy what the permits of the next events name; return how many events were followed. A copy that is away is tried later."""
        place = teken.settings.second_archive
        if place is None:
            return 0
        if self._second is None:
            self._second = open_archive(place, teken.settings.archive_credentials)
        after = _followed(teken.settings)
        with teken.db.read() as connection:
            query = (
                select(events.c.seq, events.c.permit).where(events.c.seq > after).order_by(events.c.seq).limit(limit)
            )
            rows = connection.execute(query).all()
            named = of_permits(connection, sorted({row.permit for row in rows if row.permit is not None}))
        if not rows:
            return 0
        try:
            for one in named.opened(teken.archive):
                self._copy(teken, self._second, one)
            _note(teken.settings, rows[-1].seq)
            standings.note(teken, COPIED, str(place), rows[-1].seq)
        except (ArchiveUnreachable, OSError) as error:
            log.warning("copy_waits", place=str(place), error=getattr(error, "code", type(error).__name__))
            return 0
        return len(rows)

    def _copy(self, teken: Teken, second: Archive, one: Named) -> None:
        """What the first archive has lost itself is the scrub's business; the copy goes on."""
        if one.name in self._known:
            return
        try:
            if not second.has(one.name):
                second.put(teken.archive.get(one.name))
            if one.kind == DOCUMENT:
                second.keep(one.name, teken.clock.now())
        except ArchiveDamaged as damage:
            log.error("copy_of_damaged", what=str(damage))  # noqa: TRY400 - the message is all there is to say
            return
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known.add(one.name)


def lag(teken: Teken) -> Lag | None:
    """Return how far this home's copy is behind the journal; None where there is to be none."""
    with teken.db.read() as connection:
        return lag_in(connection, teken.settings)


def lag_in(connection: Connection, settings: Settings) -> Lag | None:
    """The same, for who has a connection to look with."""
    place = settings.second_archive
    if place is None:
        return None
    mine = events.c.seq > _followed(settings)
    behind, since = connection.execute(select(func.count(), func.min(events.c.at)).where(mine)).one()
    return Lag(str(place), behind, since)


def is_late(now: datetime, found: Lag) -> bool:
    """Tell whether somebody should look at it."""
    return found.since is not None and now - instant(found.since) > LATE


def _followed(settings: Settings) -> int:
    """A file of another place, or none, begins anew: what is there already is only asked for."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        told: dict[str, Any] = json.loads((settings.home / "archive-second.json").read_text("utf-8"))
        if told["place"] == str(settings.second_archive):
            return int(told["seq"])
    return 0


def _note(settings: Settings, seq: int) -> None:
    path = settings.home / "archive-second.json"
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps({"place": str(settings.second_archive), "seq": seq}), "utf-8")
    draft.replace(path)
