"""The worker's own thread for notices: a gateway that hangs keeps no permit waiting."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import TYPE_CHECKING, Final

import structlog

from service.host import HostInvalid
from service.notices.gateways import Gateways, read_gateways
from service.notices.making import follow, remind
from service.notices.sending import send_one
from service.store import StoreBusy

if TYPE_CHECKING:
    from service.wiring import Teken

log = structlog.get_logger("teken.notices")
PAUSE_SECONDS: Final = 2.0
REST_SECONDS: Final = 60.0
"""For so long a channel that did not work is left alone, and the file of gateways is believed."""
END_SECONDS: Final = 5.0
_DAY: Final = 86_400.0


@dataclass(slots=True)
class Messenger:
    """Makes and sends what is due, round after round, until it is told to stop."""

    teken: Teken
    _stop: Event = field(default_factory=Event)
    _thread: Thread | None = None
    _resting: dict[tuple[str, str], float] = field(default_factory=dict)
    _read_at: float = 0
    _remind_at: float = 0
    _gateways: Gateways = field(default_factory=Gateways)

    def start(self) -> None:
        """Begin, where this host has gateways at all."""
        if self.teken.settings.notices is not None:
            self._thread = Thread(target=self._run, name="notices", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End after the message at hand, if that ends soon; its lease ends by itself."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(END_SECONDS)

    def round(self) -> int:
        """Do all that is due; return how many messages were tried."""
        self._look()
        while follow(self.teken):
            pass
        tried, now = 0, time.monotonic()
        self._resting = {one: until for one, until in self._resting.items() if until > now}
        while not self._stop.is_set():
            sent = send_one(self.teken, self._gateways, self._resting.keys())
            if sent is False:
                break
            if isinstance(sent, tuple):
                self._resting[sent] = time.monotonic() + REST_SECONDS
            tried += 1
        return tried

    def _look(self) -> None:
        """Read the file of gateways anew now and then; remind once a day."""
        now = time.monotonic()
        if now >= self._read_at:
            self._read_at = now + REST_SECONDS
            self._gateways = read_gateways(self.teken.settings.notices)
        if now >= self._remind_at:
            self._remind_at = now + _DAY
            remind(self.teken)

    def _run(self) -> None:
        while not self._stop.wait(PAUSE_SECONDS):
            try:
                self.round()
            except StoreBusy:
                log.info("store_busy")
            except HostInvalid as error:
                log.error("notices_file_invalid", why=str(error))  # noqa: TRY400 - the message names the place
            except Exception as error:  # noqa: BLE001 - permits go on, and the next round is tried
                log.error("notices_failed", error=type(error).__name__)  # noqa: TRY400 - a traceback may quote a case
