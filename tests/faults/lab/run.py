"""Plays scenes, two at a time, each process with a laboratory of its own."""

from __future__ import annotations

import faulthandler
import logging
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context, util

from tests.faults.lab.bench import Bench
from tests.faults.lab.rows import ROWS
from tests.faults.lab.scene import Row, Scene

LONGEST = 600
"""Seconds after which a scene that hangs says where, and ends its process."""
_bench: list[Bench] = []


def planned(rows: Sequence[Row], engines: Sequence[str], seed: int, most: int) -> list[Scene]:
    """All scenes of these rows, at most `most` of a row and engine (0: all), spread over the row."""
    scenes = []
    with Bench() as bench:
        for row in rows:
            for engine in (one for one in row.engines if one in engines):
                names = row.scenes(bench, engine, seed)
                step = max(1, len(names) / most) if most else 1
                chosen = [names[int(at * step)] for at in range(int(len(names) / step))]
                scenes += [Scene(row.name, engine, name, seed) for name in chosen]
    return scenes


def played(scenes: Sequence[Scene], processes: int) -> Iterator[Scene]:
    """Each scene as it is done."""
    if processes == 1:
        with Bench() as bench:
            yield from (play(bench, scene) for scene in scenes)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_open) as pool:
        running = {pool.submit(_play, scene): scene for scene in scenes}
        for done in as_completed(running):
            yield done.result()


def play(bench: Bench, scene: Scene) -> Scene:
    """Play one scene; an exception in it is a violation."""
    row = next(row for row in ROWS if row.name == scene.row)
    began = time.monotonic()
    logging.disable(logging.CRITICAL)
    faulthandler.dump_traceback_later(LONGEST, exit=True, file=sys.__stderr__)
    try:
        row.play(bench, scene)
    except BaseException as error:
        if not isinstance(error, (Exception, AssertionError)):
            raise
        scene.violations.append("".join(traceback.format_exception(error)[-3:])[-1500:])
    finally:
        faulthandler.cancel_dump_traceback_later()
    scene.seconds = time.monotonic() - began
    return scene


def _open() -> None:
    bench = Bench()
    bench.__enter__()
    _bench.append(bench)
    util.Finalize(None, bench.__exit__, args=(None, None, None), exitpriority=10)


def _play(scene: Scene) -> Scene:
    return play(_bench[0], scene)
