"""Delivers what lies after an endpoint's place in the journal: in order, one event after the other, at least once.

Only the holder of the lease sends. What was sent and not recorded (the process died) is sent again under the same id.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import structlog

from service import failpoints, journal
from service.clock import instant, stamp
from service.errors import TekenError
from service.store import StoreBusy
from service.store import webhooks as store
from service.store.permits import Lost
from service.webhooks.errors import Unsent
from service.webhooks.letters import Letter
from service.webhooks.retries import is_given_up, next_try
from service.webhooks.sealing import keys_of
from service.webhooks.sending import Answer, Line
from service.webhooks.targets import target_of

if TYPE_CHECKING:
    from sqlalchemy import Row

    from service.webhooks.sending import Network
    from service.wiring import Teken

log = structlog.get_logger("teken.webhooks")
LEASE: Final = timedelta(seconds=60)
ONE_BURST: Final = 100
RECORD_SECONDS: Final = 1.0
"""A death repeats no more than was sent in this time, and a pause takes hold after it."""
GONE: Final = 410
_GOOD: Final = range(200, 300)
_MOVED: Final = range(300, 400)


def deliver(teken: Teken, network: Network, endpoint: str, stopped: Callable[[], bool] = lambda: False) -> bool:
    """Claim an endpoint and send what waits for it, up to a burst; tell whether it was due. Failures are recorded, never raised."""
    with teken.db.write() as connection:
        row = store.claim(connection, endpoint, teken.clock.now(), LEASE)
        if row is None:
            return False
        entries = journal.feed(connection, row.client, row.cursor, ONE_BURST)
    burst = _Burst(teken, network, row, row.cursor, row.attempts)
    try:
        _attempt(burst, entries, stopped)
    except (Lost, StoreBusy):
        log.info("webhook_claim_lost", endpoint=endpoint)
    return True


def _attempt(burst: _Burst, entries: Iterable[Mapping[str, Any]], stopped: Callable[[], bool]) -> None:
    try:
        burst.send(entries, stopped)
    except (Lost, StoreBusy):
        raise
    except TekenError as error:  # the address is not allowed any more, or the secret can't be opened
        burst.fail(error.code)
    except Exception as error:  # noqa: BLE001 - a fault of the program waits, visibly, with its one endpoint
        log.error("webhook_failed", endpoint=burst.row.id, error=type(error).__name__)  # noqa: TRY400 - as in the pipeline
        burst.fail(f"internal:{type(error).__name__}")


@dataclass(slots=True)
class _Burst:
    """What one claim has come to. `failed`: tries of the event after the cursor."""

    teken: Teken
    network: Network
    row: Row[Any]
    cursor: int
    failed: int
    tries: list[dict[str, Any]] = field(default_factory=list)
    recorded: float = field(default_factory=time.monotonic)

    def send(self, entries: Iterable[Mapping[str, Any]], stopped: Callable[[], bool]) -> None:
        """Send one after the other until one fails; what the endpoint does not want is passed over."""
        keys = keys_of(self.teken.vault, self.row, self.teken.clock.now())
        types = store.types_of(self.row)
        with Line(target_of(self.row.url, self.network.rules), self.network) as line:
            for entry in entries:
                if stopped():
                    break
                if (not types or entry["type"] in types) and not self._sent(line, Letter.of(entry), keys):
                    return
                self.cursor, self.failed = entry["seq"], 0
                if time.monotonic() - self.recorded > RECORD_SECONDS:
                    self._record(lease_until=stamp(self.teken.clock.now() + LEASE))
        self._record(lease_until="", due_at=stamp(self.teken.clock.now()))

    def _sent(self, line: Line, letter: Letter, keys: list[str]) -> bool:
        failpoints.passing("webhook.before_send")
        begun, at = time.monotonic(), self.teken.clock.now()
        try:
            answer = line.post(letter.body, letter.headers(at, keys))
            fault = fault_of(answer.status)
        except Unsent as error:
            answer, fault = Answer(0), error.code
        failpoints.passing("webhook.after_send")
        self.failed += 1
        self.tries.append(
            {
                "endpoint": self.row.id,
                "event": letter.id,
                "seq": letter.seq,
                "no": self.failed,
                "at": stamp(at),
                "status": answer.status or None,
                "milliseconds": round((time.monotonic() - begun) * 1000),
                "fault": fault,
            }
        )
        if fault is not None:
            self._put_off(fault, answer)
        return fault is None

    def fail(self, fault: str) -> None:
        """Nothing could be sent at all."""
        self.failed += 1
        self._put_off(fault, Answer(0))

    def _put_off(self, fault: str, answer: Answer) -> None:
        now = self.teken.clock.now()
        before = self.row.failing_since if self.cursor == self.row.cursor else None
        since = before or stamp(now)
        state = "active"
        if answer.status == GONE:
            state = "disabled"
        elif is_given_up(now, self.failed, instant(since)):
            state = "parked"
        if state != "active":
            log.warning("webhook_set_aside", endpoint=self.row.id, state=state, fault=fault)
        due_at = stamp(next_try(now, self.failed, answer.wait))
        self._record(lease_until="", state=state, fault=fault, failing_since=since, due_at=due_at)

    def _record(self, **values: Any) -> None:
        told = {"cursor": self.cursor, "attempts": self.failed, "fault": None, "failing_since": None, **values}
        with self.teken.db.write() as connection:
            store.record(connection, self.row.id, self.row.fence, **told)
            store.log(connection, self.tries)
        self.tries, self.recorded = [], time.monotonic()


def fault_of(status: int) -> str | None:
    """Return why an answer is no delivery; a redirect is never followed."""
    if status in _GOOD:
        return None
    return "redirected" if status in _MOVED else f"http_{status}"
