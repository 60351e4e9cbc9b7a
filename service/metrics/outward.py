"""How far news to upstream systems is behind, and what applicants were not told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from prometheus_client.core import Metric
from sqlalchemy import Select, func, select

from service.metrics.scrape import gauge
from service.store.notice_tables import FAILED, notices
from service.store.webhook_tables import ENDPOINT_STATES
from service.webhooks.standing import lag_in

if TYPE_CHECKING:
    from service.metrics.scrape import Scrape


def look(scrape: Scrape) -> Iterator[Metric]:
    """Yield endpoints by state, the oldest event that one has not taken, and failed notices."""
    with scrape.read() as connection:
        standings = lag_in(connection, scrape.now)
        failed = {row.office: row.number for row in connection.execute(untold())}
    counted = Counter((one.office, one.state) for one in standings)
    states = (((office, state), counted[office, state]) for office in scrape.offices for state in ENDPOINT_STATES)
    yield gauge(
        "teken_webhook_endpoints", "Endpoints that upstream systems have registered.", states, ("office", "state")
    )
    behind = dict.fromkeys(scrape.offices, 0.0)
    for one in standings:
        behind[one.office] = max(behind.get(one.office, 0.0), one.behind)
    oldest = (((office,), seconds) for office, seconds in behind.items())
    yield gauge(
        "teken_webhook_lag_seconds", "Age of the oldest event that an endpoint has not taken.", oldest, ("office",)
    )
    numbers = (((office,), failed.get(office, 0)) for office in scrape.offices)
    yield gauge("teken_notices_failed", "Notices that did not reach their applicant.", numbers, ("office",))


def untold() -> Select[Any]:
    """Return the question for what was refused or given up."""
    return select(notices.c.office, func.count().label("number")).where(FAILED).group_by(notices.c.office)
