"""PostgreSQL stopped at once, its processes killed, its sessions ended, and hanging altogether."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

import psycopg

from tests.faults.lab.bench import Bench
from tests.faults.lab.drills import drilling, nothing, storm
from tests.faults.lab.scene import Row, Scene, numbered
from tests.support.servers import START_SECONDS, PostgresServer

ROUNDS = 5


def crashes(bench: Bench, scene: Scene, rounds: int = ROUNDS) -> None:
    """The server goes, for whatever reason, and comes back; the processes stay."""
    server = bench.postgres
    troubles = (
        ("stop -m immediate", server.stop, server.start),
        ("stop -m fast", partial(server.stop, signal.SIGINT), server.start),
        ("postmaster killed with all", partial(server.stop, signal.SIGKILL), server.start),
        ("one session's process killed", partial(_kill_one, server), nothing),
        ("every session ended", partial(_end_sessions, server), nothing),
    )
    with drilling(bench, scene, busy_seconds=1) as drill:
        storm(scene, drill, rounds, troubles)
        drill.all_alive()


def hangs(bench: Bench, scene: Scene) -> None:
    """Nothing answers, nothing is refused: who asks waits, and finds everything as it was."""
    server = bench.postgres
    troubles = (
        ("everything stopped", partial(_all, server, signal.SIGSTOP), partial(_all, server, signal.SIGCONT)),
        ("no new sessions", partial(_one, server, signal.SIGSTOP), partial(_one, server, signal.SIGCONT)),
        ("one session stopped", partial(_stop_one, server), partial(_all, server, signal.SIGCONT)),
    )
    with drilling(bench, scene, busy_seconds=1) as drill:
        storm(scene, drill, ROUNDS, troubles)
        drill.all_alive()


def _connected(server: PostgresServer) -> psycopg.Connection:
    """As soon as it answers: it may still be recovering from what was done to it last."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return server.connect()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _sessions(server: PostgresServer) -> list[int]:
    with _connected(server) as connection:
        query = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        return [pid for (pid,) in connection.execute(query).fetchall()]


def _kill_one(server: PostgresServer) -> None:
    """Its postmaster takes that for a crash, and restarts everybody."""
    for pid in _sessions(server)[:1]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _stop_one(server: PostgresServer) -> None:
    for pid in _sessions(server)[:1]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)


def _end_sessions(server: PostgresServer) -> None:
    with _connected(server) as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")


def _one(server: PostgresServer, number: int) -> None:
    assert server.process is not None
    os.kill(server.process.pid, number)


def _all(server: PostgresServer, number: int) -> None:
    """The postmaster and its children: each child leads a group of its own."""
    assert server.process is not None
    pids = [server.process.pid]
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if _parent(entry) == server.process.pid:
                pids.append(int(entry.name))
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _parent(process: Path) -> int:
    return int((process / "stat").read_text().rpartition(")")[2].split()[1])


CRASHES = Row(
    "pg-crash",
    "stop -m immediate and fast, SIGKILL of all or of one session's process, every session ended; started again",
    "every process lives on and reconnects; what was acknowledged is there",
    numbered(5),
    crashes,
    ("postgresql",),
)
HANGS = Row(
    "pg-hung",
    "SIGSTOP of the whole server, of its postmaster, of one session",
    "who asks waits; nothing is done twice when it goes on",
    numbered(5),
    hangs,
    ("postgresql",),
)
