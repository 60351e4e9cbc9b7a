"""A client's own webhooks over the API: add, look, rotate, pause, resume, replay, remove, and what came of each try."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response

from service.cases import Sheet
from service.cases.moments import read_instant
from service.clients import Client, Scope
from service.errors import Invalid
from service.web import reading, teken
from service.web.answers import as_json
from service.web.credentials import client
from service.web.webhooks_openapi import ACTS, DESCRIPTION_LENGTH, MOST_TRIES, MOST_TYPES, URL_LENGTH
from service.webhooks import endpoints

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.wiring import Teken

TYPE_LENGTH = EVENT_LENGTH = 40

webhooks = Blueprint("webhooks", __name__, url_prefix="/api/v1/webhooks")


@webhooks.get("")
def list_webhooks() -> Response:
    """Show a client its endpoints, and how they are."""
    return as_json({"webhooks": endpoints.listed(teken(), _asker(Scope.EVENTS).id)})


@webhooks.post("")
def add_webhook() -> Response:
    """Send a client's events from now on to an address; the secret is shown this once."""
    asker = _asker(Scope.WEBHOOKS)
    payload, _ = reading.body()
    sheet = Sheet()
    given = sheet.mapping("", payload, ("url", "types", "description"))
    if "url" not in given:
        sheet.note("/url", "required")
    url = sheet.text("/url", given.get("url", "-"), URL_LENGTH)
    types = sheet.sequence("/types", given.get("types", []), MOST_TYPES)
    named = [sheet.text(f"/types/{place}", one, TYPE_LENGTH) for place, one in enumerate(types)]
    description = sheet.text("/description", given.get("description", "-"), DESCRIPTION_LENGTH)
    _close(sheet)
    wanted = [one for one in named if one is not None]
    told = "" if "description" not in given else str(description)
    return _done(*endpoints.add(teken(), asker.id, str(url), types=wanted, description=told), status=201)


@webhooks.delete("/<webhook>")
def remove_webhook(webhook: str) -> Response:
    """Forget an endpoint and its log."""
    asker = _asker(Scope.WEBHOOKS)
    endpoints.remove(teken(), webhook, asker.id)
    return Response(status=204)


@webhooks.get("/<webhook>/attempts")
def list_attempts(webhook: str) -> Response:
    """Show the newest tries first."""
    asker = _asker(Scope.EVENTS)
    limit = reading.numbers(limit=(50, 1, MOST_TRIES))["limit"]
    return as_json({"attempts": endpoints.tries(teken(), webhook, asker.id, limit=limit)})


@webhooks.post(f"/<webhook>/<any({','.join(ACTS)}):act>")
def change_webhook(webhook: str, act: str) -> Response:
    """Pause, resume or rotate. No body."""
    asker = _asker(Scope.WEBHOOKS)
    return _done(*_ACTS[act](teken(), webhook, asker.id))


@webhooks.post("/<webhook>/replay")
def replay_webhook(webhook: str) -> Response:
    """Send everything from an event or an instant on again, under the same ids."""
    asker = _asker(Scope.WEBHOOKS)
    payload, _ = reading.body()
    sheet = Sheet()
    given = sheet.mapping("", payload, ("event", "since"))
    if isinstance(payload, dict) and len(given) != 1 and not sheet.faults:
        sheet.note("/event", "required")
    event = sheet.text("/event", given["event"], EVENT_LENGTH) if "event" in given else None
    since = read_instant(sheet, "/since", given["since"], teken().clock.now()) if "since" in given else None
    _close(sheet)
    return _done(endpoints.replay(teken(), webhook, asker.id, event=event, since=since))


_ACTS: dict[str, Callable[[Teken, str, str], tuple[Any, ...]]] = {
    "pause": lambda *given: (endpoints.pause(*given),),
    "resume": lambda *given: (endpoints.resume(*given),),
    "rotate": endpoints.rotate,
}


def _asker(scope: Scope) -> Client:
    asker = client(teken())
    asker.need(scope)
    return asker


def _close(sheet: Sheet) -> None:
    if sheet.faults:
        raise Invalid(faults=tuple(sheet.faults))


def _done(endpoint: dict[str, Any], secret: str | None = None, *, status: int = 200) -> Response:
    return as_json({"webhook": endpoint, "secret": secret}, status)
