"""`teken renew`: what the worker does in its spare time, now; and what could not be done."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from service import expiring, renewal

if TYPE_CHECKING:
    from service.wiring import Teken

LATE = 1


def add_parser(commands: Any, opened: Callable[[], Teken]) -> None:
    """Register the command; `opened` gives the Teken to work with."""
    parser = commands.add_parser("renew", help="raise documents to their office's level, and renew what falls due")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=lambda chosen: _renew(opened(), chosen))


def _renew(teken: Teken, chosen: argparse.Namespace) -> int:
    """Exit code 1 as long as a document waits for what it should have."""
    renewal.survey(teken)
    expiring.warn(teken)
    tried, waiting, ending = renewal.keep_up(teken), renewal.late(teken), expiring.expiring(teken)
    said: dict[str, Any] = {"tried": tried, "late": waiting, "expiring": ending}
    sys.stdout.write((json.dumps(said, ensure_ascii=False) if chosen.json else "\n".join(_lines(**said))) + "\n")
    return LATE if waiting else 0


def _lines(tried: int, late: list[dict[str, Any]], expiring: list[dict[str, Any]]) -> Iterator[str]:
    yield f"{tried} dokumen diperiksa atau diperpanjang"
    for one in late:
        yield f"{one['id']} ({one['office']}): {one['level']}, {one['fault']}"
    for one in expiring:
        yield f"sertifikat {one['owner']}: {one['days']} hari lagi"
