"""`python -m benchmarks [part ...] [--quick] [--write]`: measure, print, and with --write renew docs/BENCHMARKS.md."""

from __future__ import annotations

import argparse
import logging
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from benchmarks import against_plain, growth, report, signing, stages, tray

Part = Callable[[Path, bool], str]

PARTS: dict[str, Part] = {
    "plain": lambda folder, quick: report.duel(against_plain.measure(folder, 5 if quick else 60)),
    "signing": lambda folder, quick: report.race(signing.measure(folder, 3 if quick else 20, quick=quick)),
    "stages": lambda folder, quick: report.stages(stages.measure(folder, 3 if quick else 40)),
    "growth": lambda folder, quick: report.growth(
        growth.measure(folder, 4 if quick else 60, (10, 100) if quick else growth.SIZES)
    ),
    "tray": lambda folder, quick: report.tray(tray.measure(folder, 5 if quick else 100)),
}


def main(arguments: list[str] | None = None) -> None:
    """Measure the parts that are asked for, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measures what a permit costs.")
    parser.add_argument("part", nargs="*", choices=[[], *PARTS], help="default: all")
    parser.add_argument("--quick", action="store_true", help="a few rounds each: shows that it runs, not what it costs")
    parser.add_argument("--write", action="store_true", help="renew the figures in docs/BENCHMARKS.md (all parts)")
    given = parser.parse_args(arguments)
    if given.write and (given.part or given.quick):
        parser.error("--write needs all parts, in full")
    quieten()
    tables = [_measured(part, quick=given.quick) for part in given.part or PARTS]
    if given.write:
        report.write(tables)


def quieten() -> None:
    """Every permit logs; printing is not what is measured."""
    logging.getLogger("pyhanko").setLevel(logging.ERROR)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


def _measured(part: str, *, quick: bool) -> str:
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="teken-bench-") as folder:
        table = PARTS[part](Path(folder), quick)
    print(f"{table}\n\n({part}: {time.perf_counter() - start:.0f} s)\n", flush=True)
    return table


if __name__ == "__main__":
    main()
