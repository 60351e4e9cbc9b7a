"""The real worker: tells applicants beside its other work, dies before and after a message is handed over, and is heard once more at most."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing
from datetime import timedelta

import pytest

from service.clock import SetClock, SystemClock
from service.notices.rounds import Messenger
from service.notices.sending import LEASE
from service.permits import State
from service.settings import PROJECT
from service.store import notices as store
from tests.notices.conftest import OFFICE, TYPE
from tests.notices.receivers import gateway
from tests.procedures.stories import edit, open_tree, tree_of
from tests.support.office import client_of, holder, payload, play, post

POLICY = '[notices]\nchannels = ["sms"]\nkinds = ["returned"]\nquiet = { from = "00:00", to = "00:00" }\n'
SECONDS = 90


@pytest.fixture
def home(tmp_path):
    """Where an operator has set notices up; and a receiver."""
    templates = tree_of(tmp_path, OFFICE)
    edit(templates / OFFICE / "office.toml", "[letterhead]", f"{POLICY}\n[letterhead]")
    with gateway() as receiver:
        file = tmp_path / "notices.toml"
        file.write_text(
            f'[http.uji]\nchannel = "sms"\nurl = "{receiver.url}"\nbody = {{ to = "{{to_local}}", text = "{{text}}" }}\n'
        )
        file.chmod(0o600)
        yield tmp_path, templates, file, receiver


def opened(home, keys, clock):
    folder, templates, file, _ = home
    return open_tree(folder / "home", templates, keys, clock=clock, notices=file)


def returned(teken) -> None:
    from service import acts

    permit = post(teken, client_of(teken, OFFICE), payload(OFFICE, TYPE, applicant__wa="081234567890")).body["id"]
    play(teken, permit, until=State.DRAFTED)
    acts.give_back(teken, holder(teken, OFFICE, "ahli_muda"), permit, reason="keliru")


@pytest.mark.parametrize(
    ("point", "sent"), [pytest.param("notice.before_send", 1, marks=pytest.mark.thorough), ("notice.after_send", 2)]
)
def test_a_worker_that_dies_over_a_message_loses_none_and_doubles_none_under_another_id(home, keys, point, sent):
    folder, templates, file, receiver = home
    clock = SystemClock()
    with closing(opened(home, keys, clock)) as teken:
        Messenger(teken).round()  # from here on
        returned(teken)
    variables = {
        "HOME": folder / "home",
        "KEYS": keys,
        "TEMPLATES": templates,
        "NOTICES": file,
        "FAIL_AT": f"{point}:1",
    }
    given = {f"TEKEN_{name}": str(value) for name, value in variables.items()}
    plain = {name: value for name, value in os.environ.items() if not name.startswith("TEKEN_")}
    done = subprocess.run(
        [sys.executable, "worker.py", "work"],
        cwd=PROJECT,
        env=plain | given,
        timeout=SECONDS,
        capture_output=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()[-2000:]
    assert "081234567890" not in done.stderr.decode()
    later = SetClock(clock.now() + LEASE + timedelta(minutes=1))
    with closing(opened(home, keys, later)) as teken:
        messenger = Messenger(teken)
        assert messenger.round() == 1
        assert messenger.round() == 0
        with teken.db.read() as connection:
            [row] = store.listed(connection)
    assert (row.outcome, row.attempts) == ("sent", 2)
    assert [one.id for one in receiver.got] == [row.id] * sent
    assert receiver.got[0].to == "081234567890"


def test_a_worker_without_gateways_has_no_thread(home, keys):
    folder, templates, _, _ = home
    with closing(open_tree(folder / "home", templates, keys)) as teken:
        messenger = Messenger(teken)
        messenger.start()
        assert messenger._thread is None
        messenger.stop()


def test_the_thread_tells_and_ends_when_it_is_told_to(home, keys, monkeypatch):
    from service.notices import rounds

    monkeypatch.setattr(rounds, "PAUSE_SECONDS", 0.01)
    *_, receiver = home
    with closing(opened(home, keys, None)) as teken:
        messenger = Messenger(teken)
        messenger.round()
        returned(teken)
        arrived = []
        monkeypatch.setattr(rounds, "send_one", lambda *given: noted(arrived, messenger, *given))
        messenger.start()
        messenger._thread.join(SECONDS)
        assert not messenger._thread.is_alive()
    assert len(receiver.got) == len(arrived) == 1


def noted(arrived, messenger, *given):
    from service.notices.sending import send_one

    found = send_one(*given)
    if found:
        arrived.append(found)
        messenger._stop.set()
    return found
