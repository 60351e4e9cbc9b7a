"""Where the holder of a case is told, as the case says it now. Read when a notice is made or sent, and kept nowhere."""

from __future__ import annotations

import json
from typing import Any, Final

from sqlalchemy import Connection, Row

from service.corrections import newest

_PLACES: Final = {"whatsapp": ("wa", "telepon"), "sms": ("telepon", "wa"), "email": ("email",)}


def addresses(connection: Connection, row: Row[Any]) -> dict[str, str]:
    """Return an address by channel, as far as the case has any; a case that was erased has none."""
    body = newest(connection, row).body
    applicant = json.loads(body).get("applicant", {}) if body else {}
    found = {}
    for channel, places in _PLACES.items():
        given = next((applicant[place] for place in places if applicant.get(place)), None)
        if given is not None:
            found[channel] = str(given)
    return found
