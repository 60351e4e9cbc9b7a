"""One scrape: what it may look at, for how long, and the short way to a family of samples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from service.clock import instant

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from service.wiring import Teken

MOST_SECONDS = 5
"""No question of a scrape takes longer: PostgreSQL ends it, and the scrape says that the database is away."""
Samples = Iterable[tuple[Sequence[str], float]]


@dataclass(frozen=True, slots=True)
class Scrape:
    """The moment at which everything is looked at."""

    teken: Teken
    now: datetime

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection to look with. Raises StoreBusy."""
        with self.teken.db.read() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{MOST_SECONDS}s'")
            yield connection

    @property
    def offices(self) -> tuple[str, ...]:
        """Codes of the offices that are installed."""
        return tuple(sorted(self.teken.offices.offices))

    def since(self, text: str) -> float:
        """Return how many seconds ago a stamp was; 0 for one that is still to come."""
        return max(0.0, (self.now - instant(text)).total_seconds())


def gauge(name: str, about: str, samples: Samples, labels: Sequence[str] = ()) -> GaugeMetricFamily:
    """Return a gauge with these samples, each its labels' values and its value."""
    family = GaugeMetricFamily(name, about, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family


def counter(name: str, about: str, samples: Samples, labels: Sequence[str] = ()) -> CounterMetricFamily:
    """Return a counter that the database keeps; its name gets `_total`."""
    family = CounterMetricFamily(name, about, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family
