"""Drills (tests/faults/drill.py) as scenes: four places at work, trouble in rounds, and the judge."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import sleep

from tests.faults.drill import Drill
from tests.faults.lab.bench import Bench
from tests.faults.lab.scene import Scene

PLACES = ("work", "sign", "post", "people")
SETTLE = 240


@contextmanager
def drilling(bench: Bench, scene: Scene, *places: str, **settings: object) -> Iterator[Drill]:
    """A drill whose processes run. At the end everything is let end, and judged."""
    folder = bench.place()
    with bench.database(scene.engine, folder / "home") as database:
        drill = Drill(folder, bench.keys_of_today, database, bench.nursery, **settings)
        try:
            for place in places or PLACES:
                drill.start(place)
            yield drill
            drill.until_settled(SETTLE)
            scene.judged(drill.judged())
            parked = {state for state in drill.states() if "in_force" not in state}
            scene.expect(not parked, f"not issued: {parked}")
        finally:
            drill.close()
            shutil.rmtree(folder, ignore_errors=True)


def storm(
    scene: Scene, drill: Drill, rounds: int, troubles: Sequence[tuple[str, Callable[[], None], Callable[[], None]]]
) -> None:
    """In each round: cases come, trouble begins at some moment, more cases come, and after a while it is over."""
    dice = scene.dice
    for number in range(1, rounds + 1):
        name, begin, end = dice.choice(troubles)
        before, during = round(dice.uniform(0.05, 0.6), 2), round(dice.uniform(0.1, 1.2), 2)
        scene.fault(f"{scene.name}.{number}: {name} after {before} s, for {during} s")
        drill.order()
        sleep(before)
        begin()
        try:
            drill.order()
            sleep(during)
        finally:
            end()


def nothing() -> None:
    """What ends by itself needs no end."""
