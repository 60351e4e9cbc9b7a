"""CPU time of each stage of a permit, from the posted case to the handover, in both orders."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Spread, spread
from benchmarks.office import NUMBER_AFTER, NUMBER_FIRST, WITH_PHOTO, Bench, bench, open_office
from benchmarks.stopwatch import ELSEWHERE, STAGES, watching
from service.permits import State

WARM_UP = 2
TOTAL = "whole permit"


@dataclass(frozen=True, slots=True)
class StageTable:
    """Spreads in seconds by column and stage, and how often a stage ran per permit of the column."""

    columns: dict[str, dict[str, Spread]]
    calls: dict[str, dict[str, int]]
    rounds: int


def measure(folder: Path, rounds: int, *, warm_up: int = WARM_UP) -> StageTable:
    """Issue `rounds` permits of each column turn about."""
    columns = _columns(folder)
    laps: dict[str, list[dict[str, float]]] = {name: [] for name in columns}
    calls: dict[str, dict[str, int]] = {}
    with watching() as watch:
        for turn in range(warm_up + rounds):
            for name, column in columns.items():
                watch.lap()
                watch.calls.clear()
                _issue(column)
                lap = watch.lap()
                calls[name] = dict(watch.calls)
                if turn >= warm_up:
                    laps[name].append(lap)
    return StageTable({name: _spreads(taken) for name, taken in laps.items()}, calls, rounds)


def _columns(folder: Path) -> dict[str, Bench]:
    rsa = open_office(folder / "rsa", "rsa2048")
    ec = open_office(folder / "p256", "p256")
    return {
        "number first": bench(rsa, NUMBER_FIRST),
        "number after, seal": bench(rsa, NUMBER_AFTER),
        "number after, seal, photo": bench(rsa, WITH_PHOTO),
        "number first, P-256": bench(ec, NUMBER_FIRST, first=50_000),
    }


def _issue(column: Bench) -> None:
    permit = column.post()
    column.play(permit)
    state = column.row(permit).state
    if state not in {State.IN_FORCE, State.CLOSED}:
        raise RuntimeError(f"{permit} ended {state}")


def _spreads(laps: list[dict[str, float]]) -> dict[str, Spread]:
    stages = [stage for stage in (*STAGES, ELSEWHERE) if any(lap.get(stage) for lap in laps)]
    table = {stage: spread([lap.get(stage, 0.0) for lap in laps]) for stage in stages}
    return table | {TOTAL: spread([sum(lap.values()) for lap in laps])}
