"""`teken data-key`: the keys of what is sealed at rest. Never prints one."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from service.wiring import Teken


def add_parser(commands: Any, opened: Callable[[], Teken]) -> None:
    """Register the commands; `opened` gives the Teken to work with."""
    keys = commands.add_parser("data-key", help="keys of the personal data at rest").add_subparsers(required=True)
    keys.add_parser("list", help="each key's id, day, and how many texts need it").set_defaults(
        run=lambda _: _list(opened())
    )
    new = keys.add_parser("new", help="make a key that seals from now on; copy the file to every host")
    new.set_defaults(run=lambda _: _new(opened()))
    again = keys.add_parser(
        "reseal", help="seal with the newest key what older ones sealed, and photos of before sealing"
    )
    again.set_defaults(run=lambda _: _reseal(opened()))


def _list(teken: Teken) -> None:
    from service.reseal import uses

    needed = uses(teken)
    for one in teken.vault.keys().values():
        row = {"id": one.id, "made_on": one.made_on, "texts": needed.get(one.id, 0)}
        sys.stdout.write(json.dumps(row) + "\n")


def _new(teken: Teken) -> None:
    from service.data_keys import recognise

    key = teken.vault.add(teken.clock.now())
    with teken.db.write() as connection:
        recognise(connection, teken.vault, teken.clock.now())
    sys.stdout.write(f"kunci {key.id} dibuat di {teken.vault.path}; salin berkas itu ke semua host\n")


def _reseal(teken: Teken) -> None:
    from service.reseal import reseal

    texts, pictures = reseal(teken)
    sys.stdout.write(f"{texts} teks dan {pictures} foto disegel ulang\n")
