"""Real signing processes over an office's folder, and ways to kill them at a named point."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from service import signers
from service.settings import PROJECT
from service.wiring import Teken
from tests.backends.conftest import Home

QUICK = {"lease_seconds": 2, "retry_seconds": 0.1, "poll_seconds": 0.05, "worker_nice": 0}


@contextmanager
def signing(home: Home, number: int = 1, fail_at: str = "", **more: Any) -> Iterator[list[subprocess.Popen]]:
    """So many `worker.py sign`."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TEKEN_")}
    ours = {**home.values(), **QUICK, "fail_at": fail_at, **more.pop("settings", {})}
    environment = clean | {f"TEKEN_{name.upper()}": str(value) for name, value in ours.items() if value != ""} | more
    with (home.folder / "sign.log").open("ab") as log:
        running = [
            subprocess.Popen(
                [sys.executable, "worker.py", "sign"], cwd=PROJECT, env=environment, stdout=log, stderr=log
            )
            for _ in range(number)
        ]
    try:
        yield running
    finally:
        for process in running:
            process.kill()
            process.wait()


def log_of(home: Home) -> str:
    path: Path = home.folder / "sign.log"
    return path.read_text()


def until(answers, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not answers():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.05)


def living(teken: Teken, number: int) -> None:
    """Wait until so many signing processes are known."""

    def all_there() -> bool:
        with teken.db.read() as connection:
            return len(signers.living(connection, teken.clock.now())) >= number

    until(all_there)
