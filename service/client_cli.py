"""`teken client`: upstream systems, their keys and what they may do. A key is printed once, when it is made."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from service.wiring import Teken


def add_parser(commands: Any, opened: Callable[[], Teken], of_office: Callable[[str], Teken]) -> None:
    """Register the commands; `opened` gives the Teken to work with, `of_office` the same for an office that exists."""
    client = commands.add_parser("client", help="upstream clients").add_subparsers(required=True)
    add = client.add_parser("add", help="make a client and show its API key once")
    add.add_argument("office")
    add.add_argument("name")
    add.add_argument("--scopes", help="default: all of cases:write,permits:read,events:read,webhooks:write")
    add.add_argument("--signed", action="store_true", help="requests must be signed; the key itself is never sent")
    add.add_argument("--days", type=int, help="how long the key lives; default: until it is changed or revoked")
    add.set_defaults(run=lambda chosen: _add(of_office(chosen.office), chosen))
    known = client.add_parser("list", help="clients, their keys and when these were last used")
    known.add_argument("office", nargs="?")
    known.set_defaults(run=lambda chosen: _list(opened(), chosen.office))
    rotate = client.add_parser(
        "rotate", help="make a second key and show it once; the first one ends after the overlap"
    )
    rotate.add_argument("client")
    rotate.add_argument("--overlap", type=int, default=7, metavar="DAYS")
    rotate.add_argument("--days", type=int, help="how long the new key lives")
    rotate.set_defaults(run=lambda chosen: _rotate(opened(), chosen))
    revoke = client.add_parser("revoke", help="end a key (by its prefix) or all keys of a client, now")
    revoke.add_argument("name", metavar="KEY-OR-CLIENT")
    revoke.set_defaults(run=lambda chosen: _revoke(opened(), chosen.name))
    scopes = client.add_parser("scopes", help="what a client may do, and whether its requests must be signed")
    scopes.add_argument("client")
    scopes.add_argument("scopes", nargs="?", help="with commas between; none: as they are")
    scopes.add_argument("--signed", choices=["yes", "no"])
    scopes.set_defaults(run=lambda chosen: _scopes(opened(), chosen))


def _add(teken: Teken, chosen: argparse.Namespace) -> None:
    from service.clients import EVERY_SCOPE, add_client, scopes_of

    scopes = scopes_of(chosen.scopes) if chosen.scopes is not None else EVERY_SCOPE
    made, key = add_client(
        teken,
        chosen.office,
        chosen.name,
        scopes=scopes,
        must_sign=chosen.signed,
        expires_at=_until(teken, chosen.days),
    )
    sys.stdout.write(f"klien {made.id}\nkunci API (hanya ditampilkan sekali): {key}\n")


def _list(teken: Teken, office: str | None) -> None:
    from service.client_keys import listed

    for one in listed(teken, office):
        sys.stdout.write(json.dumps(asdict(one), ensure_ascii=False) + "\n")


def _rotate(teken: Teken, chosen: argparse.Namespace) -> None:
    from service.client_keys import rotate

    overlap = timedelta(days=max(0, chosen.overlap))
    key = rotate(teken, chosen.client, overlap=overlap, expires_at=_until(teken, chosen.days))
    sys.stdout.write(
        f"kunci API baru (hanya ditampilkan sekali): {key}\nkunci lama berakhir dalam {overlap.days} hari\n"
    )


def _revoke(teken: Teken, name: str) -> None:
    from service.client_keys import revoke

    sys.stdout.write(f"{revoke(teken, name)} kunci dicabut\n")


def _scopes(teken: Teken, chosen: argparse.Namespace) -> None:
    from service.client_keys import allow
    from service.clients import scopes_of

    scopes = scopes_of(chosen.scopes) if chosen.scopes is not None else None
    must_sign = None if chosen.signed is None else chosen.signed == "yes"
    allow(teken, chosen.client, scopes=scopes, must_sign=must_sign)


def _until(teken: Teken, days: int | None) -> datetime | None:
    return None if days is None else teken.clock.now() + timedelta(days=days)
