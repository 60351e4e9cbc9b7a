"""Starts real processes quickly: one parent imports everything once and forks each of them; it ends with the test, and so do they.

Run as a program it is that parent: it reads one JSON order a line and answers with one.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self

PROJECT = Path(__file__).resolve().parents[2]


class Nursery:
    """Spawns processes: `work` and `sign` are worker.py; `post` and `people` are the outside world; `machine` is all of them in one."""

    def __init__(self, **environment: str) -> None:
        self._own = environment

    def __enter__(self) -> Self:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TEKEN_")}
        environment |= {"RAYON_NUM_THREADS": "1", "PYTHONPATH": str(PROJECT), **self._own}
        self._lock = threading.Lock()
        self._parent = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=PROJECT,
            start_new_session=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._parent.stdin
        assert self._parent.stdout
        self._parent.stdin.close()
        try:
            self._parent.wait(20)
        finally:
            if self._parent.poll() is None:
                os.killpg(self._parent.pid, signal.SIGKILL)
                self._parent.wait()
            self._parent.stdout.close()

    def spawn(self, kind: str, environment: Mapping[str, object], log: Path | None = None) -> int:
        """Start a process and return its pid. Its variables are these and no other TEKEN_ ones."""
        variables = {name: str(value) for name, value in {"TEKEN_WORKER_NICE": 0, **environment}.items()}
        return int(self._ask({"spawn": kind, "environment": variables, "log": str(log or os.devnull)}))

    def alive(self, pid: int) -> bool:
        """Tell whether it still runs."""
        return self.ended(pid) is None

    def ended(self, pid: int) -> int | None:
        """Return its exit code (minus the signal's number), None while it runs."""
        return self._ask({"ended": pid})

    def wait(self, pid: int, seconds: float) -> int | None:
        """Return its exit code, None if it still runs after so many seconds."""
        deadline = time.monotonic() + seconds
        while (code := self.ended(pid)) is None and time.monotonic() < deadline:
            time.sleep(0.02)
        return code

    def end(self, pid: int) -> None:
        """SIGKILL, whatever it is doing."""
        if self.alive(pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            self.wait(pid, 10)

    def _ask(self, order: Mapping[str, object]) -> int | None:
        assert self._parent.stdin
        assert self._parent.stdout
        with self._lock:
            self._parent.stdin.write(json.dumps(order) + "\n")
            self._parent.stdin.flush()
            return json.loads(self._parent.stdout.readline())


def main() -> None:
    """Read orders until the test closes the line or dies; then end every child."""
    import worker  # noqa: F401 - imported once, here, so that a fork costs milliseconds
    from tests.faults import people, poster  # noqa: F401
    from tests.faults.lab import machine, patches  # noqa: F401

    children: dict[int, int | None] = {}
    try:
        for line in sys.stdin:
            order = json.loads(line)
            if "spawn" in order:
                answer: int | None = _fork(order)
                children[answer] = None
            else:
                answer = _reap(children, order["ended"])
            print(json.dumps(answer), flush=True)
    finally:
        for pid in children:
            if _reap(children, pid) is None:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def _fork(order: dict) -> int:
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        _become(order)
        code = _run(order["spawn"])
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _become(order: dict) -> None:
    """Cut the child off from the parent's line and give it its own settings."""
    from tests.faults.lab import patches

    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for descriptor, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(descriptor, target)
    os.environ.update(order["environment"])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    patches.apply(os.environ.get("UJI_PATCH", ""))


def _run(kind: str) -> int:
    if kind in {"work", "sign"}:
        import worker

        return worker.main([kind])
    from tests.faults import people, poster
    from tests.faults.lab import machine

    return {"post": poster.main, "people": people.main, "machine": machine.main}[kind]()


def _reap(children: dict[int, int | None], pid: int) -> int | None:
    if children[pid] is None:
        found, status = os.waitpid(pid, os.WNOHANG)
        children[pid] = os.waitstatus_to_exitcode(status) if found else None
    return children[pid]


if __name__ == "__main__":
    sys.path.insert(0, str(PROJECT))
    main()
