"""`teken qr`: the key of an office's offline QR: rotate it, call one compromised, and what is published (docs/QR.md)."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from service import qr_lists

if TYPE_CHECKING:
    from service.wiring import Teken


def add_parser(commands: Any, opened: Callable[..., Teken]) -> None:
    """Register the command; `opened` gives the Teken to work with."""
    about = commands.add_parser("qr", help="keys of the offline QR, on the signing host").add_subparsers(required=True)
    rotate = about.add_parser("rotate", help="make a new key; papers of the old one keep proving themselves")
    rotate.add_argument("office")
    rotate.set_defaults(run=lambda chosen: _rotate(opened(signing=True), chosen))
    lost = about.add_parser("compromised", help="say that a key proves nothing any more; one that is in use is rotated")
    lost.add_argument("office")
    lost.add_argument("kid")
    lost.set_defaults(run=lambda chosen: _compromised(opened(signing=True), chosen))
    keys = about.add_parser("keys", help="every key that ever signed, one JSON object a line")
    keys.set_defaults(run=lambda _: _keys(opened()))


def _rotate(teken: Teken, chosen: argparse.Namespace) -> None:
    sys.stdout.write(f"kunci kode QR yang baru: {qr_lists.rotate(teken, chosen.office)}\n")


def _compromised(teken: Teken, chosen: argparse.Namespace) -> None:
    qr_lists.compromise(teken, chosen.office, chosen.kid)
    sys.stdout.write(f"kunci {chosen.kid} tidak dipercaya lagi\n")


def _keys(teken: Teken) -> None:
    for one in qr_lists.published_keys(teken):
        sys.stdout.write(json.dumps(one, ensure_ascii=False) + "\n")
