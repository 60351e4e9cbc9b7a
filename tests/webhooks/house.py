"""An office whose webhooks may reach this machine, and things that happen to a client's permits."""

from __future__ import annotations

import ssl

from service import journal, queries
from service.webhooks import endpoints as webhooks
from service.webhooks.delivery import deliver
from service.webhooks.network import rules_of
from service.webhooks.sending import Network
from tests.support.world import World


def happen(house: World, *types: str, client=None) -> list[str]:
    """Let something happen to a client's permits; return the ids of the events."""
    about = client or house.client
    with house.teken.db.write() as connection:
        for one in types:
            told = journal.Entry(one, about.office, about.id, None, {"upstream_id": "UJI-1"})
            journal.append(connection, house.teken.notary, house.clock.now(), told)
    return [one["id"] for one in queries.events(house.teken, about, 0, 500)["events"]]


def added(house, receiver, **more):
    client = more.pop("client", house.client)
    made, secret = webhooks.add(house.teken, client.id, receiver.url, **more)
    return made["id"], secret


def send(house: World, endpoint: str) -> bool:
    """Let a worker look once."""
    return deliver(house.teken, network(house), endpoint)


def network(house: World) -> Network:
    """Reach receivers on this machine; nobody's certificate is asked for."""
    return Network(rules_of(house.teken.settings), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), now=house.clock.now)
