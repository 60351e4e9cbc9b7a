"""Runs machines (machine.py) over an office's folder: undisturbed, or dying at the n-th passage of a named point, and started again."""

from __future__ import annotations

import json
import signal
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime

from service import acts
from service.clock import SetClock
from tests.faults.lab.bench import Bench, Office
from tests.faults.lab.scene import Scene
from tests.faults.oracle import Evidence, Violation, judge, read
from tests.faults.poster import append, lines
from tests.support.office import open_office, payload

KINDS = (
    ("rokan-hilir", "sip-perekam-medis"),  # the number first, no seal
    ("rokan-hulu", "surat-izin-perekam-medik"),  # the number first, and a seal
    ("kudus", "sip-perekam-medis"),  # the number after the signature
    ("rokan-hilir", "sip-perekam-medis"),  # a second number of one series
)
SECONDS = 180
SETTINGS = {"TEKEN_RETRY_SECONDS": 0, "TEKEN_MAX_ATTEMPTS": 30, "TEKEN_BUSY_SECONDS": 2}


class Machine:
    """The one process of an office; who it was and how it ended."""

    def __init__(self, bench: Bench, office: Office, kinds: Sequence[tuple[str, str]] = KINDS, **given: object) -> None:
        self.bench, self.office = bench, office
        self.environment = {"TEKEN_HOME": office.home, "TEKEN_KEYS": bench.keys, "UJI_FOLDER": office.folder}
        self.environment |= {**SETTINGS, **given}
        if office.database:
            self.environment["TEKEN_DATABASE_URL"] = office.database
        office.begin()
        for number, (code, kind) in enumerate(kinds):
            client = {"id": office.clients[code], "office": code, "name": "uji"}
            case = payload(code, kind, f"UJI-{number}")
            append(office.folder / "orders", {"key": f"kunci-{number}", "client": client, "case": case})

    def run(self, fail_at: str = "", **more: object) -> int | None:
        """Start it and wait for its end; its exit code, None if it did not end."""
        patch = ";".join(filter(None, (self.bench.mutant, str(more.pop("UJI_PATCH", "")))))
        environment = {**self.environment, "TEKEN_FAIL_AT": fail_at, "UJI_PATCH": patch, **more}
        pid = self.bench.nursery.spawn("machine", environment, self.office.folder / "log")
        code = self.bench.nursery.wait(pid, SECONDS)
        self.bench.nursery.end(pid)
        return code

    def died(self, fail_at: str, **more: object) -> bool:
        """Run it until it dies at this passage; tell whether it did, and did not end before."""
        return self.run(fail_at, **more) == -signal.SIGKILL

    def passed(self) -> list[str]:
        """Run it undisturbed; every passage of a named point, in order."""
        assert self.run(UJI_COUNT="count") == 0, self.said()
        return list(json.loads((self.office.folder / "count").read_text()))

    def said(self) -> str:
        """The end of its log."""
        path = self.office.folder / "log"
        return path.read_text()[-1500:] if path.exists() else ""

    def judged(self, *, settled: bool = True) -> list[Violation]:
        """What the judge finds in what it left."""
        folder, home = self.office.folder, self.office.home
        given = {name: lines(folder / name) for name in ("acks", "feed", "asked")}
        secret = (self.bench.keys / "passphrase").read_bytes().strip()
        evidence = Evidence(self.office.store, home / "archive", self.office.verifier, settled=settled, **given)
        return judge(replace(evidence, secrets=[secret], places=[home, folder / "log"]))

    def states(self) -> dict[str, str]:
        """Where each case stands, by its name upstream."""
        return {row["upstream_id"]: row["state"] for row in read(self.office.store)["permits"]}

    def taken_up(self) -> None:
        """An operator who has seen to the cause lets everything go on that was set aside."""
        clock = SetClock(datetime.fromisoformat((self.office.folder / "clock").read_text()))
        given = {"database": self.office.database, "clock": clock, "signing": False}
        with closing(open_office(self.office.home, self.bench.keys, **given)) as teken:
            for row in read(self.office.store)["permits"]:
                if row["fault"] and row["queue"] == "none":
                    acts.resume_parked(teken, row["id"])

    def to_the_end(self, scene: Scene, **more: object) -> None:
        """Let it bring everything to its end, and judge."""
        code = self.run(**more)
        scene.expect(code == 0, f"it ended with {code}: {self.said()}" if code else "it did not end")
        scene.judged(self.judged())
        scene.expect(len(lines(self.office.folder / "acks")) == len(lines(self.office.folder / "orders")), "unanswered")
        parked = {case: state for case, state in self.states().items() if state != "in_force"}
        scene.expect(not parked, f"not issued: {parked}")


def hits(passed: Sequence[str]) -> list[str]:
    """Name every passage by its point and how often that was passed: `number.before_commit:2`."""
    seen: Counter[str] = Counter()
    named = []
    for point in passed:
        seen[point] += 1
        named.append(f"{point}:{seen[point]}")
    return named
