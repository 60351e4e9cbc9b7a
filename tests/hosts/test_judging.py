"""What `make hosts` must never call well: no root, a webhook that is missing, came with two contents, or nobody knows."""

from __future__ import annotations

from collections import defaultdict

import pytest

from tests.hosts import run
from tests.hosts.letters import Letters
from tests.hosts.run import main

FEED = [{"client": "cli_a", "id": "evt_1", "type": "case.accepted"}, {"client": "cli_a", "id": "evt_2", "type": "x"}]


@pytest.fixture
def letters():
    """Everything came, one of them twice as it was."""
    heard = object.__new__(Letters)
    heard.got, heard.forged = defaultdict(lambda: defaultdict(set)), []
    for event in FEED:
        heard.got["cli_a"][event["id"]].add(event["id"].encode())
    return heard


def test_without_root_nothing_is_tried_and_nothing_is_green(monkeypatch, capsys):
    monkeypatch.setattr(run.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(run, "town", None)
    assert main(["--count", "1", "--batch", "0"]) == 2
    assert "root" in capsys.readouterr().err


def test_each_event_once_under_its_id(letters):
    assert list(letters.judged(FEED)) == []
    assert letters.missing(FEED) == 0


def test_a_webhook_that_never_came(letters):
    del letters.got["cli_a"]["evt_2"]
    assert letters.missing(FEED) == 1
    assert [one.where for one in letters.judged(FEED)] == ["evt_2"]


def test_two_contents_under_one_id(letters):
    letters.got["cli_a"]["evt_1"].add(b"lain")
    assert [one.where for one in letters.judged(FEED)] == ["evt_1"]


def test_an_id_that_the_feed_does_not_know(letters):
    letters.got["cli_a"]["evt_9"].add(b"9")
    assert [one.where for one in letters.judged(FEED)] == ["evt_9"]


def test_a_signature_that_does_not_hold(letters):
    letters.forged.append("WebhookVerificationError")
    assert [one.where for one in letters.judged(FEED)] == ["webhook"]
