"""One event of our own making, sent at once and once, to see whether the receiver answers and can check the signature."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any, Final

from service.clock import stamp
from service.store import webhooks as store
from service.webhooks.delivery import fault_of
from service.webhooks.endpoints import own
from service.webhooks.errors import Unsent
from service.webhooks.letters import Letter
from service.webhooks.network import network_of
from service.webhooks.sealing import keys_of
from service.webhooks.sending import Line
from service.webhooks.targets import target_of

if TYPE_CHECKING:
    from service.wiring import Teken

TYPE: Final = "webhook.test"


def trial(teken: Teken, endpoint: str, client: str | None = None) -> dict[str, Any]:
    """Return `status`, `milliseconds` and `fault` (None: taken). Nothing is recorded, no event waits for it, none is passed over.

    Raises EndpointUnknown, UrlInvalid, HostRefused, VaultShut.
    """
    with teken.db.read() as connection:
        row = own(store.read(connection, endpoint), client)
    network, now, begun = network_of(teken), teken.clock.now(), time.monotonic()
    letter = Letter.of(
        {
            "id": f"tst_{secrets.token_hex(12)}",
            "seq": 0,
            "type": TYPE,
            "at": stamp(now),
            "permit": None,
            "data": {"endpoint": endpoint},
            "checkpoint": None,
        }
    )
    status = None
    try:
        with Line(target_of(row.url, network.rules), network) as line:
            status = line.post(letter.body, letter.headers(now, keys_of(teken.vault, row, now))).status
        fault = fault_of(status)
    except Unsent as error:
        fault = error.code
    return {"status": status, "milliseconds": round((time.monotonic() - begun) * 1000), "fault": fault}
