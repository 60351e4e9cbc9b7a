"""Room on this host's disks, the second copy's lag, and what the newest scrub of each archive found."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client.core import Metric
from sqlalchemy import make_url

from service import standings
from service.archive_copies import COPIED
from service.archive_place import Folder
from service.archive_scrub import SCRUBBED
from service.clock import instant
from service.journal import length as journal_length
from service.metrics.scrape import gauge

if TYPE_CHECKING:
    from service.metrics.scrape import Scrape
    from service.settings import Settings


def room(scrape: Scrape) -> Iterator[Metric]:
    """Yield free room; asks no database."""
    free = _free(scrape.teken.settings)
    yield gauge("teken_disk_free_bytes", "Room left on this host where Teken writes.", free, ("of",))


def look(scrape: Scrape) -> Iterator[Metric]:
    """Yield what scrubs found, and how far the second copy is."""
    with scrape.read() as connection:
        scrubs = standings.noted(connection, SCRUBBED)
        copies = standings.noted(connection, COPIED, str(scrape.teken.settings.second_archive))
        length = journal_length(connection)
    places = _names(scrape.teken.settings)
    known = {places[one.place]: one for one in scrubs if one.place in places}
    ended = (((name,), instant(one.at).timestamp()) for name, one in known.items())
    about = "When the newest scrub of an archive came to its end."
    yield gauge("teken_archive_scrub_timestamp_seconds", about, ended, ("archive",))
    lost = (((name,), one.number) for name, one in known.items())
    about = "Files that it found lost or damaged and could not heal."
    yield gauge("teken_archive_scrub_lost_files", about, lost, ("archive",))
    behind = [((), max(0, length - one.number)) for one in copies]
    if not copies and scrape.teken.settings.second_archive is not None:
        behind = [((), length)]
    about = "Events of the journal whose documents the second copy does not have yet."
    yield gauge("teken_archive_copy_behind_events", about, behind)


def _free(settings: Settings) -> Iterator[tuple[tuple[str], float]]:
    """What can't be asked is not there: an archive in a bucket, a database on another host."""
    folders = {"home": settings.home}
    if isinstance(settings.archive, Folder):
        folders["archive"] = settings.archive.path
    url = make_url(settings.database)
    if url.get_backend_name() == "sqlite" and url.database:
        folders["database"] = Path(url.database).parent
    for name, folder in folders.items():
        with suppress(OSError):
            yield (name,), shutil.disk_usage(folder).free


def _names(settings: Settings) -> dict[str, str]:
    """Archives by where they lie: an address is no label."""
    second = settings.second_archive
    return {str(settings.archive): "first"} | ({str(second): "second"} if second is not None else {})
