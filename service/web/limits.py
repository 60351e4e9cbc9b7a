"""How often one address, and the network around it, may ask: looking codes up, checking files, telling us something.

Known and unknown codes count alike, so that a limit tells nothing. A limit protects the machine, never the truth: whatever
happens to the counters, verification is answered (it fails open). An address that is over its own limit uses up nothing of
its network's, so that nobody shuts out his neighbours alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import structlog
from flask import request
from limits import parse_many
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from service.desk.accounts import desk_key
from service.doorbell import REST_SECONDS, WAIT_SECONDS
from service.errors import TooMany
from service.web.sources import Source, source

if TYPE_CHECKING:
    from flask import Flask
    from limits import RateLimitItem

    from service.settings import Settings
    from service.wiring import Teken

NETWORK = 10
"""A network may ask so many times as often as one address."""
LOOK_UP, CHECK, REPORT = "lookups", "checks", "reports"
_log = structlog.get_logger("teken.web")


class TooManyChecks(TooMany):
    """More than the limit from this address or its network; give `minutes`."""

    code = "too_many_checks"


def register(app: Flask, teken: Teken) -> None:
    """Count the public's requests before anything is done for them."""
    counters = Counters.of(teken)

    @app.before_request
    def _count() -> None:
        kind = _kind()
        if kind:
            counters.count(kind, source(request.remote_addr))


def _kind() -> str:
    """Return what is asked for, by blueprint and not by what comes out."""
    place = request.blueprint
    if place == "report" and request.method == "POST":
        return REPORT
    if place == "check" and request.method == "POST":
        return CHECK
    asks = "code" in (request.view_args or {})  # a typed code is sent on to its own address, and counted there
    return LOOK_UP if asks and place in {"verify", "check", "report"} else ""


@dataclass(slots=True)
class Counters:
    """Sliding windows: in Redis for all processes together, else (and while Redis is away) in this process."""

    limits: dict[str, list[RateLimitItem]]
    hidden: Callable[[str], str]  # the counters' store learns no address
    here: SlidingWindowCounterRateLimiter
    together: SlidingWindowCounterRateLimiter | None = None
    _away_until: float = 0

    @classmethod
    def of(cls, teken: Teken) -> Counters:
        """Make the counters that the settings ask for."""
        settings = teken.settings
        given = {LOOK_UP: settings.limit_lookups, CHECK: settings.limit_checks, REPORT: settings.limit_reports}
        limits = {kind: parse_many(text) if text else [] for kind, text in given.items()}
        here = SlidingWindowCounterRateLimiter(MemoryStorage())
        hidden = lru_cache(4096)(lambda name: desk_key(teken).hidden("limits", name))
        return cls(limits, hidden, here, _shared(settings))

    def count(self, kind: str, asker: Source) -> None:
        """Count one request. Raises TooManyChecks with `retry_after`."""
        if asker.local or not self.limits[kind]:
            return
        wait = self._wait(kind, asker)
        if wait:
            raise TooManyChecks(retry_after=wait, minutes=str(-(-wait // 60)))

    def _wait(self, kind: str, asker: Source) -> int:
        if self.together is not None and time.monotonic() >= self._away_until:
            try:
                return self._counted(self.together, kind, asker)
            except Exception as error:  # noqa: BLE001 - whatever a counter's store does, the public is answered
                _log.warning("limits_alone", error=type(error).__name__)
                self._away_until = time.monotonic() + REST_SECONDS
        return self._counted(self.here, kind, asker)

    def _counted(self, limiter: SlidingWindowCounterRateLimiter, kind: str, asker: Source) -> int:
        """Return 0, or after how many seconds to ask again."""
        for name, times in ((asker.address, 1), (asker.network, NETWORK)):
            mine = (kind, self.hidden(name))
            for limit in self.limits[kind]:
                item = type(limit)(limit.amount * times, limit.multiples)
                if not limiter.hit(item, *mine):
                    return max(1, int(limiter.get_window_stats(item, *mine).reset_time - time.time()) + 1)
        return 0


def _shared(settings: Settings) -> SlidingWindowCounterRateLimiter | None:
    """Connect when first asked, with short time-outs and no retries: a hanging Redis may cost a request half a second, once in five."""
    if not settings.redis_url:
        return None
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    short = {"socket_timeout": WAIT_SECONDS, "socket_connect_timeout": WAIT_SECONDS, "retry_on_error": []}
    options = {**short, "retry": Retry(NoBackoff(), 0)}
    storage = RedisStorage(settings.redis_url, key_prefix="teken-limit", **options)  # type: ignore[arg-type]
    return SlidingWindowCounterRateLimiter(storage)
