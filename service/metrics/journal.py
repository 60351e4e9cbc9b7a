"""The journal's growth and its newest checkpoint, and the numbers allotted: counters that the database keeps itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client.core import Metric
from sqlalchemy import func, select

from service import journal
from service.clock import instant
from service.metrics.scrape import counter, gauge
from service.store.tables import events, series

if TYPE_CHECKING:
    from service.metrics.scrape import Scrape


def look(scrape: Scrape) -> Iterator[Metric]:
    """Yield events, the instant of the newest signed checkpoint, and register entries by office."""
    with scrape.read() as connection:
        length = journal.length(connection)
        newest = connection.execute(select(events.c.at).where(events.c.seq == length)).scalar_one_or_none()
        entries = connection.execute(
            select(series.c.office, func.sum(series.c.entries)).group_by(series.c.office)
        ).all()
    yield counter("teken_journal_events", "Events in the journal.", [((), length)])
    at = instant(newest).timestamp() if newest else 0
    about = "When the newest signed checkpoint of the journal was made; 0 before the first event."
    yield gauge("teken_checkpoint_timestamp_seconds", about, [((), at)])
    counted = dict.fromkeys(scrape.offices, 0) | {office: int(number) for office, number in entries}
    samples = (((office,), number) for office, number in counted.items())
    yield counter(
        "teken_register_entries", "Entries of the register: numbers allotted and voided.", samples, ("office",)
    )
