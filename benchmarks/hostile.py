"""`python -m benchmarks.hostile [rounds]`: how fast /V/ answers while 50 hostile uploads are under way, beside the same without them.

The server is that of `teken run`, without limits by address (they would turn most uploads away). Rounds alternate: look-ups
alone, then look-ups while another process keeps 50 uploads going, each sent again a second after its answer: bombs, circles,
crowds, junk, almost 20 MB, and bodies that come slowly. Exits 1 where the median look-up is more than three times as slow, where
an upload gets a status that it should not get, or a verdict that is good.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.figures import Ratio, ratio
from benchmarks.office import keys
from service.clock import SystemClock
from service.settings import PROJECT
from tests.support.office import client_of, open_office, payload, play, post, row
from tests.support.webserver import WebServer, web_server
from tests.verification.hostile import HOSTILE

UPLOADS, SLOW = 50, 6
PAUSE_SECONDS = 1.0
LOOK_UPS, BETWEEN_SECONDS = 40, 0.02
ROUNDS = 12
MOST = 3.0
SETTLE_SECONDS = 3.0
LAST_ANSWERS_SECONDS = 15.0
EXPECTED = {"200", "413", "503", "dropped"}
GOOD = {"identical", "authentic", "superseded"}


def main(arguments: list[str]) -> int:
    """Measure; 0 where all holds."""
    if arguments[:1] == ["flood"]:
        return flood(int(arguments[1]), {one.stem: one.read_bytes() for one in Path(arguments[2]).iterdir()})
    rounds = int(arguments[0]) if arguments else ROUNDS
    with tempfile.TemporaryDirectory(prefix="teken-hostile-") as folder:
        home = Path(folder)
        code, genuine = _furnish(home)
        files = home / "hostile"
        files.mkdir()
        for name, make in HOSTILE.items():
            (files / f"{name}.pdf").write_bytes(make(genuine))
        with web_server(home, keys=keys("p256"), limit_checks="", limit_lookups="") as server:
            alone, beside, answers = measure(server, code, files, rounds)
    found = ratio(beside, alone)
    wrong = [told for told in answers if told not in EXPECTED | {f"200 {verdict}" for verdict in _BAD}]
    print(_told(rounds, alone, beside, found, answers))
    return int(found.value > MOST or bool(wrong))


_BAD = ("altered", "foreign", "unsigned", "undetermined")


def measure(server: WebServer, code: str, files: Path, rounds: int) -> tuple[list[float], list[float], Counter[str]]:
    """Return the median seconds of each round's look-ups, alone and beside uploads, and what the uploads were answered."""
    alone, beside, answers = [], [], Counter[str]()
    look_up(server, code)
    for _ in range(rounds):
        alone.append(statistics.median(look_up(server, code)))
        with Flood(server, files, answers):
            beside.append(statistics.median(look_up(server, code)))
        time.sleep(SETTLE_SECONDS)
    return alone, beside, answers


def look_up(server: WebServer, code: str) -> list[float]:
    """Return the seconds of each look-up, over one connection."""
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    taken = []
    for _ in range(LOOK_UPS):
        began = time.perf_counter()
        line.request("GET", f"/V/{code}")
        answer = line.getresponse()
        whole = answer.read()
        taken.append(time.perf_counter() - began)
        assert answer.status == 200, answer.status
        assert code[:4].encode() in whole
        time.sleep(BETWEEN_SECONDS)
    line.close()
    return taken


class Flood:
    """Another process that keeps uploads going: what it computes does not stand in the way of who measures."""

    def __init__(self, server: WebServer, files: Path, answers: Counter[str]) -> None:
        self.command = [sys.executable, "-m", "benchmarks.hostile", "flood", str(server.port), str(files)]
        self.answers = answers

    def __enter__(self) -> None:
        self.process = subprocess.Popen(self.command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"going\n"
        time.sleep(SETTLE_SECONDS)

    def __exit__(self, *_: object) -> None:
        told, _ = self.process.communicate(b"stop\n", timeout=120)
        self.answers.update(json.loads(told))


def flood(port: int, files: dict[str, bytes]) -> int:
    """Keep uploads going until a line comes; then tell what they were answered."""
    os.nice(5)
    answers, stop = Counter[str](), threading.Event()

    def send(place: int) -> None:
        while not stop.is_set():
            name = random.choice(list(files))
            answers[_slow(port, stop) if place < SLOW else _upload(port, files[name])] += 1
            stop.wait(PAUSE_SECONDS)

    threads = [threading.Thread(target=send, args=(place,), daemon=True) for place in range(UPLOADS)]
    for thread in threads:
        thread.start()
    print("going", flush=True)
    sys.stdin.readline()
    stop.set()
    deadline = time.monotonic() + LAST_ANSWERS_SECONDS
    for thread in threads:
        thread.join(max(0, deadline - time.monotonic()))
    print(json.dumps(answers))
    return 0


def _upload(port: int, pdf: bytes) -> str:
    """Return status and verdict."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=90)
    try:
        line.request("POST", "/api/v1/verify", pdf, {"Content-Type": "application/pdf"})
        answer = line.getresponse()
        told = answer.read()
        return f"200 {json.loads(told)['verdict']}" if answer.status == 200 else str(answer.status)
    except OSError:
        return "dropped"
    finally:
        line.close()


def _slow(port: int, stop: threading.Event) -> str:
    """A body that says it is a megabyte, and comes in drops."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=90)
    try:
        line.putrequest("POST", "/api/v1/verify")
        line.putheader("Content-Type", "application/pdf")
        line.putheader("Content-Length", "1000000")
        line.endheaders()
        while not stop.wait(0.2):
            line.send(b"%PDF-1.7 " * 8)
    except OSError:
        pass
    finally:
        line.close()
    return "dropped"


def _furnish(home: Path) -> tuple[str, bytes]:
    """Issue one permit; return its code and its file."""
    teken = open_office(home, keys("p256"), clock=SystemClock())
    body = payload("malang", "sik-perekam-medis", "UKUR")
    permit = str(post(teken, client_of(teken, "malang"), body).body["id"])
    play(teken, permit)
    found: Any = row(teken, permit)
    genuine = teken.archive.get(found.released_sha)
    teken.close()
    return found.code, genuine


def _told(rounds: int, alone: list[float], beside: list[float], found: Ratio, answers: Counter[str]) -> str:
    shares = ", ".join(f"{what}: {count}" for what, count in answers.most_common())
    return "\n".join(
        (
            f"/V/<code>, median of {rounds} rounds with {LOOK_UPS} look-ups each, in turns",
            f"alone            {statistics.median(alone) * 1000:8.1f} ms",
            f"{UPLOADS} hostile uploads {statistics.median(beside) * 1000:6.1f} ms",
            f"ratio            {found.value:8.2f} ({found.low:.2f} to {found.high:.2f}), at most {MOST:g}",
            f"uploads answered {sum(answers.values())}: {shares}",
        )
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
