"""`python -m benchmarks.batch [SIZE]`: one passphrase, one tray, two signing processes; wall time and CPU by kind of key.

From the head's click to the last signature: ordering (one transaction a document), the hand-over, proving, signing.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.office import NUMBER_FIRST, bench
from certs.make_dev_pki import KeyKind
from service import development
from service.batch import open_batch, status
from service.demo import holder
from service.settings import PROJECT, Settings
from service.signers import living
from service.store.batch_tables import BatchState
from service.wiring import Teken, open_teken

PROCESSES = 2
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Run:
    """Seconds."""

    ordering: float
    signing: float
    cpu_signers: float


def measure(folder: Path, size: int, key: KeyKind) -> Run:
    """Fill a tray, then sign it."""
    keys = folder / "keys"
    development.certificates(PROJECT / "templates", keys, key=key)
    secret = bytearray((keys / "passphrase").read_bytes().strip())
    settings = {
        "home": folder,
        "keys": keys,
        "passphrase_file": folder / "none",
        "seal_passphrase_file": keys / "passphrase",
    }
    teken = open_teken(Settings(**settings))  # type: ignore[arg-type]
    one = bench(teken, NUMBER_FIRST)
    permits = [one.post() for _ in range(size)]
    one.work()
    listed = [(permit, one.row(permit).final_sha) for permit in permits]
    with _signers({f"TEKEN_{name.upper()}": str(value) for name, value in settings.items()}, teken) as running:
        before, start = _cpu(running), time.perf_counter()
        opened = open_batch(teken, holder(teken, one.kind.office, "kepala_dinas"), listed, secret)
        ordered = time.perf_counter()
        while status(teken, opened.id).state in {BatchState.OPEN, BatchState.PROVING, BatchState.RUNNING}:
            time.sleep(0.2)
        done = time.perf_counter()
        cpu = _cpu(running) - before
    if status(teken, opened.id).counts != {"signed": size}:
        raise RuntimeError(f"not every permit was signed: {status(teken, opened.id).counts}")
    teken.close()
    return Run(ordered - start, done - ordered, cpu)


@contextmanager
def _signers(variables: dict[str, str], teken: Teken) -> Iterator[list[subprocess.Popen[bytes]]]:
    environment = {**os.environ, **variables, "RAYON_NUM_THREADS": "1"}
    command = [sys.executable, "worker.py", "sign"]
    running = [subprocess.Popen(command, cwd=PROJECT, env=environment) for _ in range(PROCESSES)]
    try:
        while not _all_there(teken):
            time.sleep(0.1)
        yield running
    finally:
        for process in running:
            process.terminate()
            process.wait()


def _all_there(teken: Teken) -> bool:
    with teken.db.read() as connection:
        return len(living(connection, teken.clock.now())) >= PROCESSES


def _cpu(running: list[subprocess.Popen[bytes]]) -> float:
    """User and system seconds so far (proc(5): fields 14 and 15)."""
    stats = [Path(f"/proc/{one.pid}/stat").read_text().rpartition(")")[2].split() for one in running]
    return sum(int(fields[11]) + int(fields[12]) for fields in stats) / TICKS


def main(size: int) -> None:
    """Print one line a kind of key."""
    kinds: tuple[KeyKind, ...] = ("rsa2048", "p256")
    print(f"{size} permits, {PROCESSES} signing processes, SQLite, B-B; seconds")
    for key in kinds:
        with tempfile.TemporaryDirectory() as folder:
            run = measure(Path(folder), size, key)
        per = 1000 * run.cpu_signers / size
        print(
            f"{key:8} order {run.ordering:6.1f}  sign {run.signing:6.1f}  signers' CPU {run.cpu_signers:6.1f}  ({per:.1f} ms each)"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
