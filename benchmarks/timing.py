"""`python -m benchmarks.timing [requests per kind]`: can a stopwatch tell which codes exist before their permits are issued?

A real server process, one connection that stays open, every kind of code in random order. Each kind is held against codes that
nobody ever made, in two ways: a rank test (Mann-Whitney, two-sided, with Bonferroni's correction for all comparisons of the run)
asks whether there is any difference, and the confidence interval of the ratio of the medians says how large one can still be.
A kind passes when no difference is shown at ALPHA and the interval lies within BOUND of 1; with a wider interval nothing is shown
(more requests, or a quieter machine). Codes that nobody made are held against others of their kind too: that is the noise.
"""

from __future__ import annotations

import math
import random
import secrets
import socket
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import insert, select

from benchmarks.figures import Ratio, ratio
from benchmarks.office import NUMBER_FIRST, OFFICES, keys
from service import clients, intake
from service.canonical import dumps
from service.clock import SystemClock
from service.codes import CODE_LENGTH, crockford, grouped
from service.demo import case_of
from service.permits import State
from service.settings import Settings
from service.store.tables import permits
from service.wiring import open_teken
from tests.support.servers import postgres_cluster
from tests.support.webserver import WebServer, web_server

ALPHA, BOUND = 0.01, 0.03
REQUESTS, WARM_UP, POOL = 3_000, 300, 200
NOBODYS, CONTROL = "never made", "never made, again"
STATES = {
    "waiting": State.IN_PARAF,
    "numbered": State.NUMBERED,
    "closed unissued": State.CLOSED,
    "parked": State.PARKED,
}
ADDRESSES = ("/V/", "/api/v1/verify/")
COMPARISONS = 2 * len(ADDRESSES)
"""Tables of one run: two databases, two addresses."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One kind of code against codes that nobody made."""

    kind: str
    p: float
    medians: Ratio
    said: str


ALIKE, APART, UNSURE = "alike", "TOLD APART", "not shown: noise"


ENDS = {
    ALIKE: "No kind of code can be told from one that nobody made.",
    APART: "Some kind of code can be told from one that nobody made.",
    UNSURE: "Nothing was told apart, but the noise leaves room for more than the bound.",
}


def measure(server: WebServer, known: dict[str, list[str]], address: str, requests: int) -> list[Verdict]:
    """Ask for every kind equally often, in random order over one connection."""
    pools = {NOBODYS: _fresh(), CONTROL: _fresh(), **known, **_malformed()}
    order = [kind for kind in pools for _ in range(requests)]
    warm = [random.choice(order) for _ in range(WARM_UP)]
    random.shuffle(order)
    taken: dict[str, list[float]] = defaultdict(list)
    with server.connect() as line:
        for at, kind in enumerate(warm + order):
            seconds = _ask(line, address + random.choice(pools[kind]))
            if at >= len(warm):
                taken[kind].append(seconds)
    return [
        _judged(kind, taken[kind], taken[NOBODYS], COMPARISONS * (len(pools) - 1)) for kind in pools if kind != NOBODYS
    ]


def differ(one: list[float], other: list[float]) -> float:
    """Return the two-sided p of the Mann-Whitney test, by its normal approximation with correction for ties."""
    both = sorted([(value, 0) for value in one] + [(value, 1) for value in other])
    ranks, ties, at = 0.0, 0.0, 0
    while at < len(both):
        end = at
        while end < len(both) and both[end][0] == both[at][0]:
            end += 1
        middle, same = (at + 1 + end) / 2, end - at
        ranks += middle * sum(1 for value in both[at:end] if value[1] == 0)
        ties += same**3 - same
        at = end
    n, m = len(one), len(other)
    mean, total = n * m / 2, n + m
    spread = math.sqrt(n * m / 12 * (total + 1 - ties / (total * (total - 1))))
    score = (ranks - n * (n + 1) / 2 - mean) / spread if spread else 0.0
    return math.erfc(abs(score) / math.sqrt(2))


