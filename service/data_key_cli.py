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
    keys.add_parser("list", help="each key's id, day, and how many texts and photos need it").set_defaults(
        run=lambda _: _list(opened())
    )
    new = keys.add_parser("new", help="make a key that seals from now on; copy the file to every host")
    new.set_defaults(run=lambda _: _new(opened()))
    again = keys.add_parser(
        "reseal", help="seal with the newest key what older ones sealed, and photos of before sealing"
    )
    again.set_defaults(run=lambda _: _reseal(opened()))
    drop = keys.add_parser("drop", help="take a key that nothing needs any more out of the file of this host")
    drop.add_argument("key", help="its id, as `list` shows it")
    drop.set_defaults(run=lambda chosen: _drop(opened(), chosen.key))


def _list(teken: Teken) -> None:
    from service.reseal import uses, uses_of_photos

    texts, photos = uses(teken), uses_of_photos(teken)
    for at, one in enumerate(teken.vault.keys().values()):
        row = {
            "id": one.id,
            "made_on": one.made_on,
            "texts": texts.get(one.id, 0) + (0 if at else texts.get("", 0)),
            "photos": photos.get(one.id, 0),
        }
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


def _drop(teken: Teken, key: str) -> None:
    from service.data_key_drop import drop

    drop(teken, key)
    sys.stdout.write(
        f"kunci {key} tidak dipakai lagi dan dikeluarkan dari {teken.vault.path}; salin berkas itu ke semua host,\n"
        "dan simpan salinan lama terpisah selama masih ada cadangan dari sebelum penyegelan ulang\n"
    )
