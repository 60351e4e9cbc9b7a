"""`teken notice`: try a channel, list what became of notices, send again what failed. An address never stands in the command line."""

from __future__ import annotations

import argparse
import json
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from service.cases.values import EMAIL, PHONE
from service.errors import Conflict, Invalid, TekenError
from service.notices.gateways import read_gateways
from service.notices.making import no_try_after
from service.notices.message import Message, NotTaken
from service.notices.text import TRIAL, written
from service.store import notices as store
from service.store.notice_tables import Outcome, notices

if TYPE_CHECKING:
    from service.wiring import Teken

CHANNELS = ("whatsapp", "sms", "email")
MOST = 100


class NoOutlet(Conflict):
    """No gateway of this channel is set up here for the office."""

    code = "notice_no_gateway"


class AddressInvalid(Invalid):
    """What was given is no address of this channel."""

    code = "notice_address_invalid"


class TrialNotTaken(TekenError):
    """The gateway or mail server did not take the trial message. Give `cause`."""

    code = "notice_not_taken"


def add_parser(commands: Any, opened: Callable[[], Teken], opened_of: Callable[[str], Teken]) -> None:
    """Register the commands; `opened_of` gives the Teken for a command about one office."""
    notice = commands.add_parser("notice", help="what applicants are told").add_subparsers(required=True)
    trial = notice.add_parser("try", help="send a trial message; the address is read from --to FILE or standard input")
    trial.add_argument("office")
    trial.add_argument("--channel", required=True, choices=CHANNELS)
    trial.add_argument("--to", type=Path, metavar="FILE")
    trial.set_defaults(run=lambda chosen: _try(opened_of(chosen.office), chosen))
    listing = notice.add_parser("list", help="what became of them, the newest first")
    listing.add_argument("office", nargs="?")
    listing.add_argument("--failed", action="store_true", help="only what was refused or given up")
    listing.add_argument("--permit")
    listing.set_defaults(run=lambda chosen: _list(opened_of(chosen.office) if chosen.office else opened(), chosen))
    again = notice.add_parser("again", help="send what failed once more: some by id, or all of an office")
    again.add_argument("office")
    again.add_argument("ids", nargs="*", metavar="ID")
    again.set_defaults(run=lambda chosen: _again(opened_of(chosen.office), chosen))


def _try(teken: Teken, chosen: argparse.Namespace) -> None:
    """Raises NoOutlet, AddressInvalid, TrialNotTaken."""
    office = teken.offices.office(chosen.office)
    outlet = read_gateways(teken.settings.notices).of(office.code, chosen.channel)
    if outlet is None or office.notices is None:
        raise NoOutlet(office=office.code, channel=chosen.channel)
    facts = {"office": office.short_name}
    subject, text = written(office.notices, TRIAL, facts)
    given = chosen.to.read_text("utf-8") if chosen.to else sys.stdin.readline()
    to = _address(chosen.channel, given.strip())
    message = Message(f"ntf_{secrets.token_hex(12)}", TRIAL, to, subject, text, teken.clock.now(), facts)
    try:
        outlet.sender.send(message)
    except NotTaken as refused:
        raise TrialNotTaken(gateway=outlet.name, cause=refused.code) from None
    sys.stdout.write(f"{outlet.name}: pesan percobaan {message.id} diterima\n")


def _address(channel: str, text: str) -> str:
    if channel == "email" and EMAIL.fullmatch(text):
        return text
    digits = "".join(character for character in text if character not in " ().-")
    if channel != "email" and PHONE.fullmatch(digits):
        return "+62" + digits.removeprefix("+").removeprefix("62").removeprefix("0")
    raise AddressInvalid


def _list(teken: Teken, chosen: argparse.Namespace) -> None:
    wanted = [notices.c.office == chosen.office] if chosen.office else []
    wanted += [notices.c.outcome.in_(store.FAILED)] if chosen.failed else []
    wanted += [notices.c.permit == chosen.permit] if chosen.permit else []
    with teken.db.read() as connection:
        rows = store.listed(connection, *wanted, most=MOST)
    shown = (
        "id",
        "office",
        "permit",
        "kind",
        "channel",
        "outcome",
        "cause",
        "attempts",
        "made_at",
        "due_at",
        "ended_at",
    )
    for row in rows:
        told = {key: getattr(row, key) for key in shown}
        if row.outcome != Outcome.WAITING:
            del told["due_at"]
        sys.stdout.write(json.dumps(told) + "\n")


def _again(teken: Teken, chosen: argparse.Namespace) -> None:
    now = teken.clock.now()
    mine = (notices.c.office == chosen.office) & notices.c.outcome.in_(store.FAILED)
    mine &= notices.c.id.in_(chosen.ids) if chosen.ids else notices.c.id.is_not(None)
    with teken.db.write() as connection:
        failed = [row.id for row in store.listed(connection, mine, most=10_000)]
        changed = store.again(connection, failed, now, no_try_after(now))
    sys.stdout.write(f"{len(changed)} pemberitahuan dikirim lagi\n")
