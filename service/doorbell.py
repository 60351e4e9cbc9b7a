"""Wakes workers after a commit. The database is the truth: a lost ring costs a second or two, never a case (§6)."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Protocol

QUEUES = ("work", "sign")
WAIT_SECONDS = 0.5
REST_SECONDS = 5
"""A Redis that did not answer is left alone for so long: a hanging one would cost every request its wait."""


class Doorbell(Protocol):
    """Rings; never raises and never blocks a request for longer than a second."""

    def ring(self, queue: str, permit: str) -> None:
        """Say that the permit may have due work on the queue."""
        ...


class SilentDoorbell:
    """No Redis: workers poll the database."""

    def ring(self, queue: str, permit: str) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class RedisDoorbell:
    """Enqueues the permit's id, as JSON, on RQ's queue of the same name."""

    url: str
    queues: dict[str, Any]
    _broken: list[float] = field(default_factory=list)  # when a ring failed last

    @classmethod
    def at(cls, url: str) -> RedisDoorbell:
        """Connect lazily with short time-outs and no retries: redis-py's defaults block a request for four seconds."""
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry
        from rq import Queue
        from rq.serializers import JSONSerializer

        connection = Redis.from_url(
            url,
            socket_timeout=WAIT_SECONDS,
            socket_connect_timeout=WAIT_SECONDS,
            retry=Retry(NoBackoff(), 0),
            retry_on_error=[],
        )
        return cls(
            url, {name: Queue(f"teken-{name}", connection=connection, serializer=JSONSerializer) for name in QUEUES}
        )

    def ring(self, queue: str, permit: str) -> None:
        """Enqueue; a Redis that is down or forgets is the sweep's business."""
        from redis.exceptions import RedisError

        if self._broken and time.monotonic() < self._broken[-1] + REST_SECONDS:
            return
        try:
            self.queues[queue].enqueue_call(
                "service.pipeline.answer", args=(queue, permit), result_ttl=0, failure_ttl=60, ttl=300, timeout=300
            )
        except (RedisError, OSError):
            self._broken[:] = [time.monotonic()]
