"""`teken admin`: the first accounts of an office, from the host. What it prints is shown once."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from service.desk import accounts
from service.errors import NotFound

if TYPE_CHECKING:
    from service.wiring import Teken


def add_parser(commands: Any, opened: Callable[[], Teken]) -> None:
    """Register the command; `opened` gives the Teken to work with."""
    admin = commands.add_parser("admin", help="accounts of the desk").add_subparsers(required=True)
    create = admin.add_parser("create", help="make an account and show its invitation once")
    create.add_argument("office")
    create.add_argument("login")
    create.add_argument("--official", help="the official's code, for somebody who acts in the SOP")
    create.add_argument("--name", help="the person's name, for somebody who is no official")
    create.add_argument("--duty", action="append", choices=accounts.DUTIES, help="default: admin, unless --official")
    create.set_defaults(run=lambda chosen: _create(opened(), chosen))
    invite = admin.add_parser("invite", help="invite again: the old password and authenticator end at once")
    invite.add_argument("office")
    invite.add_argument("login")
    invite.set_defaults(run=lambda chosen: _invite(opened(), chosen))


def _create(teken: Teken, chosen: argparse.Namespace) -> None:
    official = f"{chosen.office}/{chosen.official}" if chosen.official else None
    duties = chosen.duty or ([] if official else ["admin"])
    _, code = accounts.create(teken, chosen.office, chosen.login, official=official, name=chosen.name, duties=duties)
    _show(teken, code)


def _invite(teken: Teken, chosen: argparse.Namespace) -> None:
    known = {one.login: one for one, _ in accounts.of_office(teken, chosen.office)}
    if chosen.login not in known:
        raise NotFound("account_unknown")
    _show(teken, accounts.invite_again(teken, known[chosen.login].id, by="operator"))


def _show(teken: Teken, code: str) -> None:
    base = teken.settings.public_url or f"http://{teken.settings.listen}"
    sys.stdout.write(f"undangan (berlaku 72 jam, sekali pakai): {base}/meja/undangan/{code}\n")
