"""The place that Teken runs in: public address, time zones, archive and disk, the offices' files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from service.archive import ArchiveUnreachable, open_archive
from service.archive_copies import is_late, lag_in
from service.archive_place import Bucket
from service.archive_standing import noted
from service.doctor.elsewhere import THIS_MACHINE, is_here, take_reading
from service.doctor.findings import Note, fault, phrase, warning, well

if TYPE_CHECKING:
    from service.doctor.view import View

FULL_BYTES: Final = 10**9
NEARLY_FULL: Final = 0.05


def look_at_public_url(view: View) -> Iterator[Note]:
    """What the QR opens; an office's own address is https by its file's rules."""
    own = view.settings.public_url
    addresses = [own] if own else sorted(one.public_url for one in view.offices.offices.values())
    for address in addresses:
        parts = urlsplit(address)
        if parts.scheme == "https":
            yield well("public_url_fine", address)
        elif parts.hostname in THIS_MACHINE:
            yield warning("public_url_local", address)
        else:
            yield fault("public_url_plain", address)


def look_at_proxies(view: View) -> Iterator[Note]:
    """Https needs a proxy before us; one that is not named makes every visitor a neighbour on this machine, whom no limit counts."""
    given = view.settings
    if given.trusted_proxies:
        yield well("proxies_fine", count=str(given.trusted_proxies))
    elif given.listen.rpartition(":")[0].strip("[]") in THIS_MACHINE:
        yield warning("proxies_untold", given.listen)


def look_at_timezones(view: View) -> Iterator[Note]:
    """Dates on paper are those of the office's zone."""
    zones = {one.calendar.timezone for one in view.offices.offices.values()}
    missing = [zone for zone in sorted(zones) if not _is_known(zone)]
    for zone in missing:
        yield fault("timezone_missing", zone)
    if zones and not missing:
        yield well("timezone_fine", zones=", ".join(sorted(zones)))


def _is_known(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, OSError):
        return False
    return True


def look_at_archive(view: View) -> Iterator[Note]:
    """Without a probe: whether this process may write there, or the store answers; and what is free on the disks of archive and home."""
    archive, folders = view.settings.archive, [view.settings.home]
    if isinstance(archive, Bucket):
        yield from _bucket(view, archive)
    else:
        folders.append(archive.path)
        writable = _may_write(archive.path)
        yield well("archive_fine", str(archive)) if writable else fault("archive_unwritable", str(archive))
    disks = {place.stat().st_dev: place for place in map(_nearest, folders)}
    for place in disks.values():
        yield _disk(place)


def _bucket(view: View, place: Bucket) -> Iterator[Note]:
    """Ask what lies after the last name; what the store refuses was tried by processes that write, and is noted."""
    try:
        next(open_archive(place, view.settings.archive_credentials).names("f" * 64), None)
    except ArchiveUnreachable as error:
        refused = error.code == "archive_refused"
        yield fault("archive_refused", str(place)) if refused else fault("archive_unreachable", str(place))
        return
    if place.endpoint and not is_here(str(urlsplit(place.endpoint).hostname)):
        take_reading(view, place.endpoint)
    tried = noted(view.settings)
    if tried is None:
        yield warning("archive_untried", str(place))
    elif tried.lacking:
        yield fault("archive_lacks", str(place), lacking=_lacking(tried.lacking))
    elif place.lock == "none":
        yield warning("archive_unlocked", str(place))
    else:
        yield well("archive_strict", str(place))


def look_at_second_copy(view: View) -> Iterator[Note]:
    """How far the second copy of the documents is behind the journal, as this home's workers have noted."""
    place = view.settings.second_archive
    if place is None:
        yield well("second_unused")
        return
    with view.read() as connection:
        found = lag_in(connection, view.settings)
    if found is not None and is_late(view.clock.now(), found):
        yield warning("second_late", str(place), behind=str(found.behind))
    else:
        yield well("second_fine", str(place))


def _lacking(names: Sequence[str]) -> str:
    said = {
        "overwrite": phrase("overwrite"),
        "checksum": phrase("checksum"),
        "delete": phrase("delete"),
    }
    return ", ".join(said[name] for name in names)


def _may_write(folder: Path) -> bool:
    """A folder that is not there yet is made when the first document comes."""
    there = _nearest(folder)
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK, effective_ids=True)


def _nearest(path: Path) -> Path:
    return next(place for place in (path, *path.parents) if place.exists())


def _disk(place: Path) -> Note:
    room = shutil.disk_usage(place)
    percent = str(round(100 * room.free / room.total))
    told = {"free": f"{room.free / 10**9:.1f} GB".replace(".", ","), "percent": percent}
    if room.free < FULL_BYTES:
        return fault("disk_full", str(place), **told)
    if room.free < NEARLY_FULL * room.total:
        return warning("disk_nearly_full", str(place), **told)
    return well("disk_fine", str(place), **told)


def look_at_offices(view: View) -> Iterator[Note]:
    """What `teken office check` says."""
    from service.document.check import template_check
    from service.sop import check

    found = check(view.settings.templates, template_check=template_check)
    for one in found:
        place = f"{one.file} [{one.table}] {one.key}" if one.table else f"{one.file} {one.key}"
        yield fault("office_fault", place.strip(), why=one.message)
    if not view.offices.offices and not found:
        yield fault("offices_none", str(view.settings.templates))
    elif not found:
        yield well("offices_fine", offices=str(len(view.offices.offices)), types=str(len(list(view.offices))))
