"""`teken webhook`: a client's endpoints, seen and handled by the operator. What they are told is in Indonesian."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from service.wiring import Teken

FAILED = 1
_MOST_SHOWN = 1000


def add_parser(commands: Any, opened: Callable[[], Teken]) -> None:
    """Register the commands; `opened` gives the Teken to work with."""
    webhook = commands.add_parser("webhook", help="where events are sent").add_subparsers(required=True)

    def command(
        name: str, what: str, run: Callable[[Teken, argparse.Namespace], int | None]
    ) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = webhook.add_parser(name, help=what)
        parser.set_defaults(run=lambda chosen: _closing(opened(), run, chosen))
        return parser

    add = command("add", "send a client's events from now on to an address; shows the secret once", _add)
    add.add_argument("client")
    add.add_argument("url")
    add.add_argument("--types", default="", help="event types with commas between; default: all")
    add.add_argument("--description", default="")
    listed = command("list", "endpoints, how they are and why", _list)
    listed.add_argument("--client")
    listed.add_argument("--json", action="store_true", help="print one JSON list")
    for name, what, run in (
        ("rotate", "a new secret; the old one signs too for 24 hours", _rotate),
        ("pause", "send nothing until it is resumed", _pause),
        ("remove", "forget an endpoint and its log", _remove),
        ("test", "send one event of type webhook.test now, and say what came back", _test),
    ):
        command(name, what, run).add_argument("endpoint")
    resume = command("resume", "go on in order, at once", _resume)
    resume.add_argument("endpoint")
    resume.add_argument("--skip", action="store_true", help="pass over the event that it stands at; that is logged")
    replay = command("replay", "send everything from an event or an instant on again, under the same ids", _replay)
    replay.add_argument("endpoint")
    start = replay.add_mutually_exclusive_group(required=True)
    start.add_argument("--event", help="its id in the pull feed: evt_…")
    start.add_argument("--since", type=_instant, help="2026-11-20T08:00:00+07:00")
    log = command("log", "the newest tries: which event, when, what was answered", _log)
    log.add_argument("endpoint")
    log.add_argument("--limit", type=int, default=20)


def _closing(teken: Teken, run: Callable[[Teken, argparse.Namespace], int | None], chosen: argparse.Namespace) -> int:
    try:
        return run(teken, chosen) or 0
    finally:
        teken.close()


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise argparse.ArgumentTypeError("needs a time zone, like +07:00 or Z")
    return at.astimezone(UTC)


def _add(teken: Teken, chosen: argparse.Namespace) -> None:
    from service.webhooks import endpoints

    types = [one.strip() for one in chosen.types.split(",") if one.strip()]
    made, secret = endpoints.add(teken, chosen.client, chosen.url, types=types, description=chosen.description)
    _say(f"webhook {made['id']}", f"rahasia (hanya ditampilkan sekali): {secret}")


def _list(teken: Teken, chosen: argparse.Namespace) -> None:
    from service.webhooks import endpoints

    found = endpoints.listed(teken, chosen.client)
    if chosen.json:
        _say(json.dumps(found, ensure_ascii=False))
        return
    for one in found:
        why = f" ({one['fault']}, {one['attempts']} kali gagal sejak {one['failing_since']})" if one["fault"] else ""
        _say(f"{one['id']} {one['client']} {_STATES[one['state']]}{why} {one['url']}")


def _rotate(teken: Teken, chosen: argparse.Namespace) -> None:
    from service.webhooks import endpoints

    _, secret = endpoints.rotate(teken, chosen.endpoint)
    _say(f"rahasia baru (hanya ditampilkan sekali): {secret}", "rahasia lama masih ikut menandatangani selama 24 jam")


def _pause(teken: Teken, chosen: argparse.Namespace) -> None:
    from service.webhooks import endpoints

    _show(endpoints.pause(teken, chosen.endpoint))


def _remove(teken: Teken, chosen: argparse.Namespace) -> None:
    from service.webhooks import endpoints

    endpoints.remove(teken, chosen.endpoint)
    _say(f"webhook {chosen.endpoint} dihapus")


def _resume(teken: Teken, chosen: argparse.Namespace) -> None:
    from service.webhooks import endpoints

    _show(endpoints.resume(teken, chosen.endpoint, skip=chosen.skip))


def _replay(teken: Teken, chosen: argparse.Namespace) -> None:
    from service.webhooks import endpoints

    _show(endpoints.replay(teken, chosen.endpoint, event=chosen.event, since=chosen.since))


def _log(teken: Teken, chosen: argparse.Namespace) -> None:
    from service.webhooks import endpoints

    for one in endpoints.tries(teken, chosen.endpoint, limit=max(1, min(chosen.limit, _MOST_SHOWN))):
        _say(json.dumps(one, ensure_ascii=False))


def _test(teken: Teken, chosen: argparse.Namespace) -> int:
    from service.webhooks.trial import trial

    found = trial(teken, chosen.endpoint)
    _say(json.dumps(found, ensure_ascii=False))
    return FAILED if found["fault"] else 0


_STATES = {"active": "berjalan", "paused": "dijeda", "parked": "diparkir", "disabled": "ditutup penerima"}


def _show(endpoint: dict[str, Any]) -> None:
    _say(f"webhook {endpoint['id']} {_STATES[endpoint['state']]}")


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")
