"""Serves RQ without forking: answers rings for a moment, then lets the caller look at the database itself.

RQ loses jobs in several ordinary faults, so a ring only saves the wait until the next look (§6). With Redis down,
forgetful or restarted, the caller's own look finds the work: nothing here is ever the only way to it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import structlog

from service.doorbell import RedisDoorbell

if TYPE_CHECKING:
    from service.wiring import Teken

log = structlog.get_logger("teken.listening")


def listen(teken: Teken, queue: str, seconds: float) -> None:
    """Answer rings until none has come for about a second; without Redis just wait `seconds`."""
    from redis.exceptions import RedisError

    assert isinstance(teken.doorbell, RedisDoorbell)
    try:
        _worker(teken.doorbell, queue).work(max_idle_time=1, logging_level="WARNING")
    except (RedisError, OSError) as error:
        log.warning("redis_unreachable", error=type(error).__name__)
        time.sleep(seconds)


def _worker(doorbell: RedisDoorbell, queue: str) -> Any:
    """Make an RQ worker on one queue only (with two, a kill loses the job for good) that leaves signals to worker.py."""
    from redis import Redis
    from rq import Queue, SimpleWorker
    from rq.serializers import JSONSerializer

    class Listener(SimpleWorker):
        def _install_signal_handlers(self) -> None:
            """worker.py handles signals: the step at hand ends, then the process."""

    connection = Redis.from_url(doorbell.url)  # its own: RQ sets the time-outs that its blocking reads need
    bell = Queue(doorbell.queues[queue].name, connection=connection, serializer=JSONSerializer)
    return Listener([bell], connection=connection, serializer=JSONSerializer)
