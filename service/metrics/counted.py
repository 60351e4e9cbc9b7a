"""Counters of the web server, kept in its processes' memory; where gunicorn runs several, in files that they share.

The library decides by its own variable, which `service/webserver.py` sets before a process imports this.
"""

from __future__ import annotations

import os
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.multiprocess import MultiProcessCollector

SHARED: Final = "PROMETHEUS_MULTIPROC_DIR"
METHODS: Final = frozenset({"GET", "HEAD", "POST", "OPTIONS"})
"""Any other is counted as `other`: a stranger may invent as many as he likes."""
_SECONDS: Final = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
_OWN: Final = CollectorRegistry()

requests = Counter(
    "teken_http_requests",
    "Requests answered by the application.",
    ("route", "method", "status"),
    registry=_OWN,
)
seconds = Histogram(
    "teken_http_request_duration_seconds",
    "Time from the whole request to its answer.",
    ("route",),
    buckets=_SECONDS,
    registry=_OWN,
)
verifications = Counter(
    "teken_verifications",
    "Verifications answered: of a code by state, of a file by verdict.",
    ("route", "of", "result"),
    registry=_OWN,
)
checks_inside = Gauge(
    "teken_file_checks_inside",
    "Files that were let in and are not answered yet.",
    multiprocess_mode="livesum",
    registry=_OWN,
)
checks_refused = Counter(
    "teken_file_checks_refused",
    "Files that were turned away because too many were being checked.",
    registry=_OWN,
)


def registry() -> CollectorRegistry:
    """Return where to read the counters: over all of this server's processes if they share them."""
    if SHARED not in os.environ:
        return _OWN
    together = CollectorRegistry()
    MultiProcessCollector(together)  # type: ignore[no-untyped-call]
    return together


def answered(route: str, method: str, status: int, took: float) -> None:
    """Count one request. `route` is a template, never an address: addresses hold codes."""
    requests.labels(route, method if method in METHODS else "other", str(status)).inc()
    seconds.labels(route).observe(took)
