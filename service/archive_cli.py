"""`teken archive`: what the store refuses (`try`), and whether every document is there and sound (`scrub`)."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from service.archive_place import Bucket, Folder
    from service.archive_scrub import Scrub
    from service.wiring import Teken

LOST, UNREAD = 1, 2
IDLE = 19


def add_parser(commands: Any, opened: Callable[[], Teken]) -> None:
    """Register the commands; `opened` gives the Teken to work with."""
    archive = commands.add_parser("archive", help="the stored documents").add_subparsers(required=True)
    tried = archive.add_parser("try", help="try what an S3 store must refuse, on small objects of our own")
    tried.set_defaults(run=lambda _: _try(opened()))
    lag = archive.add_parser("lag", help="how far the second copy is behind")
    lag.set_defaults(run=lambda _: _lag(opened()))
    scrub = archive.add_parser("scrub", help="read and hash every document again; heal from the second copy")
    scrub.add_argument("--second", metavar="PLACE", help="where to heal from; default: TEKEN_ARCHIVE_SECOND")
    scrub.add_argument("--copy", action="store_true", help="read the second copy instead, and heal it from the first")
    scrub.add_argument("--anew", action="store_true", help="from the beginning, even if the last one was interrupted")
    scrub.add_argument("--json", action="store_true", help="print one JSON object")
    scrub.set_defaults(run=lambda chosen: _scrub(opened(), chosen))


def _lag(teken: Teken) -> int:
    """Exit code 1 when the second copy is more than an hour behind."""
    from service.archive_copies import is_late, lag

    found = lag(teken)
    if found is None:
        sys.stdout.write("tidak ada salinan kedua (TEKEN_ARCHIVE_SECOND)\n")
        return 0
    since = f", yang tertua dari {found.since}" if found.since else ""
    sys.stdout.write(f"{found.place}: {found.behind} kejadian belum disalin{since}\n")
    return LOST if is_late(teken.clock.now(), found) else 0


def _try(teken: Teken) -> int:
    from service.archive import ArchiveUnreachable
    from service.archive_standing import standing

    try:
        found = standing(teken)
    except ArchiveUnreachable as error:
        return _unread(error.code)
    if found is None:
        sys.stdout.write("arsip ini folder biasa: tidak ada yang perlu diuji\n")
        return 0
    for name, answer in found.found.items():
        sys.stdout.write(f"{name}: {answer}\n")
    return LOST if found.lacking else 0


def _scrub(teken: Teken, chosen: argparse.Namespace) -> int:
    """Exit code 0: all sound, or healed; 1: something is lost; 2: the archive could not be read to its end."""
    from service.archive import ArchiveUnreachable, open_archive
    from service.archive_scrub import ArchiveEmpty, scrub

    first, second = teken.settings.archive, _second(teken, chosen.second)
    if chosen.copy:
        if second is None:
            sys.stderr.write("teken: tidak ada salinan kedua; sebut --second atau atur TEKEN_ARCHIVE_SECOND\n")
            return UNREAD
        first, second = second, first
    os.nice(IDLE)
    keys = teken.settings.archive_credentials
    other = open_archive(second, keys) if second is not None else None
    try:
        found = scrub(
            teken, open_archive(first, keys), str(first), second=other, anew=chosen.anew, journalled=not chosen.copy
        )
    except ArchiveUnreachable as error:
        return _unread(error.code)
    except ArchiveEmpty:
        sys.stderr.write(
            f"teken: {first} kosong, padahal basis data menyebut dokumen; periksa kait (mount) atau alamatnya\n"
        )
        return UNREAD
    sys.stdout.write((json.dumps(_told(found), ensure_ascii=False) if chosen.json else _lines(found)) + "\n")
    return LOST if found.unhealed else 0


def _second(teken: Teken, given: str | None) -> Folder | Bucket | None:
    """Raises SettingsInvalid."""
    from pathlib import Path

    from service.archive_place import place_of
    from service.settings import SettingsInvalid

    if not given:
        return teken.settings.second_archive
    try:
        return place_of(given, Path())
    except ValueError as error:
        raise SettingsInvalid(f"--second {error}") from None


def _unread(code: str) -> int:
    from service.problems import problem

    said = problem(code, {})
    sys.stderr.write(f"teken: {said.title}. {said.advice}\n")
    return UNREAD


def _told(found: Scrub) -> dict[str, Any]:
    return {"place": found.place, "read": found.read, "findings": [asdict(one) for one in found.findings]}


def _lines(found: Scrub) -> str:
    words = {"missing": "hilang", "damaged": "rusak", "unnamed": "tidak disebut basis data"}
    listed = [
        f"{one.sha256} {words[one.what]}{', dipulihkan' if one.healed else ''}{f' ({one.permit})' if one.permit else ''}"
        for one in found.findings
    ]
    unnamed = len(found.findings) - len(found.lost)
    healed = len(found.lost) - len(found.unhealed)
    end = f"{found.read} berkas dibaca: {len(found.unhealed)} hilang atau rusak, {healed} dipulihkan, {unnamed} tidak disebut"
    return "\n".join([*listed, end])
