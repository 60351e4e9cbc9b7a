"""`python -m benchmarks.load [ENGINE ...]`: intake and the answer to a code under load, beside a bare Flask route and in a full database.

Servers run side by side, each with the product's own gunicorn settings: a bare one (`benchmarks/bare.py`), and Teken over a database with
few permits, over one with a million, and over one with nothing but an imported register. They take turns, all rounds in one run. Rates are
of wall time as eight clients with kept connections see it. Exits 1 where a promise is broken. Whoever stops it (Ctrl-C, SIGTERM) gets the
table of the rounds so far.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import bare, bulk, report
from benchmarks.__main__ import quieten
from benchmarks.figures import Ratio, ratio, spread
from benchmarks.office import NUMBER_FIRST, OFFICES, bench, keys, letters, vary
from benchmarks.volley import CONNECTIONS, request, volley
from service import clients
from service.clock import SystemClock
from service.demo import case_of
from service.settings import PROJECT, Settings
from service.wiring import open_teken
from tests.support.servers import free_port, postgres_cluster

ENGINES = ("sqlite", "postgresql")
FEW, MANY, EARLIER = 1_000, 1_000_000, 4_000
ROUNDS, POSTS, LOOKS = 40, 100, 300
BARE, SMALL, LARGE, FIRST_DAY = "bare", "few permits", "many permits", "imported register"
PARTS = {"bare": BARE, "many": LARGE, "imported": FIRST_DAY}
"""What Teken with few permits may be compared with."""
WARM_UP, LEAST_ROUNDS = 2, 2
INTAKE, KEYED, CODE, RECORD = "intake", "intake with Idempotency-Key", "/V/<code>", "/api/v1/verify/<code>"
LEAST = {(INTAKE, BARE): 0.25, (CODE, BARE): 0.40}
"""Rate of Teken by rate of the bare route."""
EVEN = (0.8, 1.25)
JSON = {"Content-Type": "application/json"}


@dataclass(slots=True)
class Server:
    """A web server with what may be asked of it; `asked` makes the requests of one volley."""

    process: subprocess.Popen[bytes]
    port: int
    asked: dict[str, Callable[[int], list[bytes]]]
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def measure(self, what: str, count: int) -> None:
        """Fire one volley; book seconds per answer."""
        status = 200 if what in {CODE, RECORD} else 202
        ready = self.asked[what](count)
        self.seconds.setdefault(what, []).append(volley(self.port, ready, status) / count)


def measure(
    engine: str, folder: Path, parts: Collection[str], *, many: int, rounds: int
) -> tuple[dict[str, Server], int]:
    """Fill the databases, start the servers, let them take turns; return the servers, and in how many whole rounds they did."""
    filled = {SMALL: (min(FEW, many), 0), LARGE: (many, 0), FIRST_DAY: (0, EARLIER)}
    done = 0
    with ExitStack() as stack:
        urls = stack.enter_context(_databases(engine, folder))
        servers = {BARE: stack.enter_context(_bare(next(urls), folder))} if BARE in parts else {}
        for name, (permits, earlier) in filled.items():
            if name == SMALL or name in parts:
                began = time.monotonic()
                home = folder / name.replace(" ", "-")
                servers[name] = stack.enter_context(_teken(home, next(urls), permits, earlier))
                _say(f"{engine}: {name} stands after {time.monotonic() - began:.0f} s")
        with suppress(KeyboardInterrupt):
            for turn in range(-WARM_UP, rounds):
                _take_turns(servers, turn)
                done = max(turn + 1, 0)
                if done and done % 10 == 0:
                    _say(f"{engine}: {done} of {rounds} rounds")
    for server in servers.values():
        server.seconds = {what: taken[WARM_UP:][:done] for what, taken in server.seconds.items()}
    return servers, done


def _take_turns(servers: dict[str, Server], turn: int) -> None:
    order = list(servers)[turn % len(servers) :] + list(servers)[: turn % len(servers)]
    for what in (INTAKE, KEYED, CODE, RECORD):
        for name in order:
            if what in servers[name].asked:
                servers[name].measure(what, LOOKS if what in {CODE, RECORD} else POSTS)


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


@contextmanager
def _databases(engine: str, folder: Path) -> Iterator[Iterator[str]]:
    """Yield URLs of fresh databases, on a PostgreSQL that really writes or as SQLite files."""
    if engine == "sqlite":
        yield (f"sqlite:///{folder / f'{no}.db'}" for no in range(99))
        return
    durable = {"fsync": "on", "full_page_writes": "on", "shared_buffers": "512MB", "max_wal_size": "4GB"}
    with postgres_cluster(**durable) as server:
        yield (server.url(server.create()) for _ in range(99))


@contextmanager
def _served(application: str, environment: dict[str, str], log: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    port = free_port()
    command = ["-m", "gunicorn", "--config", "python:service.webserver", "--bind", f"127.0.0.1:{port}"]
    given = {name: value for name, value in os.environ.items() if not name.startswith("TEKEN_")} | environment
    with log.open("wb") as lines:
        process = subprocess.Popen(
            [sys.executable, *command, "--log-level", "error", application],
            cwd=PROJECT,
            env=given,
            stderr=lines,
            start_new_session=True,  # Ctrl-C is for the one who measures
        )
    try:
        _wait(port)
        yield process, port
    finally:
        process.terminate()
        process.wait(60)


def _wait(port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            volley(port, [request("GET", "/healthz")], 200, 1)
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("the web server does not answer")


@contextmanager
def _bare(url: str, folder: Path) -> Iterator[Server]:
    codes = [secrets.token_hex(8) for _ in range(FEW)]
    row = {
        "state": "in_force",
        "number": "400/001",
        "holder": "Ayu Contoh",
        "valid_from": "2026-11-20",
        "valid_to": "2031-11-20",
    }
    engine = bare.engine_of(url)
    bare.fill(engine, codes, row)
    engine.dispose()
    cases = _cases()

    def looks(count: int) -> list[bytes]:
        return [request("GET", f"/things/{secrets.choice(codes)}") for _ in range(count)]

    def posts(count: int) -> list[bytes]:
        return [request("POST", "/things", JSON, next(cases)) for _ in range(count)]

    with _served("benchmarks.bare:from_environment()", {bare.DATABASE: url}, folder / "bare.log") as (process, port):
        yield Server(process, port, {INTAKE: posts, CODE: looks})


@contextmanager
def _teken(home: Path, url: str, permits: int, earlier: int) -> Iterator[Server]:
    settings = Settings(home=home, keys=keys("p256"), database_url=url)
    teken = open_teken(settings, signing=True, offices=OFFICES)
    one = bench(teken, NUMBER_FIRST)
    if permits:
        model = one.post()
        one.play(model)
        bulk.fill(teken, model, permits - 1)
    if earlier:
        bulk.import_earlier(teken, one.kind.office, earlier)
    codes = bulk.codes(teken, 20_000) if permits else []
    _, key = clients.add_client(teken, one.kind.office, "beban")
    teken.close()
    cases, chosen = _cases(), iter(codes * 1_000)
    head = JSON | {"Authorization": f"Bearer {key}"}

    def posts(count: int) -> list[bytes]:
        return [request("POST", "/api/v1/cases", head, next(cases)) for _ in range(count)]

    def keyed(count: int) -> list[bytes]:
        return [
            request("POST", "/api/v1/cases", head | {"Idempotency-Key": secrets.token_hex(8)}, next(cases))
            for _ in range(count)
        ]

    def looks(path: str) -> Callable[[int], list[bytes]]:
        return lambda count: [request("GET", f"{path}{next(chosen)}") for _ in range(count)]

    asked = {INTAKE: posts, KEYED: keyed} | ({CODE: looks("/V/"), RECORD: looks("/api/v1/verify/")} if permits else {})
    environment = {"TEKEN_HOME": str(home), "TEKEN_KEYS": str(settings.keys), "TEKEN_DATABASE_URL": url}
    with _served("service.app:from_environment()", environment, home / "web.log") as (process, port):
        yield Server(process, port, asked)


def _cases() -> Iterator[bytes]:
    """Yield cases of invented people as an upstream system posts them, each with an id of its own."""
    case = case_of(OFFICES.permit_type(*NUMBER_FIRST), "BEBAN", SystemClock().now())
    for serial in range(10**5):
        posted: dict[str, Any] = copy.deepcopy(case) | {"upstream_id": f"BEBAN-{secrets.token_hex(6)}"}
        vary(posted, letters(serial))
        yield json.dumps(posted).encode()


def table(engine: str, servers: dict[str, Server], rounds: int) -> tuple[str, bool]:
    """Return the figures of one engine as Markdown and whether every promise holds."""
    rows, kept = [], True
    for name, server in servers.items():
        for what, taken in server.seconds.items():
            rates = spread([1 / one for one in taken])
            row = [what, name, f"{rates.median:.0f} ({rates.p10:.0f}-{rates.p90:.0f})", "", "", ""]
            for other, promise in _promises(what, name, servers):
                found = ratio(servers[other].seconds[what], taken)
                holds, said = _judged(found, promise)
                row[3:] = [f"{report.told(found)} of {other}", said, "holds" if holds else "does NOT hold"]
                kept &= holds
            rows.append(row)
    heads = ["asked", "of", "answers a second", "rate", "promised", ""]
    return report.titled(
        f"Under load, {engine}; {rounds} rounds in turns, {CONNECTIONS} connections", heads, rows
    ), kept


Promise = tuple[float, float | None]


def _promises(what: str, name: str, servers: Collection[str]) -> list[tuple[str, Promise]]:
    if name == SMALL and BARE in servers and (what, BARE) in LEAST:
        return [(BARE, (LEAST[what, BARE], None))]
    return [(SMALL, EVEN)] if name in {LARGE, FIRST_DAY} else []


def _judged(found: Ratio, promise: Promise) -> tuple[bool, str]:
    least, most = promise
    if most is None:
        return found.low >= least, f"at least {least:g}"
    return found.within(least, most), f"{least:g}-{most:g}"


def main(arguments: Sequence[str]) -> int:
    """Measure the engines that are named, or both."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load")
    parser.add_argument("engine", nargs="*", choices=[[], *ENGINES])
    parser.add_argument("--parts", default=",".join(PARTS), help="beside few permits, with commas; default %(default)s")
    parser.add_argument("--permits", type=int, default=MANY, help=f"in the full database; default {MANY}")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--folder", type=Path, help="for the databases, about 10 KB a permit; default: a temporary one")
    given = parser.parse_args(arguments)
    parts = {PARTS[name] for name in given.parts.split(",") if name}
    quieten()
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    kept = True
    for engine in given.engine or ENGINES:
        with tempfile.TemporaryDirectory(prefix="teken-load-", dir=given.folder) as folder:
            servers, rounds = measure(engine, Path(folder), parts, many=given.permits, rounds=given.rounds)
        if rounds < LEAST_ROUNDS:
            return 1
        told, holds = table(engine, servers, rounds)
        print(told, "\n", flush=True)
        kept &= holds
        if rounds < given.rounds:
            return 1
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
