"""Serves RQ without forking: answers rings for a moment, then lets the caller look at the database itself.

RQ loses jobs in several ordinary faults, so a ring only saves the wait until the next look (§6). With Redis down,
hanging, forgetful or restarted, the caller's own look finds the work: nothing here is ever the only way to it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from service.doorbell import REST_SECONDS, RedisDoorbell

if TYPE_CHECKING:
    from service.wiring import Teken

log = structlog.get_logger("teken.listening")
QUIET_SECONDS = 1
ANSWER_SECONDS = 3
MOST_RINGS = 20
"""Then the caller looks at the database, however busily it rings: a lost ring waits no longer than these take."""


@dataclass(slots=True)
class Ear:
    """One process's ear on one queue. After a failure it does not try Redis again for a while."""

    teken: Teken
    queue: str
    _deaf_until: float = 0

    def listen(self, seconds: float) -> None:
        """Answer rings until none has come for about a second; while Redis is away just wait `seconds`."""
        from redis.exceptions import RedisError

        if time.monotonic() < self._deaf_until:
            time.sleep(seconds)
            return
        assert isinstance(self.teken.doorbell, RedisDoorbell)
        try:
            _worker(self.teken.doorbell, self.queue).work(
                max_idle_time=QUIET_SECONDS, max_jobs=MOST_RINGS, logging_level="WARNING"
            )
        except (RedisError, OSError) as error:
            log.warning("redis_unreachable", error=type(error).__name__)
            self._deaf_until = time.monotonic() + REST_SECONDS


def _worker(doorbell: RedisDoorbell, queue: str) -> Any:
    """Make an RQ worker on one queue only (with two, a kill loses the job for good) that leaves signals to worker.py."""
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry
    from rq import Queue, SimpleWorker
    from rq.exceptions import DequeueTimeout
    from rq.serializers import JSONSerializer

    class Listener(SimpleWorker):
        connection_timeout = (
            ANSWER_SECONDS  # rq's own is seven minutes: a hanging Redis would hold the process that long
        )

        def _install_signal_handlers(self) -> None:
            """worker.py handles signals: the step at hand ends, then the process."""

        def subscribe(self) -> None:
            """Nobody sends commands to this worker, so it needs no thread that waits for them."""

        def dequeue_job_and_maintain_ttl(self, timeout: int | None, max_idle_time: int | None = None) -> Any:
            """Wait once. rq waits here for a lost Redis for ever (rq 3.0, worker/base.py), with the database unattended."""
            self.heartbeat()
            try:
                return self.queue_class.dequeue_any(
                    self._ordered_queues,
                    max_idle_time or timeout,
                    connection=self.connection,
                    job_class=self.job_class,
                    serializer=self.serializer,
                    death_penalty_class=self.death_penalty_class,
                )
            except DequeueTimeout:
                return None

    connection = Redis.from_url(
        doorbell.url,
        socket_timeout=ANSWER_SECONDS,
        socket_connect_timeout=1,
        retry=Retry(NoBackoff(), 0),
    )
    bell = Queue(doorbell.queues[queue].name, connection=connection, serializer=JSONSerializer)
    return Listener([bell], connection=connection, serializer=JSONSerializer)
