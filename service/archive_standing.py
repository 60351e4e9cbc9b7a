"""What the store was seen to refuse: tried by running processes, noted in `home`, read by whoever only looks."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from service.archive.trial import ALLOWED, MISSING
from service.clock import stamp

if TYPE_CHECKING:
    from service.settings import Settings
    from service.wiring import Teken

log = structlog.get_logger("teken.archive")


@dataclass(frozen=True, slots=True)
class Standing:
    """One trial: of which place, when, and how `overwrite`, `checksum` and `delete` were answered."""

    place: str
    at: str
    found: Mapping[str, str]

    @property
    def lacking(self) -> tuple[str, ...]:
        """What the store should refuse and does not: of `lock=none` the lock is not missed."""
        return tuple(sorted(name for name, answer in self.found.items() if answer in {ALLOWED, MISSING}))


def standing(teken: Teken) -> Standing | None:
    """Try the store, once per process, and note it; None where there is nothing to try.

    Raises ArchiveUnreachable.
    """
    now = teken.clock.now()
    found = teken.archive.tried(now)
    if not found:
        return None
    one = Standing(str(teken.settings.archive), stamp(now), dict(found))
    known = noted(teken.settings)
    if known is None or (known.place, known.found) != (one.place, one.found):
        _note(teken.settings, one)
        if one.lacking:
            log.warning("archive_lacks", place=one.place, lacking=one.lacking)
    return one


def noted(settings: Settings) -> Standing | None:
    """Return the newest trial of today's place that a process of this home has noted."""
    try:
        told = json.loads(_file(settings).read_text("utf-8"))
        one = Standing(str(told["place"]), str(told["at"]), dict(told["found"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return one if one.place == str(settings.archive) else None


def _note(settings: Settings, one: Standing) -> None:
    """Whole or not at all; where home can't be written the trial still counts in this process."""
    path = _file(settings)
    draft = path.with_suffix(f".{os.getpid()}")
    with suppress(OSError):
        draft.write_text(json.dumps(asdict(one)), "utf-8")
        draft.replace(path)


def _file(settings: Settings) -> Path:
    return settings.home / "archive-tried.json"
