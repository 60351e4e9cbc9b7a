"""What a process is given besides its settings: `UJI_PATCH=name[:argument...]` changes its program before it starts."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from service import failpoints
from service.steps import STEPS
from tests.faults.lab import mutants


def fsync(which: str) -> None:
    """The disk reports a write error at the n-th fsync."""
    real, left = os.fsync, [int(which)]

    def failing(descriptor: int) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise OSError(errno.EIO, "write error")
        real(descriptor)

    os.fsync = failing


def file_size(kilobytes: str) -> None:
    """No file may grow beyond this but the log; writing fails, the process lives."""
    log = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    assert log.stdin
    for descriptor in (1, 2):
        os.dup2(log.stdin.fileno(), descriptor)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limit, most = int(kilobytes) * 1024, resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, most))


def passage(which: str) -> None:
    """SIGKILL at the n-th passage of named points, whichever it is."""
    real, left = failpoints.passing, [int(which)]

    def passing(point: str) -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        real(point)

    failpoints.passing = passing


def poison(step: str, case: str, how: str) -> None:
    """One case ends or fails whoever does this step of it."""
    real = STEPS[step]

    def poisoned(teken, work):
        if work.row.upstream_id == case:
            ENDS[how]()
        return real(teken, work)

    STEPS[step] = poisoned


def overtaken(step: str, case: str, when: str) -> None:
    """Whoever does this step of a case is so slow that another worker looks at it: `at once`, or `late`, when the lease is over.

    A seal is slow from the moment its QR is kept, which needs the claim too.
    """
    from service import pipeline

    looked = []

    def look(teken, work):
        if work.row.upstream_id == case and not looked:
            looked.append(work.row.id)
            if when == "late":
                teken.clock.forward(seconds=2 * teken.settings.lease_seconds)
            taken = pipeline.advance(teken, work.row.queue, work.row.id)
            (Path(os.environ["UJI_FOLDER"]) / "overtaken").write_text("taken" if taken else "left alone")
            if taken:
                time.sleep(1)  # an RSA signature of the same second would be the very same bytes, and no duplicate
        return work

    if step == "seal":
        sealing = import_module("service.steps.seal")
        kept = sealing.with_qr
        sealing.with_qr = lambda teken, work: look(teken, kept(teken, work))
    else:
        real = STEPS[step]
        STEPS[step] = lambda teken, work: real(teken, look(teken, work))


def _memory() -> None:
    raise MemoryError


def _recursion() -> None:
    _recursion()


ENDS: dict[str, Callable[[], object]] = {
    "kills": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "crashes": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "fails": lambda: 1 // 0,
    "eats memory": _memory,
    "runs too deep": _recursion,
}
PATCHES: dict[str, Callable[..., None]] = {
    "fsync": fsync,
    "file_size": file_size,
    "overtaken": overtaken,
    "passage": passage,
    "poison": poison,
}


def apply(text: str) -> None:
    """Apply what the environment says; several are separated by semicolons."""
    for one in filter(None, text.split(";")):
        name, *arguments = one.split(":")
        known = PATCHES.get(name) or getattr(mutants, name)
        known(*arguments)
