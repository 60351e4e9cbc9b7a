"""Puts one scrape together. What can't be found out is left out, and said so: a scrape never fails."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

import structlog
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from service.metrics import journal, outward, papers, places, queues, signing
from service.metrics.counted import registry
from service.metrics.scrape import Scrape
from service.store import StoreBusy

if TYPE_CHECKING:
    from service.wiring import Teken

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
LOOKS: Final = (queues.look, papers.look, signing.look, outward.look, journal.look, places.look)
"""Each asks the database."""
log = structlog.get_logger("teken.metrics")


class _Moment(Collector):
    """What the database and the disks say now."""

    def __init__(self, scrape: Scrape) -> None:
        self._scrape = scrape

    def collect(self) -> Iterator[Metric]:
        """Yield all that could be found out; a database that is away is asked once, not once for each subject."""
        up = GaugeMetricFamily("teken_database_up", "1 if the database answered this scrape in time.")
        failed = GaugeMetricFamily("teken_scrape_failures", "Subjects that this scrape could not look at.")
        away, missing = False, 0
        yield from places.room(self._scrape)
        for look in LOOKS:
            try:
                yield from () if away else list(look(self._scrape))
            except StoreBusy:
                away, missing = True, missing + 1
            except Exception as error:  # noqa: BLE001 - one subject that breaks hides no other
                log.warning("scrape_failed", subject=look.__module__, error=type(error).__name__)
                missing += 1
        up.add_metric((), 0 if away else 1)
        failed.add_metric((), missing)
        yield from (up, failed)

    def describe(self) -> Iterable[Metric]:
        """Name nothing beforehand: registering must not look."""
        return ()


def exposition(teken: Teken) -> bytes:
    """Return the scrape in Prometheus' text form."""
    now = CollectorRegistry()
    now.register(_Moment(Scrape(teken, teken.clock.now())))
    return generate_latest(registry()) + generate_latest(now)
