"""A client handles its own webhooks over the API, and nobody else's; what it is refused is a problem with words."""

from __future__ import annotations

import pytest

from service.app import create_app
from service.clients import Client, add_client
from tests.webhooks.house import happen, send
from tests.webhooks.receiver import receiving

BASE = "/api/v1/webhooks"


@pytest.fixture
def ask(house):
    """Ask as a client that the house knows from now on as its own."""
    client, key = add_client(house.teken, house.client.office, "hulu")
    house.client = client
    app = create_app(house.teken).test_client()

    def asked(method: str, path: str = "", *, key: str = key, **rest):
        return app.open(BASE + path, method=method, headers={"Authorization": f"Bearer {key}"}, **rest)

    return asked


def test_a_webhook_from_beginning_to_end(house, ask):
    with receiving() as receiver:
        added = ask("POST", json={"url": receiver.url, "types": ["permit.issued"], "description": "Aplikasi hulu"})
        assert added.status_code == 201
        assert added.json["secret"].startswith("whsec_")
        endpoint = added.json["webhook"]["id"]
        assert ask("GET").json["webhooks"] == [added.json["webhook"]]
        ids = happen(house, "permit.issued", "permit.ready")
        send(house, endpoint)
        assert [one["event"] for one in ask("GET", f"/{endpoint}/attempts").json["attempts"]] == ids[:1]
        assert ask("POST", f"/{endpoint}/pause").json["webhook"]["state"] == "paused"
        assert ask("POST", f"/{endpoint}/resume").json == {**added.json, "secret": None} | {
            "webhook": {**added.json["webhook"], "after": 3}
        }
        assert ask("POST", f"/{endpoint}/rotate").json["secret"] not in {None, added.json["secret"]}
        assert ask("POST", f"/{endpoint}/replay", json={"event": ids[0]}).status_code == 200
        send(house, endpoint)
        assert receiver.ids == [ids[0]] * 2
        assert ask("DELETE", f"/{endpoint}").status_code == 204
        assert ask("GET").json["webhooks"] == []


def test_another_clients_webhook_is_not_there(house, ask):
    other = add_client(house.teken, house.client.office, "lain")[1]
    endpoint = ask("POST", json={"url": "https://hulu.example/"}).json["webhook"]["id"]
    assert ask("GET", key=other).json["webhooks"] == []
    for act in ("pause", "resume", "rotate"):
        assert ask("POST", f"/{endpoint}/{act}", key=other).status_code == 404
    assert ask("GET", f"/{endpoint}/attempts", key=other).status_code == 404
    assert ask("DELETE", f"/{endpoint}", key=other).status_code == 404
    assert ask("POST", f"/{endpoint}/replay", key=other, json={"since": "2026-11-20T00:00:00Z"}).status_code == 404
    assert ask("GET").json["webhooks"][0]["state"] == "active"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "invalid"),
        ([], 422, "invalid"),
        ({"url": 7}, 422, "invalid"),
        ({"url": "https://hulu.example/", "types": "permit.issued"}, 422, "invalid"),
        ({"url": "https://hulu.example/", "rahasia": "x"}, 422, "invalid"),
        ({"url": "http://hulu.example/"}, 422, "webhook_url_invalid"),
        ({"url": "https://[64:ff9b::7f00:1]/"}, 422, "webhook_host_refused"),
        ({"url": "https://hulu.example/", "types": ["permit.isued"]}, 422, "webhook_type_unknown"),
    ],
)
def test_what_cannot_be_added_is_refused_in_words(ask, body, status, code):
    refused = ask("POST", json=body)
    assert (refused.status_code, refused.json["type"].rpartition("/")[2]) == (status, code)
    assert ask("GET").json["webhooks"] == []


@pytest.mark.parametrize("body", [{}, {"event": "evt_x", "since": "2026-11-20T00:00:00Z"}, {"since": "kemarin"}, []])
def test_a_replay_needs_one_place_to_begin_at(ask, body):
    endpoint = ask("POST", json={"url": "https://hulu.example/"}).json["webhook"]["id"]
    assert ask("POST", f"/{endpoint}/replay", json=body).status_code == 422
    unknown = ask("POST", f"/{endpoint}/replay", json={"event": "evt_x"})
    assert (unknown.status_code, unknown.json["type"].rpartition("/")[2]) == (422, "webhook_event_unknown")


def test_reading_events_does_not_let_a_client_send_them_elsewhere(house, ask):
    key = add_client(house.teken, house.client.office, "baca", scopes=frozenset({"events:read"}))[1]
    assert ask("GET", key=key).status_code == 200
    refused = ask("POST", key=key, json={"url": "https://hulu.example/"})
    assert (refused.status_code, refused.json["type"].rpartition("/")[2]) == (403, "scope_missing")
    assert ask("POST", "/whk_x/terbang").status_code == 404
    assert isinstance(house.client, Client)
