"""The worker's entry: `worker.py [work|sign]` does due work of one queue; with Redis set it also answers RQ.

`sign` is the signing process: it alone opens keys, it never forks, it listens to `sign` only and leaves no core dump.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
import time

import structlog

os.environ.setdefault(
    "RAYON_NUM_THREADS", "1"
)  # one typesetting thread a process: several processes use the cores better

from service.batch_ends import tend
from service.batch_signing import leave
from service.listening import Ear
from service.logs import log_to_stderr, tell_deaths
from service.notices.rounds import Messenger
from service.pipeline import drain
from service.qr_lists import Lister
from service.renewal import Rounds
from service.settings import Settings
from service.signatories import Watch
from service.store import StoreBusy
from service.webhooks.courier import Courier
from service.wiring import Teken, open_teken, remember

log = structlog.get_logger("teken.worker")
QUEUES = ("work", "sign")
_PR_SET_DUMPABLE = 4


def main(arguments: list[str]) -> int:
    """Run until told to stop (SIGTERM ends after the step at hand)."""
    queue = arguments[0] if arguments else "work"
    if queue not in QUEUES:
        print(f"worker.py: {' | '.join(QUEUES)}", file=sys.stderr)
        return 2
    settings = Settings.from_environment()
    log_to_stderr(settings.log, queue)
    tell_deaths()
    os.nice(settings.worker_nice)  # before any thread: a tray of a thousand must not keep the desk's people waiting
    if queue == "sign":
        _seclude()
    teken = _opened(settings, queue)
    remember(teken)
    ear = Ear(teken, queue)
    rounds = Rounds() if queue == "work" else None
    lister = Lister() if queue == "sign" else None
    beside = (Courier(teken), Messenger(teken)) if queue == "work" else ()
    for one in beside:
        one.start()
    watch = Watch()
    stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stop.append(number))
    signal.signal(signal.SIGINT, lambda number, _: stop.append(number))
    while not stop:
        try:
            done = drain(teken, queue, limit=50)
            tend(teken)
            if lister is not None:
                lister.look(teken)
            if done:
                continue
            if rounds is not None:
                rounds.spare(teken)
                watch.look(teken)
        except StoreBusy:  # locked, restarting or away: nothing was written, and it is asked again
            log.warning("database_busy")
        _pause(settings, ear)
    for one in beside:
        one.stop()
    with contextlib.suppress(StoreBusy):
        leave(teken)
    return 0


def _pause(settings: Settings, ear: Ear) -> None:
    if settings.redis_url:
        ear.listen(settings.poll_seconds)
    else:
        time.sleep(settings.poll_seconds)


def _seclude() -> None:
    """Leave no core dump, and let no other process of the same user look into this one's memory (prctl(2))."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def _opened(settings: Settings, queue: str) -> Teken:
    """Open everything; a database that is not there yet (a machine that starts, a fail-over) is waited for."""
    while True:
        try:
            return open_teken(settings, signing=queue == "sign")
        except StoreBusy:
            log.warning("database_awaited")
            time.sleep(settings.poll_seconds)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
