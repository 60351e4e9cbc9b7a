"""`teken notice`, and what the case page says."""

from __future__ import annotations

import io
import json
import sys

import pytest

from service.cli import main
from service.clock import SystemClock
from tests.notices.test_worker import OFFICE, home, opened, returned  # noqa: F401 - a fixture


@pytest.fixture
def teken(home, keys, monkeypatch, capsys):  # noqa: F811
    """Run a command of the house; return exit code, what it printed and what it complained."""
    folder, templates, file, _ = home
    for name, value in {"HOME": folder / "home", "KEYS": keys, "TEMPLATES": templates, "NOTICES": file}.items():
        monkeypatch.setenv(f"TEKEN_{name}", str(value))

    def run(*words: str, typed: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        return (main(list(words)), *capsys.readouterr())

    return run


def test_a_trial_message_goes_to_an_address_that_is_typed(teken, home):  # noqa: F811
    *_, receiver = home
    code, said, _ = teken("notice", "try", OFFICE, "--channel", "sms", typed="0812-3456-7890\n")
    assert (code, said.startswith("uji: pesan percobaan ntf_")) == (0, True)
    [got] = receiver.got
    assert (got.to, "percobaan" in got.text) == ("081234567890", True)
    assert "0812" not in said


@pytest.mark.parametrize(
    ("channel", "typed", "mode", "told"),
    [
        ("sms", "nol delapan", "taken", "Bukan alamat"),
        ("email", "siti@contoh.example", "taken", "gerbang email"),
        ("sms", "081234567890", "busy", "http_503"),
    ],
)
def test_what_does_not_work_is_said_without_the_address(teken, home, channel, typed, mode, told):  # noqa: F811
    *_, receiver = home
    receiver.mode = mode
    code, _, complained = teken("notice", "try", OFFICE, "--channel", channel, typed=typed)
    assert code == 1
    assert told in complained
    assert typed not in complained


def test_what_failed_is_listed_and_sent_again(teken, home, keys):  # noqa: F811
    from service.notices.rounds import Messenger

    *_, receiver = home
    receiver.mode = "refused"
    house = opened(home, keys, SystemClock())
    messenger = Messenger(house)
    messenger.round()
    returned(house)
    messenger.round()
    _, said, _ = teken("notice", "list", OFFICE, "--failed")
    [row] = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert (row["outcome"], row["cause"], row["channel"]) == ("refused", "http_422", "sms")
    assert "81234567890" not in said
    receiver.mode = "taken"
    assert teken("notice", "again", OFFICE)[1].endswith("1 pemberitahuan dikirim lagi\n")
    messenger.round()
    assert [one.id for one in receiver.got] == [row["id"]]
    assert "ntf_" not in teken("notice", "list", "--failed")[1]
    house.close()