def main(arguments: list[str]) -> int:
    """Measure on both databases; 0 when nothing can be told apart, 1 when something can, 2 when the noise was too large to say."""
    requests = int(arguments[0]) if arguments else REQUESTS
    said: set[str] = set()
    with postgres_cluster() as cluster:
        for name, url in (("SQLite", ""), ("PostgreSQL", cluster.url(cluster.create_begun()))):
            with tempfile.TemporaryDirectory(prefix="teken-timing-") as folder:
                known = furnish(Path(folder), url)
                with web_server(Path(folder), **({"database_url": url} if url else {})) as server:
                    for address in ADDRESSES:
                        found = measure(server, known, address, requests)
                        said |= {one.said for one in found}
                        print(_told(f"{name}, {address}<code>, {requests} requests of each kind", found), flush=True)
    worst = next(one for one in (APART, UNSURE, ALIKE) if one in said)
    print(f"\n{ENDS[worst]}")
    return [ALIKE, APART, UNSURE].index(worst)


def _judged(kind: str, taken: list[float], nobodys: list[float], comparisons: int) -> Verdict:
    p, medians = differ(taken, nobodys), ratio(taken, nobodys)
    sure = medians.within(1 - BOUND, 1 + BOUND)
    return Verdict(kind, p, medians, APART if p < ALPHA / comparisons else ALIKE if sure else UNSURE)


def _told(title: str, found: list[Verdict]) -> str:
    lines = [f"\n{title}", f"{'kind':<20}{'p':>8}{'median, ratio (95 %)':>28}"]
    for one in found:
        shown = f"{one.medians.value:.4f} ({one.medians.low:.4f} to {one.medians.high:.4f})"
        lines.append(f"{one.kind:<20}{one.p:>8.3f}{shown:>28}  {one.said}")
    return "\n".join(lines)


def furnish(home: Path, url: str) -> dict[str, list[str]]:
    """Make codes that exist and must not show: as many of each kind as the attacker asks about, all among each other in the table."""
    settings = Settings(home=home, keys=keys("p256"), database_url=url)
    with closing(open_teken(settings, offices=OFFICES)) as teken:
        kind = OFFICES.permit_type(*NUMBER_FIRST)
        client, _ = clients.add_client(teken, kind.office, "ukur")
        case = case_of(kind, "UKUR", SystemClock().now())
        made = str(intake.accept(teken, client, case, dumps(case).encode(), None).body["id"])
        with teken.db.write() as connection:
            model = dict(connection.execute(select(permits).where(permits.c.id == made)).one()._mapping)
            fates = [(name, state) for name, state in STATES.items() for _ in range(POOL)]
            random.shuffle(fates)
            codes = [(name, crockford(CODE_LENGTH)) for name, _ in fates]
            own = [
                {"id": f"izn_{secrets.token_hex(10)}", "upstream_id": code, "code": code, "state": state}
                for (_, code), (_, state) in zip(codes, fates, strict=True)
            ]
            connection.execute(insert(permits), [{**model, **one} for one in own])
    return {name: [code for kind_of, code in codes if kind_of == name] for name in STATES}


def _malformed() -> dict[str, list[str]]:
    return {
        "too short": [one[:-1] for one in _fresh()],
        "too long": [f"{one}7" for one in _fresh()],
        "not a letter of ours": [f"{one[:-1]}U" for one in _fresh()],
        "with hyphens": [grouped(one) for one in _fresh()],
        "in small letters": [one.lower() for one in _fresh()],
    }


def _fresh() -> list[str]:
    return [crockford(CODE_LENGTH) for _ in range(POOL)]


def _ask(line: socket.socket, path: str) -> float:
    """Return the seconds from the last byte of the question to the last of the answer."""
    head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n".encode()
    begun = time.perf_counter()
    line.sendall(head)
    answer, whole = b"", 0
    while not whole or len(answer) < whole:
        answer += line.recv(65_536)
        end = answer.find(b"\r\n\r\n")
        if not whole and end >= 0:
            length = answer[: end + 2].lower().partition(b"\r\ncontent-length: ")[2]
            whole = end + 4 + int(length[: length.index(b"\r\n")])
    seconds = time.perf_counter() - begun
    assert answer.startswith(b"HTTP/1.1 404"), answer[:60]
    return seconds


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
