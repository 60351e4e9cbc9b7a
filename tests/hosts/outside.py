"""The world outside the hosts: upstream systems that post over HTTP and hear the feed, and the people at their desks."""

from __future__ import annotations

import itertools
import json
import queue
import threading
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPException

from sqlalchemy import func, select

from service import batch, pipeline  # noqa: F401 - the pipeline knows the tables of every step
from service.batch import NoSigner
from service.clients import add_client
from service.errors import TekenError
from service.store import StoreBusy
from service.store.batch_tables import BatchState
from service.store.tables import permits
from tests.faults.drill import KINDS, _of_today, _photo
from tests.hosts.letters import Letters
from tests.hosts.town import Town
from tests.support.office import holder, payload, take_turn

TRAY = "BAKI"
PAUSE = 0.1
POSTERS = 4
LETTER_SECONDS = 300
REST = {BatchState.PAUSED, BatchState.REFUSED, BatchState.EXPIRED, BatchState.STOPPED}


@dataclass
class Outside:
    """Everybody who is not a host. `count` cases of all kinds, and `tray` more that the head signs as one batch."""

    town: Town
    count: int
    tray: int
    acks: list[dict] = field(default_factory=list)
    feed: list[dict] = field(default_factory=list)
    asked_again: int = 0
    resumed: int = 0
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.teken = self.town.open()
        offices = {office for office, _ in KINDS}
        self.clients = {office: add_client(self.teken, office, "uji") for office in sorted(offices)}
        self.letters = Letters(self.town.home("receiver"))
        for client, _ in self.clients.values():
            self.letters.subscribe(self.teken, client.id)
        self._orders: queue.SimpleQueue[tuple[int, str]] = queue.SimpleQueue()
        trays = iter(range(self.tray))
        for number in range(self.count):
            self._orders.put((number, "UJI"))
            for other in itertools.islice(trays, -(-self.tray // max(1, self.count))):
                self._orders.put((other, TRAY))
        for other in trays:
            self._orders.put((other, TRAY))
        self.over = threading.Event()
        works = [self._post] * POSTERS + [self._act, self._hear]
        self._threads = [threading.Thread(target=self._kept, args=(one,), daemon=True) for one in works]
        if self.tray:
            self._threads.append(threading.Thread(target=self._kept, args=(self._sign_tray,), daemon=True))

    @property
    def total(self) -> int:
        return self.count + self.tray

    def begin(self) -> None:
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self.over.set()
        for thread in self._threads:
            thread.join(60)
        for office in self.clients:
            self._ask_feed(office)
        with suppress(TimeoutError):  # then the judge says what never came
            wait_until(lambda: not self.letters.missing(self.feed), LETTER_SECONDS)
        self.letters.close()
        self.teken.close()

    def issued(self) -> int:
        """How many permits are in force."""
        return self._count(permits.c.state == "in_force")

    def settled(self) -> bool:
        """Everything that was ordered is acknowledged, and nothing waits for a machine or a person."""
        return len(self.acks) == self.total and self._count(permits.c.queue != "none") == 0

    def states(self) -> dict[str, int]:
        with self.teken.db.read() as connection:
            columns = (permits.c.state, permits.c.queue, permits.c.fault)
            rows = connection.execute(select(*columns, func.count()).group_by(*columns)).all()
        return {f"{state}/{waits}/{fault}": found for state, waits, fault, found in rows}

    def _count(self, condition: object) -> int:
        with self.teken.db.read() as connection:
            return connection.execute(select(func.count()).select_from(permits).where(condition)).scalar_one()

    def _kept(self, work) -> None:
        """A database that is away is waited for; anything else is told at the end."""
        while not self.over.is_set():
            try:
                work()
            except StoreBusy:
                self.over.wait(PAUSE)
            except Exception as error:
                self.faults.append(f"{work.__name__}: {type(error).__name__}: {error}")
                return
            else:
                return

    def _post(self) -> None:
        while not self.over.is_set():
            try:
                number, series = self._orders.get(timeout=PAUSE)
            except queue.Empty:
                return
            office, kind = KINDS[0] if series == TRAY else KINDS[number % len(KINDS)]
            case = _of_today(payload(office, kind, f"{series}-{number:05}"))
            if "photo" in case:
                case["photo"]["data"] = _photo(number)
            key = f"{series}-{number}"
            body = self._until_answered(office, number, "/api/v1/cases", json.dumps(case).encode(), key)
            self.acks.append({"key": key, "status": 202, "body": body})

    def _until_answered(self, office: str, number: int, path: str, body: bytes | None, key: str = "") -> dict:
        """Ask one web host after the other, as an upstream does that was given two addresses."""
        headers = {"Authorization": f"Bearer {self.clients[office][1]}", "Content-Type": "application/json"}
        headers |= {"Idempotency-Key": key} if key else {}
        urls = itertools.cycle(self.town.web_urls())
        if number % 2:
            next(urls)
        for url in urls:
            with suppress(OSError, HTTPException):
                try:
                    asked = urllib.request.Request(url + path, body, headers)
                    with urllib.request.urlopen(asked, timeout=20) as answer:
                        return json.load(answer)
                except urllib.error.HTTPError as refused:
                    said = refused.read()
                    if refused.code < 500 and refused.code not in {409, 429}:
                        raise RuntimeError(f"{path}: {refused.code} {said[:300]!r}") from None
            self.asked_again += 1
            if self.over.wait(PAUSE):
                raise StoreBusy
        raise AssertionError

    def _hear(self) -> None:
        while not self.over.wait(0.5):
            for office in self.clients:
                self._ask_feed(office)

    def _ask_feed(self, office: str) -> None:
        client = self.clients[office][0].id
        seen = max((event["seq"] for event in self.feed if event["client"] == client), default=0)
        while True:
            said = self._until_answered(office, len(self.feed), f"/api/v1/events?after={seen}&limit=500", None)
            found = said["events"]
            self.feed += [{**event, "client": client} for event in found]
            if not found:
                return
            seen = found[-1]["seq"]

    def _act(self) -> None:
        """Whatever waits for a person is done, but for what the head signs as a tray."""
        while not self.over.is_set():
            with self.teken.db.read() as connection:
                query = select(permits.c.id, permits.c.upstream_id, permits.c.state).where(permits.c.queue == "person")
                due = connection.execute(query.order_by(permits.c.created_at).limit(200)).all()
            due = [one for one in due if not (one.upstream_id.startswith(TRAY) and one.state == "numbered")]
            for one in due:
                with suppress(TekenError):  # somebody was faster, or a store is away: he looks again
                    take_turn(self.teken, one.id)
            if not due:
                self.over.wait(PAUSE)

    def _sign_tray(self) -> None:
        """The head opens the tray when it is full, and goes on where it rests."""
        head = holder(self.teken, KINDS[0][0], "kepala_dinas")
        passphrase = (self.town.home("sign") / "passphrase").read_bytes().strip()
        opened = self._opened(head, passphrase)
        while opened and not self.over.wait(0.5):
            with suppress(StoreBusy):
                state = batch.status(self.teken, opened).state
                if state == BatchState.DONE:
                    return
                if state in REST:
                    with suppress(TekenError):
                        batch.resume(self.teken, head, opened, bytearray(passphrase))
                        self.resumed += 1

    def _opened(self, head: str, passphrase: bytes) -> str:
        in_tray = permits.c.upstream_id.startswith(TRAY)
        waits = (in_tray, permits.c.state == "numbered", permits.c.queue == "person")
        while not self.over.wait(0.5):
            with suppress(StoreBusy, NoSigner):
                with self.teken.db.read() as connection:
                    listed = connection.execute(select(permits.c.id, permits.c.final_sha).where(*waits)).all()
                if len(listed) == self.tray and all(sha for _, sha in listed):
                    return batch.open_batch(self.teken, head, [tuple(one) for one in listed], bytearray(passphrase)).id
        return ""


def wait_until(condition, seconds: float, alive=lambda: None) -> None:
    """Wait for the condition; a database that is away says nothing."""
    deadline = time.monotonic() + seconds
    while True:
        with suppress(StoreBusy):
            if condition():
                return
        alive()
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(PAUSE)
