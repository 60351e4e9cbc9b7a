"""`python -m benchmarks.desk [SIZE] [DATABASE,...]`: the desk beside a batch, on the servers of `teken run`.

The head signs a tray of SIZE, one of two signing processes is killed at a third of it. Two things are looked at: his page, which may at no
moment show more than is signed, in a browser; and the answers that others get over HTTP meanwhile, which may be at most three times as
slow (median) as before the batch. Exits 1 where either doesn't hold.
"""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright
from sqlalchemy import select

from service import development
from service.clock import SystemClock
from service.demo import wait_for_web
from service.settings import PROJECT, Settings
from service.store.tables import series
from tests.batch.processes import announced
from tests.browser.crew import Crew
from tests.browser.house import House, Visitor
from tests.browser.test_batches import OFFICE, at_the_signature, batch_of, order_all, see_through, signed
from tests.support.office import open_office
from tests.support.servers import free_port, postgres_cluster

SIGNERS = 2
EARLIER = 50
"""Permits that were signed before: they fill the first page of the counter's list."""
ROUNDS = 40
PAUSE_SECONDS = 0.1
"""Between two answers, as several people leave it: who asks without a pause measures his own queue."""
LEASE_SECONDS = 5
"""After which a killed process's document is another's: TEKEN_LEASE_SECONDS, 60 unless set."""
MOST = 3.0
Answers = dict[str, list[float]]


@dataclass
class Deployed(House):
    """The same house, its web server, worker and signing processes being those of `teken run`."""

    processes: list[Any] = field(default_factory=list)

    @classmethod
    @contextmanager
    def at(cls, home: Path, keys: Path, chromium: Any, database: str) -> Iterator[Deployed]:
        given = Settings(
            home=home,
            keys=keys,
            passphrase_file=home / "none",
            seal_passphrase_file=keys / "passphrase",
            database_url=database,
            listen=f"127.0.0.1:{free_port()}",
            lease_seconds=LEASE_SECONDS,
        )
        told = given.model_dump(exclude_unset=True, exclude={"home", "keys", "database_url"})
        teken = open_office(home, keys, database=database, clock=SystemClock(), signing=False, **told)
        processes = development.start(given, ("web", "work", *["sign"] * SIGNERS))
        house = cls(
            teken,
            f"http://{given.listen}",
            chromium,
            None,
            threading.Event(),
            [],
            _passphrase(keys),
            processes=processes,
        )
        try:
            wait_for_web(given)
            announced(teken, SIGNERS)
            yield house
        finally:
            house.close()

    def close(self) -> None:
        for context in self.contexts:
            context.close()
        development.stop(self.processes)
        self.teken.close()


@dataclass
class Asker:
    """People who look at pages one after the other; each answer is read to its end. Sessions come from browsers that logged in."""

    house: House
    pages: dict[str, tuple[str, str]] = field(default_factory=dict)  # by name: cookies, path

    def sees(self, name: str, who: Visitor, path: str) -> None:
        cookies = "; ".join(f"{one['name']}={one['value']}" for one in who.page.context.cookies())
        self.pages[name] = (cookies, path)

    def ask(self, goes_on: Callable[[], bool]) -> Answers:
        """Ask for each page in turn; return milliseconds by page."""
        took: Answers = {name: [] for name in self.pages}
        while goes_on():
            for name, (cookies, path) in list(self.pages.items()):
                took[name].append(self._answer(cookies, path))
                time.sleep(PAUSE_SECONDS)
        return took

    def _answer(self, cookies: str, path: str) -> float:
        start = time.perf_counter()
        line = http.client.HTTPConnection(self.house.url.removeprefix("http://"), timeout=60)
        line.request("GET", path, headers={"Cookie": cookies})
        answer = line.getresponse()
        answer.read()
        line.close()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status}")
        return 1000 * (time.perf_counter() - start)


