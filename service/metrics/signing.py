"""Living signing processes, batches that wait for their official, and dispatches of which nobody knows what became."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client.core import Metric
from sqlalchemy import func, select

from service.identity import pins_of
from service.metrics.scrape import gauge
from service.signers import living, recipients
from service.store.batch_tables import BatchState, batches
from service.store.dispatch_tables import dispatches
from service.store.standing_tables import UNSETTLED

if TYPE_CHECKING:
    from service.metrics.scrape import Scrape

UNFINISHED = (BatchState.OPEN, BatchState.PROVING, BatchState.RUNNING, BatchState.PAUSED)


def look(scrape: Scrape) -> Iterator[Metric]:
    """Yield processes, batches and dispatches."""
    settings = scrape.teken.settings
    pins = pins_of(settings.pinned_signers, settings.pins)
    with scrape.read() as connection:
        alive = len(living(connection, scrape.now))
        believed = len(recipients(connection, pins, scrape.now))
        counted = select(batches.c.state, func.count()).where(batches.c.state.in_(UNFINISHED)).group_by(batches.c.state)
        open_ = {str(state): number for state, number in connection.execute(counted)}
        unknown = connection.execute(select(func.count()).select_from(dispatches).where(UNSETTLED)).scalar_one()
    yield gauge("teken_signers_alive", "Signing processes that have announced themselves lately.", [((), alive)])
    yield gauge("teken_signers_trusted", "Those of them that this web host may hand a passphrase to.", [((), believed)])
    listed = (((str(state),), open_.get(str(state), 0)) for state in UNFINISHED)
    yield gauge("teken_batches", "Batches that are not at their end.", listed, ("state",))
    about = "Documents sent to a signing service of which no answer is known."
    yield gauge("teken_dispatches_unsettled", about, [((), unknown)])
