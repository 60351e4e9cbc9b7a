"""`teken retention`: what is due to go, and, with `--apply`, lets it go now instead of in the worker's spare time."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from service.wiring import Teken


def add_parser(commands: Any, opened: Callable[[], Teken]) -> None:
    """Register the command; `opened` gives the Teken to work with."""
    retention = commands.add_parser(
        "retention", help="what is kept no longer (TEKEN_RETENTION); changes nothing by itself"
    )
    retention.add_argument("--apply", action="store_true", help="close, erase and remove it now")
    retention.set_defaults(run=lambda chosen: _retention(opened(), apply=chosen.apply))


def _retention(teken: Teken, *, apply: bool) -> None:
    from service.retention import due, keep_short, told

    sys.stdout.write(told(keep_short(teken) if apply else due(teken)) + "\n")
