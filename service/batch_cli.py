"""`teken batch`: a tray signed from the terminal. The passphrase is typed or piped, never an argument or a variable."""

from __future__ import annotations

import argparse
import json
import os
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from service.clock import stamp
from service.sop.model import OfficeCode

if TYPE_CHECKING:
    from service.batch import Batch
    from service.wiring import Teken

STDIN = 0
WAIT_SECONDS = 0.2
PROMPT = "Frasa sandi: "
PROMPTS = {"pkcs11": "PIN token: ", "csc": "PIN layanan: ", "bsre": "Frasa sandi BSrE: "}
CODE_PROMPT = "Kode sekali pakai: "
_ENDS = b"\r\n"


def add_parser(commands: Any, opened: Callable[[], Teken]) -> None:
    """Register the command; `opened` gives the Teken to work with."""
    batch = commands.add_parser("batch", help="sign a whole tray with one passphrase").add_subparsers(required=True)
    begin = batch.add_parser("open", help="order the signature of permits and hand the passphrase over")
    begin.add_argument("--as", dest="official", required=True, help="official, as office/code")
    begin.add_argument(
        "permits",
        nargs="+",
        metavar="PERMIT[:SHA256]",
        help="with the hash of what was read; default: the paper as it is now",
    )
    begin.set_defaults(run=lambda chosen: _open(opened(), chosen))
    for name, (act, about) in _ACTS.items():
        one = batch.add_parser(name, help=about)
        one.add_argument("batch")
        one.set_defaults(run=lambda chosen, act=act: _show(act(opened(), chosen)))
    code = batch.add_parser("code", help="have the signing service send the official a one-time code")
    code.add_argument("--as", dest="official", required=True, help="official, as office/code")
    code.add_argument("--documents", type=int, default=1, help="how many documents it is wanted for; default: 1")
    code.set_defaults(run=lambda chosen: _code(opened(), chosen))
    again = batch.add_parser("resend", help="the signer's word that a document with unknown outcome may be sent again")
    again.add_argument("permit")
    again.add_argument("--official", required=True, help="who signs such papers today, as office/code")
    again.set_defaults(run=lambda chosen: _resend(opened(), chosen))
    for one in (begin, batch.choices["resume"], batch.choices["retry"]):
        one.add_argument(
            "--passphrase-stdin", action="store_true", help="read it from standard input, up to the first line's end"
        )


def read_passphrase(prompt: str = PROMPT, *, piped: bool) -> bytearray:
    """Read a passphrase, PIN or code into memory that can be wiped, which `getpass` and `input` can't give: they return text."""
    if piped:
        return _line(STDIN)
    descriptor = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    try:
        os.write(descriptor, prompt.encode())
        with _silent(descriptor):
            return _line(descriptor)
    finally:
        os.write(descriptor, b"\n")
        os.close(descriptor)


@contextmanager
def _silent(descriptor: int) -> Iterator[None]:
    before = termios.tcgetattr(descriptor)
    quiet = [*before]
    quiet[3] = before[3] & ~termios.ECHO
    termios.tcsetattr(descriptor, termios.TCSAFLUSH, quiet)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSAFLUSH, before)


def _line(descriptor: int) -> bytearray:
    """Return what comes before the first line's end. One byte more than the longest is kept, so that too much is refused, not cut."""
    from service.handover import LONGEST, wipe

    line, length, byte = bytearray(LONGEST + 1), 0, bytearray(1)
    while length < len(line) and os.readv(descriptor, [byte]) == 1 and byte[0] not in _ENDS:
        line[length] = byte[0]
        length += 1
    given = bytearray(length)
    given[:] = memoryview(line)[:length]
    wipe(line)
    wipe(byte)
    return given


def _open(teken: Teken, chosen: argparse.Namespace) -> None:
    from service.batch import open_batch
    from service.queries import preview

    listed = []
    for named in chosen.permits:
        permit, _, seen = named.partition(":")
        listed.append((permit, seen or preview(teken, permit)[1] or ""))
    typed = read_passphrase(_prompt(teken, chosen.official), piped=chosen.passphrase_stdin)
    _show(open_batch(teken, chosen.official, listed, typed))


def _prompt(teken: Teken, official: str) -> str:
    """What this official types."""
    from service.batch_codes import types_codes

    office = official.partition("/")[0]
    if types_codes(teken, office):
        return CODE_PROMPT
    found = teken.offices.offices.get(OfficeCode(office))
    return PROMPTS.get(found.signing.backend, PROMPT) if found else PROMPT


def _code(teken: Teken, chosen: argparse.Namespace) -> None:
    """Ask, and wait until a signing process has passed it on or could not."""
    from service import batch_codes

    since = stamp(teken.clock.now())
    batch_codes.ask(teken, chosen.official, chosen.documents, since)
    while (request := batch_codes.standing(teken, chosen.official, since)) is None or request.state == "waiting":
        time.sleep(WAIT_SECONDS)
    sys.stdout.write(json.dumps(asdict(request), ensure_ascii=False) + "\n")


def _resend(teken: Teken, chosen: argparse.Namespace) -> None:
    from service.resend import confirm_resend

    sys.stdout.write(json.dumps(confirm_resend(teken, chosen.official, chosen.permit), ensure_ascii=False) + "\n")


def _status(teken: Teken, chosen: argparse.Namespace) -> Batch:
    from service.batch import status

    return status(teken, chosen.batch)


def _act(name: str) -> Callable[[Teken, argparse.Namespace], Batch]:
    def act(teken: Teken, chosen: argparse.Namespace) -> Batch:
        from service import batch

        ended: Batch = getattr(batch, name)(teken, _status(teken, chosen).official, chosen.batch)
        return ended

    return act


def _again(name: str) -> Callable[[Teken, argparse.Namespace], Batch]:
    def again(teken: Teken, chosen: argparse.Namespace) -> Batch:
        from service import batch

        official = _status(teken, chosen).official
        passphrase = read_passphrase(_prompt(teken, official), piped=chosen.passphrase_stdin)
        going: Batch = getattr(batch, name)(teken, official, chosen.batch, passphrase)
        return going

    return again


_ACTS: dict[str, tuple[Callable[[Teken, argparse.Namespace], Batch], str]] = {
    "status": (_status, "the batch and each document's result"),
    "pause": (_act("pause"), "sign no further document for now"),
    "stop": (_act("stop_after_this"), "stop for good after the document at hand"),
    "resume": (_again("resume"), "go on with a paused, refused or expired batch"),
    "retry": (_again("retry_failed"), "try the failed documents again"),
}


def _show(batch: Batch) -> None:
    """Print the batch, then one line a document."""
    told = asdict(batch) | {"counts": batch.counts}
    items = told.pop("items")
    for line in (told, *items):
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
