"""What is sent: an event as the pull feed has it, signed as Standard Webhooks says (standardwebhooks.com)."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from standardwebhooks import Webhook

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - how every secret begins, by the standard
_SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Letter:
    """One event on its way. `id` is the event's in the pull feed, on every try and replay."""

    id: str
    seq: int
    body: bytes

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Letter:
        """Make the letter of a feed entry."""
        return cls(entry["id"], entry["seq"], json.dumps(entry, ensure_ascii=False).encode())

    def headers(self, at: datetime, keys: Sequence[str]) -> dict[str, str]:
        """Return its headers. Each key signs: while one is being replaced the receiver may hold either."""
        signed = [Webhook(key).sign(self.id, at, self.body.decode()) for key in keys]
        return {
            "content-type": "application/json",
            "user-agent": "Teken-Webhook/1",
            "webhook-id": self.id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": " ".join(signed),
        }


def new_secret() -> str:
    """Make a signing secret: 256 random bits in the form that the libraries of Standard Webhooks read."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()
