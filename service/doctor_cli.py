"""`teken doctor`: exit code 0 when all is well, warnings allowed; 1 when something is wrong or could not be found out."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from service.doctor.view import Asked

WRONG = 1


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser("doctor", help="say what is well on this host and what is not; changes nothing")
    parser.add_argument("--json", action="store_true", help="print one JSON list")
    parser.add_argument("--open-keys", action="store_true", help="open the seals' keys too, each secret tried once")
    parser.add_argument(
        "--official",
        default="",
        metavar="OFFICE/CODE",
        help="ask for this official's passphrase or PIN, and try it once",
    )
    parser.add_argument("--passphrase-stdin", action="store_true", help="read it from standard input")
    parser.set_defaults(run=_doctor)


def _doctor(chosen: argparse.Namespace) -> int:
    from service.doctor import State, examine
    from service.doctor.report import lines
    from service.handover import wipe
    from service.settings import Settings

    settings, asked = Settings.from_environment(), _asked(chosen)
    try:
        found = list(examine(settings, asked))
    finally:
        wipe(asked.passphrase)
    if chosen.json:
        sys.stdout.write(json.dumps([asdict(one) for one in found], ensure_ascii=False, indent=1) + "\n")
    else:
        terminal = sys.stdout.isatty()
        width = shutil.get_terminal_size().columns if terminal else 0
        sys.stdout.write("\n".join(lines(found, width=width, colour=terminal)) + "\n")
    return WRONG if {one.state for one in found} & {State.FAULT, State.UNKNOWN} else 0


def _asked(chosen: argparse.Namespace) -> Asked:
    from service.batch_cli import read_passphrase
    from service.doctor import Asked

    if not chosen.official:
        return Asked(chosen.open_keys)
    return Asked(chosen.open_keys, chosen.official, read_passphrase(piped=chosen.passphrase_stdin))
