"""`make faults`: every row of the fault table, on both databases, judged by the oracle. Exit 1 if an invariant broke."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import time

from service.settings import PROJECT
from tests.faults.lab.bench import ENGINES
from tests.faults.lab.rows import ROWS
from tests.faults.lab.run import planned, played
from tests.faults.lab.scene import Scene
from tests.faults.lab.told import failures, keep, table

FOLDER = PROJECT / "build" / "faults"


def main(arguments: list[str] | None = None) -> int:
    """Run all rows, one row, or one scene again."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, help="the dice, printed if not given (SEED=)")
    parser.add_argument(
        "--row", default="", help="only these, with commas (ROW=): " + ", ".join(row.name for row in ROWS)
    )
    parser.add_argument("--engine", default=",".join(ENGINES), help="only this database (ENGINE=)")
    parser.add_argument("--most", type=int, default=0, help="so many scenes of each row and engine, 0: all (N=)")
    parser.add_argument("--replay", default="", help="row/engine/seed/scene of a failure (REPLAY=)")
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))
    given = parser.parse_args(arguments)
    if given.replay:
        row, engine, seed, name = given.replay.split("/", 3)
        return _told([Scene(row, engine, name, int(seed))], int(seed), 1, "replay")
    seed = secrets.randbelow(10**9) if given.seed is None else given.seed
    wanted = given.row.split(",") if given.row else [row.name for row in ROWS]
    rows = [row for row in ROWS if row.name in wanted]
    if len(rows) != len(wanted):
        parser.error("no such row: " + ", ".join(sorted(set(wanted) - {row.name for row in rows})))
    scenes = planned(rows, given.engine.split(","), seed, given.most)
    print(f"SEED={seed}: {len(scenes)} scenes", flush=True)
    return _told(scenes, seed, given.processes, str(seed))


def _told(scenes: list[Scene], seed: int, processes: int, name: str) -> int:
    began, done = time.monotonic(), []
    for scene in played(scenes, processes):
        done.append(scene)
        keep(FOLDER / f"{name}.json", seed, done, time.monotonic() - began)  # also what a run did that is ended early
        if scene.violations:
            print(failures([scene]), flush=True)
    places = {scene.replay: at for at, scene in enumerate(scenes)}
    done.sort(key=lambda scene: places[scene.replay])
    seconds = time.monotonic() - began
    print(table(done))
    broken = [scene for scene in done if scene.violations]
    faults = len({(scene.row, scene.engine, fault) for scene in done for fault in scene.faults})
    print(f"{faults} faults in {seconds:.0f} s, {len(broken)} scenes with violations")
    keep(FOLDER / f"{name}.json", seed, done, seconds)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