@dataclass
class Run:
    """What the head's page showed beside the truth, and how long others waited."""

    seen: list[tuple[int, int]]
    idle: Answers
    beside: Answers
    seconds: float

    @property
    def ahead(self) -> int:
        return sum(shown > true for shown, true in self.seen)

    def ratio(self) -> float:
        return statistics.median(_all(self.beside)) / statistics.median(_all(self.idle))


def measure(home: Path, keys: Path, chromium: Any, database: str, many: int) -> Run:
    """Fill a tray, look around, sign it with one process killed, look around meanwhile."""
    with Deployed.at(home, keys, chromium, database) as house:
        crew, asker = Crew(house, OFFICE, "phone"), Asker(house)
        first, *_ = at_the_signature(house, EARLIER, "LALU")
        head = order_all(crew)
        crew.see_the_end(head)
        house.settle(first)
        clerk = crew.someone("back_office_1")
        asker.sees("work list", clerk, "/meja/")
        asker.sees("case", clerk, f"/meja/izin/{first}")
        asker.sees("progress", head, f"/meja/ttd/batch/{batch_of(head)}/kemajuan")
        asker.sees("register", clerk, f"/meja/register/buku?seri={_book(house)}")
        permits = at_the_signature(house, many)
        rounds = iter(range(ROUNDS))
        idle = asker.ask(lambda: next(rounds, None) is not None)
        beside: Answers = {}
        others = threading.Thread(target=lambda: beside.update(asker.ask(lambda: signed(house) < EARLIER + many)))
        start = time.perf_counter()
        others.start()
        head = order_all(crew)
        asker.sees("progress", head, f"/meja/ttd/batch/{batch_of(head)}/kemajuan")
        seen = see_through(crew, head, permits, house.processes[-1])
        seconds = time.perf_counter() - start
        others.join()
    return Run(seen, idle, beside, seconds)


def main(arguments: list[str]) -> int:
    """Measure; say how the page and the others' answers kept up."""
    many = int(arguments[0]) if arguments else 1000
    kinds = arguments[1].split(",") if len(arguments) > 1 else ["postgresql", "sqlite"]
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what was started ends with it
    good = True
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        keys = Path(folder) / "keys"
        development.certificates(PROJECT / "templates", keys, key="p256", now=datetime(2026, 1, 1, tzinfo=UTC))
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for kind in kinds:
            home = Path(folder) / kind
            with postgres_cluster() if kind == "postgresql" else nullcontext() as server:
                load = os.getloadavg()[0]
                run = measure(home, keys, chromium, server.url(server.create()) if server else "", many)
            print(_told(kind, many, load, run), flush=True)
            good = good and not run.ahead and run.ratio() <= MOST
        chromium.close()
    return 0 if good else 1


def _book(house: House) -> str:
    with house.teken.db.read() as connection:
        return str(connection.execute(select(series.c.name).where(series.c.office == OFFICE)).scalar_one())


def _passphrase(keys: Path) -> str:
    return (keys / "passphrase").read_text().strip()


def _all(answers: Answers) -> list[float]:
    return [one for some in answers.values() for one in some]


def _told(kind: str, many: int, load: float, run: Run) -> str:
    behind = max(true - shown for shown, true in run.seen)
    head = (
        f"{kind}: {many} documents, {run.seconds:.0f} s from order to issue, load before {load:.1f}; "
        f"{len(run.seen)} looks: {run.ahead} ahead of the truth, at most {behind} behind it"
    )
    lines = [head, f"{'ms':10} {'idle':>7} {'p95':>7} {'beside':>8} {'p95':>7} {'ratio':>6}"]
    for name, before, during in [
        *((name, run.idle[name], run.beside[name]) for name in run.idle),
        ("all", _all(run.idle), _all(run.beside)),
    ]:
        middle, beside = statistics.median(before), statistics.median(during)
        lines.append(
            f"{name:10} {middle:7.1f} {_p95(before):7.1f} {beside:8.1f} {_p95(during):7.1f} {beside / middle:6.2f}"
            f"  of {len(before)} and {len(during)}"
        )
    return "\n".join(lines)


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
