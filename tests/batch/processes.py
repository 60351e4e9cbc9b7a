"""Real signing processes over a real folder, and a look into their memory, their files and their logs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from service.batch import Batch, status
from service.clock import SystemClock
from service.permits import State
from service.settings import PROJECT
from service.wiring import Teken
from tests.support.office import client_of, payload, play, post, row

from .conftest import OFFICE, TYPE, typed_only


def web(home: Path, keys: Path, database: str = "", **more) -> Teken:
    """A process that may order and never sign."""
    return typed_only(home, keys, database, SystemClock(), signing=False, **more)


def environment(home: Path, keys: Path, database: str = "", **more: object) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TEKEN_")}
    ours = {"home": home, "keys": keys, "passphrase_file": home / "none", "seal_passphrase_file": keys / "passphrase"}
    quick = {"lease_seconds": 3, "retry_seconds": 0.1, "poll_seconds": 0.05, "worker_nice": 0}
    ours |= {**quick, "database_url": database, **more}
    return clean | {f"TEKEN_{name.upper()}": str(value) for name, value in ours.items() if value != ""}


@contextmanager
def signing(number: int, log: Path, variables: dict[str, str]) -> Iterator[list[subprocess.Popen]]:
    """So many `worker.py sign`."""
    with log.open("ab") as out:
        command = [sys.executable, "worker.py", "sign"]
        running = [subprocess.Popen(command, cwd=PROJECT, env=variables, stdout=out, stderr=out) for _ in range(number)]
    try:
        yield running
    finally:
        for process in running:
            process.kill()
            process.wait()


def until(answers, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not answers():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.05)


def announced(teken: Teken, number: int) -> None:
    from service import signers

    def all_there() -> bool:
        with teken.db.read() as connection:
            return len(signers.living(connection, teken.clock.now())) >= number

    until(all_there)


def fill(teken: Teken, number: int) -> list[tuple[str, str]]:
    client = client_of(teken, OFFICE)
    ids = [post(teken, client, payload(OFFICE, TYPE, f"BERKAS-{n}")).body["id"] for n in range(number)]
    for permit in ids:
        play(teken, permit, until=State.NUMBERED)
    from service import pipeline

    pipeline.drain(teken, "work")
    return [(permit, row(teken, permit).final_sha) for permit in ids]


def signed(teken: Teken, opened: Batch) -> int:
    return status(teken, opened.id).counts.get("signed", 0)


def with_passphrase(keys: Path, folder: Path, passphrase: bytes) -> Path:
    """The same keys, the officials' behind another passphrase than the seals'."""
    shutil.copytree(keys, folder)
    old = (keys / "passphrase").read_bytes().strip()
    for path in folder.glob("*.p12"):
        if "segel" not in path.name and path.name != "tsa.p12":
            key, certificate, chain = pkcs12.load_key_and_certificates(path.read_bytes(), old)
            again = BestAvailableEncryption(passphrase)
            path.write_bytes(pkcs12.serialize_key_and_certificates(None, key, certificate, chain, again))
    return folder
