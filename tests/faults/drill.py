"""A drill: real processes work on one world, die by SIGKILL at any moment, and are started again.

At the end everything is let run to its end, and the judge (oracle.py) reads what is left.
"""

from __future__ import annotations

import base64
import io
import random
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from PIL import Image
from sqlalchemy import func, select

from service import journal
from service.clock import SystemClock
from service.store import StoreBusy
from service.store.tables import permits
from tests.faults.nursery import Nursery
from tests.faults.oracle import Evidence, Violation, judge
from tests.faults.poster import append, lines
from tests.support.office import client_of, open_office, payload

KINDS = (
    ("rokan-hilir", "sip-perekam-medis"),  # the number first, no seal
    ("rokan-hulu", "surat-izin-perekam-medik"),  # the number first, and a seal
    ("kudus", "sip-perekam-medis"),  # the number after the signature
)
PATIENCE = 120
MOST_OPEN = 5


class Drill:
    """One world: a home, a database, clients, and the processes of one machine."""

    def __init__(self, folder: Path, keys: Path, database: str, nursery: Nursery, **settings: object) -> None:
        self.folder, self.nursery = folder, nursery
        self.home = folder / "home"
        self.teken = open_office(self.home, keys, database=database, clock=SystemClock(), signing=False)
        self.environment = {"TEKEN_HOME": self.home, "TEKEN_KEYS": keys, "UJI_FOLDER": folder} | {
            f"TEKEN_{name.upper()}": value
            for name, value in {**QUICK, "database_url": database, **settings}.items()
            if value != ""
        }
        self.elsewhere: dict[str, Mapping[str, object]] = {}  # what a place sees otherwise: its own way to the database
        self.clients = {office: client_of(self.teken, office) for office, _ in KINDS}
        self.running: dict[str, int] = {}
        self.deaths: list[str] = []
        self.ordered = 0
        self.feed: list[dict] = []
        self.took: list[float] = []  # seconds that each post took, once judged
        self._over = threading.Event()
        self._receiver = threading.Thread(target=self._receive, daemon=True)
        self._receiver.start()

    def close(self) -> None:
        """End every process of this world."""
        self._over.set()
        for place in list(self.running):
            self.kill(place)
        self._receiver.join(10)
        self.teken.close()

    def order(self) -> None:
        """Let upstream post one more case."""
        office, kind = KINDS[self.ordered % len(KINDS)]
        case = _of_today(payload(office, kind, f"UJI-{self.ordered:04}"))
        if "photo" in case:
            case["photo"]["data"] = _photo(self.ordered)
        client = {"id": self.clients[office].id, "office": office, "name": "uji"}
        append(self.folder / "orders", {"key": f"kunci-{self.ordered}", "client": client, "case": case})
        self.ordered += 1

    def start(self, place: str) -> None:
        """Start (again) the process of a place: `work`, `sign`, `post`, `people`, with any number behind it."""
        kind = place.rstrip("0123456789")
        environment = {**self.environment, **self.elsewhere.get(place, {})}
        self.running[place] = self.nursery.spawn(kind, environment, self.folder / f"{place}.log")

    def kill(self, place: str) -> None:
        """SIGKILL, whatever it is doing."""
        self.nursery.end(self.running.pop(place))

    def at_any_moment(self, kills: int, rng: random.Random, places: Sequence[str]) -> None:
        """Kill processes at random moments, and start them again."""
        for _ in range(kills):
            if self.open_cases() < MOST_OPEN:
                self.order()
            time.sleep(rng.uniform(0.05, 0.6))
            place = rng.choice(places)
            self.kill(place)
            self.deaths.append(f"{place} at random")
            self.start(place)

    def until_settled(self, seconds: float = PATIENCE) -> None:
        """Let all living processes bring every case to its end."""
        deadline = time.monotonic() + seconds
        while self.open_cases() or len(self.acks()) < self.ordered:
            assert time.monotonic() < deadline, (
                f"not settled: {self.states()}, {len(self.acks())}/{self.ordered} answered"
            )
            self.all_alive()
            time.sleep(0.1)

    def all_alive(self) -> None:
        """Nobody died by himself."""
        for place, pid in self.running.items():
            assert self.nursery.alive(pid), f"{place} ended: {(self.folder / f'{place}.log').read_text()[-3000:]}"

    def judged(self) -> list[Violation]:
        """End the processes, hear the rest of the feed, and ask the judge."""
        for place in list(self.running):
            self.kill(place)
        self._over.set()
        self._receiver.join(10)
        self._poll()
        self.took = [ack["took"] for ack in self.acks()]
        database = self.teken.settings.database_url or str(self.home / "teken.db")
        return judge(Evidence(database, self.home / "archive", self.teken.notary.verifier, self.acks(), self.feed))

    def acks(self) -> list[dict]:
        """Every answer that upstream saw."""
        return lines(self.folder / "acks")

    def open_cases(self) -> int:
        """How many cases wait for a machine or a person."""
        with suppress(StoreBusy), self.teken.db.read() as connection:
            query = select(func.count()).select_from(permits).where(permits.c.queue != "none")
            return connection.execute(query).scalar_one() + max(0, self.ordered - len(self.acks()))
        return MOST_OPEN

    def states(self) -> dict[str, int]:
        """How many permits stand where."""
        with self.teken.db.read() as connection:
            query = select(permits.c.state, permits.c.queue, permits.c.fault, func.count()).group_by(
                permits.c.state, permits.c.queue, permits.c.fault
            )
            return {f"{state}/{queue}/{fault}": count for state, queue, fault, count in connection.execute(query)}

    def _receive(self) -> None:
        while not self._over.is_set():
            with suppress(StoreBusy):
                self._poll()
            self._over.wait(0.2)

    def _poll(self) -> None:
        """Ask each client's feed for what comes after the last event that it has."""
        for client in self.clients.values():
            seen = max((event["seq"] for event in self.feed if event["client"] == client.id), default=0)
            with self.teken.db.read() as connection:
                found = journal.feed(connection, client.id, seen, 500)
            self.feed += [{**event, "client": client.id} for event in found]


QUICK = {
    "lease_seconds": 1.5,
    "poll_seconds": 0.05,
    "retry_seconds": 0.05,
    "max_attempts": 30,
    "busy_seconds": 5,
}


def _photo(number: int) -> str:
    """A photo of its own for each case: equal bytes would be archived only once."""
    out = io.BytesIO()
    Image.new("RGB", (480, 720), (number % 256, number // 256, 90)).save(out, "JPEG")
    return base64.b64encode(out.getvalue()).decode()


def _of_today(case: dict) -> dict:
    """Move the invented case's dates so that it was complete yesterday: these processes use the host's own clock."""
    yesterday = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    case["complete_at"] = yesterday.isoformat().replace("+00:00", "Z")
    for number, row in enumerate(case["attested"]):
        row["at"] = (yesterday + timedelta(minutes=number)).isoformat().replace("+00:00", "Z")
    return case
