"""`teken webhook`: what the operator sees and does, from adding an endpoint to removing it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from standardwebhooks import Webhook

from service import queries
from service.cli import main
from service.clock import SystemClock
from tests.webhooks.house import happen, send
from tests.webhooks.receiver import OK, receiving, said


@pytest.fixture
def teken(house, keys, monkeypatch, capsys):
    """Run a command in the house; return its exit code, what it printed and what it complained."""
    given = house.teken.settings
    house.clock.at = SystemClock().now() + timedelta(hours=1)  # what the command makes due is due
    for name in ("home", "database_url", "webhook_networks"):
        monkeypatch.setenv(f"TEKEN_{name.upper()}", str(getattr(given, name)))
    monkeypatch.setenv("TEKEN_KEYS", str(keys))

    def run(*words: str) -> tuple[int, str, str]:
        code = main(["webhook", *words])
        return (code, *capsys.readouterr())

    return run


def test_an_endpoint_from_beginning_to_end(house, teken):
    with receiving() as receiver:
        code, shown, _ = teken("add", house.client.id, receiver.url, "--types", "permit.issued, permit.revoked")
        endpoint, secret = shown.split()[1], shown.split()[-1]
        assert code == 0
        assert secret.startswith("whsec_")
        code, shown, _ = teken("test", endpoint)
        assert (code, json.loads(shown)["status"]) == (0, 200)
        assert Webhook(secret).verify(receiver.got[0].body, receiver.got[0].headers)["type"] == "webhook.test"
        receiver.answer = said(500)
        code, shown, _ = teken("test", endpoint)
        assert (code, json.loads(shown)["fault"]) == (1, "http_500")
        happen(house, "permit.issued", "case.accepted", "permit.revoked")
        send(house, endpoint)
        code, shown, _ = teken("list")
        assert (code, "berjalan (http_500, 1 kali gagal sejak" in shown) == (0, True)
        assert secret not in shown
        assert teken("pause", endpoint)[1] == f"webhook {endpoint} dijeda\n"
        assert json.loads(teken("list", "--client", house.client.id, "--json")[1])[0]["state"] == "paused"
        receiver.answer, receiver.got[:] = OK, []
        assert teken("resume", endpoint)[1] == f"webhook {endpoint} berjalan\n"
        send(house, endpoint)
        feed = [one for one in queries.events(house.teken, house.client, 0, 10)["events"] if "case" not in one["type"]]
        assert [one.event for one in receiver.got] == feed
        assert [json.loads(line)["status"] for line in teken("log", endpoint, "--limit", "2")[1].splitlines()] == [
            200,
            200,
        ]
        _, shown, _ = teken("rotate", endpoint)
        assert secret not in shown
        assert "whsec_" in shown
        assert teken("replay", endpoint, "--since", "2020-01-01T00:00:00+07:00")[0] == 0
        send(house, endpoint)
        assert receiver.ids == [one["id"] for one in feed] * 2
        assert teken("remove", endpoint)[0] == 0
        assert teken("list")[1] == ""


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("add", "@client", "http://hulu.example/"), "Alamat webhook tidak dapat dipakai"),
        (("add", "@client", "https://169.254.169.254/"), "Ke alamat ini tidak boleh dikirim"),
        (("add", "@client", "https://hulu.example/", "--types", "permit.isued"), "Jenis kejadian tidak dikenal"),
        (("add", "cli_x", "https://hulu.example/"), "Klien ini tidak dikenal"),
        (("pause", "whk_x"), "Webhook ini tidak dikenal"),
        (("test", "whk_x"), "Webhook ini tidak dikenal"),
        (("log", "whk_x"), "Webhook ini tidak dikenal"),
    ],
)
def test_a_refusal_is_a_sentence(house, teken, words, why):
    code, shown, complained = teken(*(house.client.id if word == "@client" else word for word in words))
    assert (code, shown) == (1, "")
    assert why in complained


def test_an_eleventh_endpoint_is_refused(house, teken):
    for _ in range(10):
        assert teken("add", house.client.id, "https://hulu.example/")[0] == 0
    code, _, complained = teken("add", house.client.id, "https://hulu.example/")
    assert (code, "paling banyak 10" in complained) == (1, True)


@pytest.mark.parametrize("since", ["kemarin", "2026-11-20T08:00:00"])
def test_an_instant_needs_its_time_zone(teken, since):
    with pytest.raises(SystemExit):
        teken("replay", "whk_x", "--since", since)
