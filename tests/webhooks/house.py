"""An office whose webhooks may reach this machine, and things that happen to a client's permits."""

from __future__ import annotations

from service import journal, queries
from service.webhooks import endpoints as webhooks
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
