"""`python -m benchmarks.load [ENGINE ...]`: intake and the answer to a code under load, beside a bare Flask route and in a full database.

Servers run side by side, each with the product's own gunicorn settings: a bare one (`benchmarks/bare.py`), and Teken over a database with
few permits, over one with a million, and over one with nothing but an imported register. They take turns, all rounds in one run. Rates are
of wall time as eight clients with kept connections see it. Exits 1 where a promise is broken.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import bare, bulk, report
from benchmarks.__main__ import quieten
from benchmarks.figures import Ratio, ratio, spread
from benchmarks.office import NUMBER_FIRST, OFFICES, bench, keys, letters, vary
from benchmarks.volley import request, volley
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


def measure(engine: str, folder: Path, *, few: int, many: int, rounds: int) -> dict[str, Server]:
    """Fill the databases, start the servers, let them take turns."""
    with ExitStack() as stack:
        urls = stack.enter_context(_databases(engine, folder))
        servers = {BARE: stack.enter_context(_bare(next(urls)))}
        for name, permits, earlier in ((SMALL, few, 0), (LARGE, many, 0), (FIRST_DAY, 0, EARLIER)):
            servers[name] = stack.enter_context(_teken(folder / name.replace(" ", "-"), next(urls), permits, earlier))
        for turn in range(-2, rounds):  # two to warm up
            order = list(servers)[turn % len(servers) :] + list(servers)[: turn % len(servers)]
            for what in (INTAKE, KEYED, CODE, RECORD):
                for name in order:
                    if what in servers[name].asked:
                        servers[name].measure(what, LOOKS if what in {CODE, RECORD} else POSTS)
        for server in servers.values():
            server.seconds = {what: taken[2:] for what, taken in server.seconds.items()}
        return servers


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
def _served(application: str, environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    port = free_port()
    command = ["-m", "gunicorn", "--config", "python:service.webserver", "--bind", f"127.0.0.1:{port}"]
    given = {name: value for name, value in os.environ.items() if not name.startswith("TEKEN_")} | environment
    process = subprocess.Popen([sys.executable, *command, "--log-level", "error", application], cwd=PROJECT, env=given)
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
def _bare(url: str) -> Iterator[Server]:
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

    with _served("benchmarks.bare:from_environment()", {bare.DATABASE: url}) as (process, port):
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
    with _served("service.app:from_environment()", environment) as (process, port):
        yield Server(process, port, asked)


def _cases() -> Iterator[bytes]:
    """Yield cases of invented people as an upstream system posts them, each with an id of its own."""
    case = case_of(OFFICES.permit_type(*NUMBER_FIRST), "BEBAN", SystemClock().now())
    for serial in range(10**5):
        posted: dict[str, Any] = copy.deepcopy(case) | {"upstream_id": f"BEBAN-{secrets.token_hex(6)}"}
        vary(posted, letters(serial))
        yield json.dumps(posted).encode()


def table(engine: str, servers: dict[str, Server]) -> tuple[str, bool]:
    """Return the figures of one engine and whether every promise holds."""
    rows, kept = [], True
    for name, server in servers.items():
        for what, taken in server.seconds.items():
            rates = spread([1 / one for one in taken])
            row = [what, name, f"{rates.median:.0f} ({rates.p10:.0f}-{rates.p90:.0f})", "", "", ""]
            for other, promise in _promises(what, name):
                found = ratio(servers[other].seconds[what], taken)
                holds, said = _judged(found, promise)
                row[3:] = [f"{report.told(found)} of {other}", said, "holds" if holds else "does NOT hold"]
                kept &= holds
            rows.append(row)
    heads = ["asked", "of", "answers a second", "rate", "promised", ""]
    return report.titled(f"Under load, {engine}; {len(taken)} rounds in turns, 8 connections", heads, rows), kept


Promise = tuple[float, float | None]


def _promises(what: str, name: str) -> list[tuple[str, Promise]]:
    if name == SMALL and (what, BARE) in LEAST:
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
    parser.add_argument("--permits", type=int, default=MANY, help=f"in the full database; default {MANY}")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--folder", type=Path, help="for the databases, about 10 KB a permit; default: a temporary one")
    given = parser.parse_args(arguments)
    quieten()
    kept = True
    for engine in given.engine or ENGINES:
        with tempfile.TemporaryDirectory(prefix="teken-load-", dir=given.folder) as folder:
            servers = measure(
                engine, Path(folder), few=min(FEW, given.permits), many=given.permits, rounds=given.rounds
            )
        told, holds = table(engine, servers)
        print(told, "\n", flush=True)
        kept &= holds
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
