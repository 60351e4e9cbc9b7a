"""One-time codes with real signing processes: a code reaches the service from one of them, and stays nowhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing, contextmanager

import pytest
from sqlalchemy import select

from service import batch, batch_codes
from service.settings import PROJECT
from service.simulate import play
from service.store.batch_tables import Asked, BatchState
from service.store.dispatch_tables import dispatches
from tests.backends.conftest import HILIR, Desk, set_up_bsre
from tests.backends.processes import living, log_of, signing, until
from tests.batch.hunting import in_memory, on_disk
from tests.signing.simulated import NIK, playing

CODES = 'backend = "bsre"\nauthorise = "totp"'
LONG_AGO = "2020-01-01T00:00:00.000000Z"


@pytest.fixture
def office(tmp_path, keys, bsre_keys, database, monkeypatch):
    """The web process is here, signing processes are others. Codes are long: six digits lie in many a hash."""
    monkeypatch.setattr(play, "CODE_DIGITS", 24)

    @contextmanager
    def opened(**host):
        home, told = set_up_bsre(tmp_path, keys, bsre_keys, HILIR, CODES, database)
        with playing(bsre_keys) as service:
            home.host(told(service.url, **host))
            with closing(home.start(signing=False)) as teken:
                yield home, Desk(teken, HILIR, service)

    return opened


def asked_for(desk: Desk, documents: int) -> bytes:
    batch_codes.ask(desk.teken, desk.head, documents)

    def sent() -> bool:
        standing = batch_codes.standing(desk.teken, desk.head, LONG_AGO)
        return standing is not None and standing.state == Asked.SENT

    until(sent)
    return desk.service.app.extensions["play"].codes[NIK].encode()


def now(desk: Desk, opened: batch.Batch) -> batch.Batch:
    return batch.status(desk.teken, opened.id)


def senders(desk: Desk) -> set[str]:
    with desk.teken.db.read() as connection:
        return set(connection.execute(select(dispatches.c.process)).scalars())


@pytest.mark.heavy
def test_a_wrong_code_reaches_the_service_once_with_two_processes(office):
    with office(totp_covers="batch", chunk=2) as (home, desk), signing(home, 2):
        listed = desk.fill(6)
        living(desk.teken, 2)
        code = asked_for(desk, 6)
        opened = batch.open_batch(desk.teken, desk.head, listed, bytearray(b"0" + code))
        until(lambda: now(desk, opened).state == BatchState.REFUSED)
        until(lambda: all(desk.row(permit).queue == "person" for permit, _ in listed))
        assert desk.service.requests("sign/pdf") == 1
        assert desk.service.requests("sign/get/totp") == 1
        with desk.teken.db.read() as connection:
            before = connection.execute(select(dispatches.c.id)).all()
        batch.resume(desk.teken, desk.head, opened.id, bytearray(code))
        until(lambda: now(desk, opened).counts == {"signed": 6})
        with desk.teken.db.read() as connection:
            after = connection.execute(select(dispatches.c.id, dispatches.c.process)).all()
        assert len({one.process for one in after if (one.id,) not in before}) == 1, "only its prover uses a code"


@pytest.mark.heavy
def test_a_code_that_runs_out_reaches_the_service_once_more_with_two_processes(office):
    with office(totp_covers="batch", chunk=1) as (home, desk), signing(home, 2):
        listed = desk.fill(8)
        living(desk.teken, 2)
        code = asked_for(desk, 8)
        desk.service.quirks["slow"] = 0.3
        opened = batch.open_batch(desk.teken, desk.head, listed, bytearray(code))
        until(lambda: now(desk, opened).counts.get("signed", 0) >= 2)
        desk.service.quirks["totp_minutes"] = 0
        until(lambda: now(desk, opened).state == BatchState.REFUSED)
        signed = now(desk, opened).counts["signed"]
        assert now(desk, opened).cause == "totp_wrong"
        assert desk.service.requests("sign/pdf") == signed + 1
        assert len(senders(desk)) == 1


@pytest.mark.heavy
def test_from_the_command_line_and_the_code_stays_nowhere(office, tmp_path):
    with office() as (home, desk), signing(home) as (process,):
        listed = desk.fill(2)
        living(desk.teken, 1)
        (asked,) = teken_batch(home, "code", "--as", desk.head, "--documents", "2")
        assert (asked["state"], asked["cause"]) == ("sent", None)
        code = desk.service.app.extensions["play"].codes[NIK].encode()
        permits = [permit for permit, _ in listed]
        shown = teken_batch(home, "open", "--as", desk.head, *permits, "--passphrase-stdin", typed=code + b"\n")
        until(lambda: batch.status(desk.teken, shown[0]["id"]).counts == {"signed": 2})
        until(lambda: sum(in_memory(process.pid, code).values()) <= 2)  # texts of the request, which Python frees
        for secret in (code, NIK.encode()):
            assert secret not in log_of(home).encode()
            assert on_disk(home.folder / "home", secret) == []
        if desk.teken.db.dialect == "sqlite":
            assert on_disk(home.folder / "home", desk.head.encode()), "the search finds what is there"


def teken_batch(home, *words: str, typed: bytes = b"") -> list[dict]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TEKEN_")}
    ours = {f"TEKEN_{name.upper()}": str(value) for name, value in home.values().items() if value != ""}
    command = [sys.executable, "-m", "service.cli", "batch", *words]
    done = subprocess.run(command, cwd=PROJECT, env=clean | ours, input=typed, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert not typed or typed.strip() not in done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]
