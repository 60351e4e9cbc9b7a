"""Runs the cases in child processes that may die, keeps what was found, and counts what happened."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryFile
from typing import IO, Any

from service.settings import PROJECT
from service.verification import verify_file
from service.verification.file import trust
from signing import inspect_isolated
from tests.fuzz.cases import case
from tests.fuzz.house import House, build, open_house
from tests.fuzz.oracle import is_finding
from tests.fuzz.worker import CPU_SECONDS

WORKER = "tests.fuzz.worker"
BATCH = 2000
WHOLE_PATH = 500
"""One case in so many also goes the whole way, through the real child process."""
SLOW = 5.0
_SLOWEST = 10


@dataclass
class Tally:
    """What happened, by level."""

    cases: Counter[str] = field(default_factory=Counter)
    reached: Counter[str] = field(default_factory=Counter)
    verdicts: dict[str, Counter[str]] = field(default_factory=dict)
    mutators: dict[str, list[int]] = field(default_factory=dict)
    slowest: list[dict[str, Any]] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)
    died: list[dict[str, Any]] = field(default_factory=list)
    whole: int = 0
    seconds: float = 0.0

    def add(self, result: dict[str, Any]) -> None:
        level = result["level"]
        self.cases[level] += 1
        self.reached[level] += result["reached"]
        self.verdicts.setdefault(level, Counter())[result["verdict"] or "none"] += 1
        counts = self.mutators.setdefault(f"{level}.{result['mutator']}", [0, 0])
        counts[0] += 1
        counts[1] += result["reached"]
        self.seconds += result["seconds"]
        self.slowest = sorted([*self.slowest, result], key=lambda one: -one["seconds"])[:_SLOWEST]

    @property
    def total(self) -> int:
        return self.cases.total()

    @property
    def share(self) -> float:
        return self.reached.total() / max(1, self.total)


@dataclass
class Run:
    """One run in `folder`; its house is made once and stays, so that a number means the same bytes."""

    folder: Path
    seed: int
    borrowed: bool = True
    """Whether other makers' files are among the seeds."""
    tally: Tally = field(default_factory=Tally)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def place(self) -> Path:
        return self.folder / "house"

    def open(self) -> House:
        if not (self.place / "complete").exists():
            build(self.place, borrowed=self.borrowed)
            (self.place / "complete").touch()
        return open_house(self.place)

    def play(self, count: int, *, processes: int, minutes: float = 0) -> Tally:
        """Judge `count` cases, or as many as `minutes` allow. What an earlier run of this seed found is forgotten."""
        house = self.open()
        rmtree(self.folder / "findings", ignore_errors=True)
        until = time.monotonic() + 60 * minutes if minutes else float("inf")
        with ThreadPoolExecutor(processes) as lanes:
            waiting = [lanes.submit(self._lane, house, lane, count, processes, until) for lane in range(processes)]
        house.teken.close()
        for lane in waiting:
            lane.result()
        return self.tally

    def _lane(self, house: House, number: int, count: int, stride: int, until: float) -> None:
        while number < count and time.monotonic() < until:
            stop = min(count, number + BATCH * stride)
            with TemporaryFile() as complaints, self._child(number, stop, stride, complaints) as child:
                for line in child.stdout or ():
                    result = json.loads(line)
                    number = result["number"] + stride
                    self._take(house, result)
                    if time.monotonic() > until:
                        child.terminate()
                        return
                if child.wait() > 0:
                    complaints.seek(0)
                    raise RuntimeError(
                        f"the fuzzer itself failed at case {number}:\n{complaints.read().decode()[-3000:]}"
                    )
            if child.returncode:
                self._buried(house, number)
                number += stride

    def _child(self, start: int, stop: int, stride: int, complaints: IO[bytes]) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", WORKER, *map(str, (self.place, self.seed, start, stop, stride))]
        return subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=complaints)

    def _take(self, house: House, result: dict[str, Any]) -> None:
        with self._lock:
            self.tally.add(result)
            if not result["problem"] and result["number"] % WHOLE_PATH == 0:
                result = self._whole_path(house, result)
            if not result["problem"] and result["seconds"] > SLOW:
                result = {**result, "problem": "slow"}
            if result["problem"]:
                self.tally.findings.append(self._kept(house, result))

    def _whole_path(self, house: House, result: dict[str, Any]) -> dict[str, Any]:
        """The same file as a citizen would hand it in: nothing raises, and it is no better."""
        one = case(house, self.seed, result["number"])
        answer = verify_file(house.teken, one.mutation.pdf)
        self.tally.whole += 1
        if is_finding(one.seed, one.mutation.pdf, answer.verdict):
            return {**result, "problem": f"whole path: {answer.verdict.value}"}
        return result

    def _buried(self, house: House, number: int) -> None:
        """A child died of this file: in the real cage it must be `undetermined`, within the cap."""
        one = case(house, self.seed, number)
        began = time.monotonic()
        found = inspect_isolated(one.mutation.pdf, trust(house.teken), seconds=CPU_SECONDS)
        result = {
            "number": number,
            "seed": f"{one.seed.kind}/{one.seed.name}",
            "level": one.mutation.level,
            "mutator": one.mutation.name,
            "verdict": f"died, then {found.outcome}",
            "reasons": [found.cause],
            "reached": False,
            "seconds": round(time.monotonic() - began, 2),
            "problem": "died" if found.outcome == "undetermined" else "died here, but not in the cage",
        }
        with self._lock:
            self.tally.add(result)
            self.tally.died.append(self._kept(house, result))

    def _kept(self, house: House, result: dict[str, Any]) -> dict[str, Any]:
        folder = self.folder / "findings"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{result['number']:07}.pdf"
        path.write_bytes(case(house, self.seed, result["number"]).mutation.pdf)
        path.with_suffix(".json").write_text(json.dumps(result, indent=1))
        return {**result, "file": os.path.relpath(path, PROJECT)}
