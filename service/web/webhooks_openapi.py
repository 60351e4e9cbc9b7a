"""The contract of a client's webhooks, for the OpenAPI document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from service.webhooks.types import TYPES

Json = dict[str, Any]
DESCRIPTION_LENGTH: Final = 200
URL_LENGTH: Final = 2000
MOST_TYPES: Final = 100
MOST_TRIES: Final = 500
ACTS: Final = ("pause", "resume", "rotate")


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `answer` and `body` name schemas (none: empty); `limit`: it takes that query parameter."""

    path: str
    method: str
    name: str
    summary: str
    answer: str = ""
    status: int = 200
    body: str = ""
    limit: bool = False


BASE: Final = "/api/v1/webhooks"
OPERATIONS: Final = (
    Operation(f"{BASE}/{{webhook}}", "delete", "removeWebhook", "Forget a webhook and its log", status=204),
    Operation(BASE, "get", "listWebhooks", "Where your events are sent, and how that goes", "Webhooks"),
    Operation(
        BASE, "post", "addWebhook", "Send your events from now on to an address", "WebhookDone", 201, "NewWebhook"
    ),
    Operation(f"{BASE}/{{webhook}}/attempts", "get", "listAttempts", "The newest tries first", "Attempts", limit=True),
    Operation(
        f"{BASE}/{{webhook}}/{{act}}",
        "post",
        "changeWebhook",
        "Pause, resume, or rotate the secret",
        "WebhookDone",
    ),
    Operation(
        f"{BASE}/{{webhook}}/replay",
        "post",
        "replayWebhook",
        "Send all from an event or an instant on again, under the same ids",
        "WebhookDone",
        body="Replay",
    ),
)


def schemas(strict: Any) -> Json:
    """Return the schemas; `strict` makes an object of which every property is there."""
    text: Json = {"type": "string"}
    maybe: Json = {"type": ["string", "null"]}
    number: Json = {"type": "integer"}
    kinds: Json = {"type": "array", "items": {"enum": sorted(TYPES)}, "maxItems": MOST_TYPES}
    webhook = strict(
        id=text,
        client=text,
        url=text,
        description=text,
        types=kinds | {"description": "Empty: all"},
        state={"enum": ["active", "paused", "parked", "disabled"]},
        fault=maybe,
        attempts=number,
        failing_since=maybe,
        next_try_at=maybe,
        after=number | {"description": "seq of the last event that is done with"},
        created_at=text,
    )
    attempt = strict(
        event=text,
        seq=number,
        no=number,
        at=text,
        status={"type": ["integer", "null"]},
        milliseconds=number,
        fault=maybe,
    )
    line: Json = {"type": "string", "minLength": 1}
    new = strict(url=line | {"maxLength": URL_LENGTH, "examples": ["https://hulu.example/masuk"]})
    new["properties"] |= {"types": kinds, "description": line | {"maxLength": DESCRIPTION_LENGTH}}
    return {
        "Webhook": webhook,
        "Webhooks": strict(webhooks={"type": "array", "items": {"$ref": "#/components/schemas/Webhook"}}),
        "WebhookDone": strict(
            webhook={"$ref": "#/components/schemas/Webhook"},
            secret=maybe | {"description": "Of a new webhook or a rotation, this once"},
        ),
        "NewWebhook": new,
        "Attempts": strict(attempts={"type": "array", "items": attempt}),
        "Replay": {
            "type": "object",
            "additionalProperties": False,
            "required": [],
            "minProperties": 1,
            "maxProperties": 1,
            "properties": {
                "event": {"type": "string", "pattern": "^evt_[0-9a-f]{24}$"},
                "since": {"type": "string", "format": "date-time", "description": "Not in the future"},
            },
        },
    }
