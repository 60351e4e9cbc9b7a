"""`python -m benchmarks.batch [SIZE] [KIND,...] [LEVEL,...]`: one passphrase, one tray, two signing processes, one of them killed half-way.

From the head's click to the last permit in force: ordering, the hand-over, proving, signing, issuing; wall time and CPU by
process. At the end each document is read back and inspected by pyHanko, and nobody may have signed or released anything twice.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import func, select

from benchmarks.office import NUMBER_FIRST, bench
from service.audit import audit
from service.batch import open_batch, status
from service.demo import holder
from service.settings import PROJECT, Settings
from service.signers import living
from service.store.batch_tables import BatchState
from service.store.tables import acts, documents, permits
from service.wiring import Teken, open_teken
from tests.batch.longer import PASSPHRASE, faults, house
from tests.support.servers import postgres_cluster

SIGNERS = 2
TICKS = os.sysconf("SC_CLK_TCK")
LEASE = 5
"""Seconds after which a killed process's document is another's: TEKEN_LEASE_SECONDS, 60 unless set."""
PATIENCE = 1800


@dataclass
class Run:
    """Seconds of wall time since the click, CPU seconds by kind of process, and what the authorities were asked."""

    ordered: float = 0
    signed: float = 0
    issued: float = 0
    cpu: dict[str, float] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)


def measure(folder: Path, size: int, kind: str, level: str, database: str = "", *, kill: bool = True) -> Run:
    """Fill a tray, sign it, issue it.

    Raises RuntimeError unless every permit is in force with one sound signature of this level.
    """
    with house(folder, level, kind) as where:
        settings = {**where.settings, "database_url": database}
        teken = open_teken(Settings(**settings))  # type: ignore[arg-type]
        one = bench(teken, NUMBER_FIRST)
        listed = _filled(one, size)
        with _processes(settings, teken) as running:
            run, before, start = Run(), _cpu(running), time.perf_counter()
            opened = open_batch(teken, holder(teken, one.kind.office, "kepala_dinas"), listed, bytearray(PASSPHRASE))
            run.ordered = time.perf_counter() - start
            killed = 0.0
            if kill:
                _until(lambda: _results(teken, opened.id) >= size // 2 or _over(teken, opened.id), 0.05)
                killed = _cpu({"killed": running["signer 1"]})["killed"] - before["signer 1"]
                running.pop("signer 1").send_signal(signal.SIGKILL)
            _until(lambda: _over(teken, opened.id), 0.1)
            run.signed = time.perf_counter() - start
            _until(lambda: len(_released(teken)) >= _results(teken, opened.id), 0.1)
            run.issued = time.perf_counter() - start
            after = _cpu(running)
            run.cpu = {
                "signers": killed + sum(after[name] - before[name] for name in after if name.startswith("signer"))
            }
            run.cpu["worker"] = after["worker"] - before["worker"]
            run.asked = Counter(where.pki.asked)
        _check(teken, opened.id, size, level)
        teken.close()
    return run


_GOING = {BatchState.OPEN, BatchState.PROVING, BatchState.RUNNING}


def _filled(one, size: int) -> list[tuple[str, str]]:  # type: ignore[no-untyped-def]
    """So many permits before the head, each read by him: (permit, hash)."""
    ids = [one.post() for _ in range(size)]
    one.work()
    return [(permit, one.row(permit).final_sha) for permit in ids]


@contextmanager
def _processes(settings: dict[str, object], teken: Teken) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    given = {**settings, "lease_seconds": LEASE}
    variables = {f"TEKEN_{name.upper()}": str(value) for name, value in given.items() if value}
    environment = {**os.environ, **variables, "RAYON_NUM_THREADS": "1"}

    def start(queue: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "worker.py", queue], cwd=PROJECT, env=environment)

    all_of_them = {f"signer {number}": start("sign") for number in range(1, SIGNERS + 1)} | {"worker": start("work")}
    try:
        _until(lambda: _alive(teken) >= SIGNERS, 0.1)
        yield dict(all_of_them)
    finally:
        for process in all_of_them.values():
            process.terminate()
            process.wait()


def _until(answers: Callable[[], bool], pause: float) -> None:
    deadline = time.monotonic() + PATIENCE
    while not answers():
        if time.monotonic() > deadline:
            raise RuntimeError("it took too long")
        time.sleep(pause)


def _alive(teken: Teken) -> int:
    with teken.db.read() as connection:
        return len(living(connection, teken.clock.now()))


def _over(teken: Teken, batch: str) -> bool:
    return status(teken, batch).state not in _GOING


def _results(teken: Teken, batch: str) -> int:
    return status(teken, batch).counts.get("signed", 0)


def _released(teken: Teken) -> dict[str, str]:
    with teken.db.read() as connection:
        query = select(permits.c.id, permits.c.released_sha).where(permits.c.released_sha.is_not(None))
        return {row.id: row.released_sha for row in connection.execute(query)}


def _check(teken: Teken, batch: str, size: int, level: str) -> None:
    """Every document has its one result, is released once, and is what it should be, by pyHanko and by our own audit."""
    counts = status(teken, batch).counts
    with teken.db.read() as connection:
        twice = [
            connection.execute(
                select(table.c.permit).where(*which).group_by(table.c.permit).having(func.count() > 1)
            ).all()
            for table, which in ((acts, [acts.c.verb == "sign"]), (documents, []))
        ]
    released = _released(teken)
    wrong = faults(teken, released, level)
    violations = audit(teken).violations
    if counts != {"signed": size} or len(released) != size or any(twice) or wrong or violations:
        raise RuntimeError(f"{counts} {len(released)} {twice} {wrong[:5]} {violations[:5]}")


def _cpu(running: dict[str, subprocess.Popen[bytes]]) -> dict[str, float]:
    """User and system seconds so far (proc(5): fields 14 and 15)."""
    found = {}
    for name, process in running.items():
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        found[name] = (int(fields[11]) + int(fields[12])) / TICKS
    return found


def main(size: int, kinds: list[str], levels: list[str], database: str) -> None:
    """Print one line for each kind of key and level."""
    print(
        f"{size} permits, {SIGNERS} signing processes, one killed half-way, 1 worker, {database}; seconds", flush=True
    )
    for kind in kinds:
        for level in levels:
            with (
                tempfile.TemporaryDirectory() as folder,
                postgres_cluster() if database != "sqlite" else nullcontext() as server,
            ):
                run = measure(Path(folder), size, kind, level, server.url(server.create()) if server else "")
            cpu = "  ".join(
                f"{name} {seconds:.1f} ({1000 * seconds / size:.1f} ms each)" for name, seconds in run.cpu.items()
            )
            print(
                f"{kind:8} {level:5} ordered {run.ordered:5.1f}  signed {run.signed:6.1f}  in force {run.issued:6.1f}"
                f"  CPU {cpu}  asked {dict(run.asked)}",
                flush=True,
            )


if __name__ == "__main__":
    given = sys.argv[1:]
    main(
        int(given[0]) if given else 1000,
        (given[1] if len(given) > 1 else "rsa2048,p256").split(","),
        (given[2] if len(given) > 2 else "B-B,B-LT").split(","),
        given[3] if len(given) > 3 else "sqlite",
    )
