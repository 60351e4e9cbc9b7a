"""Wall time of a tray of permits in one process, as worker.py drains it: for orientation, since the wall has other guests."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.office import NUMBER_AFTER, NUMBER_FIRST, Bench, bench, open_office
from service.demo import take_turn
from service.permits import State

HELD = frozenset({State.IN_FORCE, State.CLOSED})


@dataclass(frozen=True, slots=True)
class Tray:
    """Seconds of wall time for `size` permits: until the papers lie before the head, and from his order to in force."""

    size: int
    prepared: float
    issued: float


def measure(folder: Path, size: int) -> dict[str, Tray]:
    """Prepare and sign one tray in each order."""
    teken = open_office(folder / "office", "rsa2048")
    trays = {"number first": bench(teken, NUMBER_FIRST), "number after, seal": bench(teken, NUMBER_AFTER)}
    return {name: _tray(one, size) for name, one in trays.items()}


def _tray(one: Bench, size: int) -> Tray:
    one.play(one.post())  # warms up
    start = time.perf_counter()
    permits = [one.post() for _ in range(size)]
    one.work()
    for permit in permits:
        _ripen(one, permit)
    prepared = time.perf_counter() - start
    for permit in permits:
        take_turn(one.teken, permit)  # the head's order
    start = time.perf_counter()
    one.work()
    issued = time.perf_counter() - start
    if any(one.row(permit).state not in HELD for permit in permits):
        raise RuntimeError("not every permit of the tray is in force")
    return Tray(size, prepared, issued)


def _ripen(one: Bench, permit: str) -> None:
    """Let everybody before the head act."""
    plan = one.kind.procedure.plan
    while plan[one.row(permit).position].verb != "sign":
        take_turn(one.teken, permit)
        one.work()
