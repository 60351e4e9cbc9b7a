"""`teken backup` and `teken restore`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from service.wiring import Teken

INCOMPLETE = 1


def add_parser(commands: Any, opened: Callable[[], Teken]) -> None:
    """Register the commands; `opened` gives the Teken to work with."""
    backup = commands.add_parser("backup", help="back up into a new folder, or check one: teken backup check FOLDER")
    backup.add_argument("words", nargs="+", metavar="[check] FOLDER")
    backup.add_argument("--archive", type=Path, metavar="FOLDER", help="copy the documents there that it lacks")
    backup.add_argument("--keys", action="store_true", help="put the keys in, sealed with a passphrase")
    backup.add_argument("--passphrase-stdin", action="store_true", help="read it from standard input")
    backup.set_defaults(run=lambda chosen: _backup(opened, backup, chosen))
    restore = commands.add_parser("restore", help="restore a backup into an empty place; numbering stays closed")
    restore.add_argument("folder", type=Path)
    restore.add_argument("--archive", type=Path, metavar="FOLDER", help="put documents back that the archive lacks")
    restore.add_argument("--keys", action="store_true", help="put back the sealed keys that this machine lacks")
    restore.add_argument("--passphrase-stdin", action="store_true", help="read it from standard input")
    restore.set_defaults(run=_restore)


def _backup(opened: Callable[[], Teken], parser: argparse.ArgumentParser, chosen: argparse.Namespace) -> int:
    *check, folder = chosen.words
    if check not in ([], ["check"]):
        parser.error("one folder")
    return _check(Path(folder)) if check else _make(opened(), Path(folder), chosen)


def _make(teken: Teken, folder: Path, chosen: argparse.Namespace) -> int:
    from service.backup import make

    made = make(teken, folder.absolute(), pool=chosen.archive, passphrase=_passphrase(chosen))
    found = made.manifest
    sys.stdout.write(f"{folder}: {found.journal} kejadian, {found.documents} berkas, {_numbers(found.last)}\n")
    return _told("tidak dapat disalin", made.lost)


def _check(folder: Path) -> int:
    from service.backup.restore import read
    from service.settings import Settings

    found = read(Settings.from_environment(), folder)
    sys.stdout.write(f"{folder}: utuh, dibuat {found.at}, {found.journal} kejadian, {found.documents} berkas\n")
    return 0


def _restore(chosen: argparse.Namespace) -> int:
    from service.backup import restore
    from service.clock import SystemClock
    from service.settings import Settings

    settings = Settings.from_environment()
    done = restore(settings, SystemClock(), chosen.folder, pool=chosen.archive, passphrase=_passphrase(chosen))
    for violation in done.findings.violations:
        sys.stdout.write(f"{violation.invariant} {violation.where}: {violation.what}\n")
    sys.stdout.write(
        f"dipulihkan sampai {done.manifest.at}: {done.manifest.journal} kejadian, {_numbers(done.manifest.last)}\n"
        "Penomoran ditutup. Cocokkan buku register (teken register reconcile), lalu buka (teken register open).\n"
    )
    return _told("tidak ada di arsip", done.missing) or (INCOMPLETE if done.findings.violations else 0)


def _told(what: str, names: tuple[str, ...]) -> int:
    for name in names:
        sys.stderr.write(f"teken: {what}: {name}\n")
    return INCOMPLETE if names else 0


def _numbers(last: Any) -> str:
    return ", ".join(f"{name} sampai {no}" for name, no in sorted(last.items())) or "belum ada nomor"


def _passphrase(chosen: argparse.Namespace) -> bytearray | None:
    if not chosen.keys:
        return None
    from service.batch_cli import read_passphrase

    return read_passphrase(piped=chosen.passphrase_stdin)
