"""The worker's threads that send: one per endpoint at hand, so that a receiver that hangs keeps nobody else waiting, and no permit."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import structlog

from service.store import StoreBusy
from service.store import webhooks as store
from service.webhooks.delivery import deliver
from service.webhooks.network import network_of

if TYPE_CHECKING:
    from service.wiring import Teken

log = structlog.get_logger("teken.webhooks")
AT_ONCE: Final = 16
KEPT: Final = timedelta(days=30)
"""How long the log of tries is kept."""
_STOP_SECONDS: Final = 5
_DAY: Final = 86_400


class Courier:
    """Looks for endpoints that are due and sends to each in a thread of its own. `stop` waits for letters on their way, briefly."""

    def __init__(self, teken: Teken) -> None:
        self._teken, self._network = teken, network_of(teken)
        self._stopping, self._look = threading.Event(), threading.Event()
        self._flying: dict[str, threading.Thread] = {}
        self._looker = threading.Thread(target=self._run, name="webhooks", daemon=True)
        self._swept = 0.0

    def start(self) -> None:
        """Begin, beside whatever else this process does."""
        self._looker.start()

    def stop(self) -> None:
        """Send nothing more. A letter that is still on its way then counts as not delivered: its lease ends, and it is sent again."""
        self._stopping.set()
        self._look.set()
        until = time.monotonic() + _STOP_SECONDS
        for thread in [self._looker, *list(self._flying.values())]:
            if thread.ident is not None:
                thread.join(max(0.0, until - time.monotonic()))

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._look.clear()
            try:
                self._send_out()
                self._sweep()
            except StoreBusy:
                log.info("store_busy")
            except Exception as error:  # noqa: BLE001 - the permits' worker and its other endpoints go on
                log.error("webhook_look_failed", error=type(error).__name__)  # noqa: TRY400 - as in the pipeline
            self._look.wait(self._teken.settings.poll_seconds)

    def _send_out(self) -> None:
        for endpoint, thread in list(self._flying.items()):
            if not thread.is_alive():
                del self._flying[endpoint]
        free = AT_ONCE - len(self._flying)
        if free <= 0:
            return
        with self._teken.db.read() as connection:
            waiting = store.due(connection, self._teken.clock.now(), AT_ONCE * 2)
        for endpoint in [one for one in waiting if one not in self._flying][:free]:
            thread = threading.Thread(target=self._fly, args=(endpoint,), name=endpoint, daemon=True)
            self._flying[endpoint] = thread
            thread.start()

    def _fly(self, endpoint: str) -> None:
        try:
            if deliver(self._teken, self._network, endpoint, self._stopping.is_set):
                self._look.set()
        except StoreBusy:
            log.info("store_busy")
        except Exception as error:  # noqa: BLE001 - told by type only, and tried again once the lease is over
            log.error("webhook_failed", endpoint=endpoint, error=type(error).__name__)  # noqa: TRY400 - as in the pipeline

    def _sweep(self) -> None:
        """Once a day, forget old tries."""
        if time.monotonic() < self._swept:
            return
        self._swept = time.monotonic() + _DAY
        with self._teken.db.write() as connection:
            store.forget(connection, self._teken.clock.now() - KEPT)
