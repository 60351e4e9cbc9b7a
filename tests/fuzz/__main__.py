"""`make fuzz`: mutated PDFs through the inspector. Exit 1 if one of them was praised, ended the parent, or too few reached the validator."""

from __future__ import annotations

import argparse
import json
import logging
import os
import secrets
import sys
import time
from pathlib import Path

from service.settings import PROJECT
from service.verification import verify_file
from service.verification.file import trust
from signing import inspect_isolated
from signing.facts import to_json
from tests.fuzz.report import failures, table
from tests.fuzz.run import Run

FOLDER = PROJECT / "build" / "fuzz"
LEAST_SHARE = 0.5
"""How many of the files must get as far as the validation of a signature."""


def main(arguments: list[str] | None = None) -> int:
    """Run, or replay one finding."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=100_000, help="how many files (N=)")
    parser.add_argument("--seed", type=int, help="the dice, printed if not given (SEED=)")
    parser.add_argument("--minutes", type=float, default=0, help="stop after so long, 0: when all are done (MINUTES=)")
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--replay", type=Path, help="a file below build/fuzz/<seed>/findings (REPLAY=)")
    given = parser.parse_args(arguments)
    logging.disable(logging.CRITICAL)
    if given.replay:
        return replay(given.replay)
    seed = secrets.randbelow(10**9) if given.seed is None else given.seed
    print(
        f"SEED={seed} N={given.count}: findings go to {(FOLDER / str(seed)).relative_to(PROJECT)}/findings", flush=True
    )
    run, began = Run(FOLDER / str(seed), seed), time.monotonic()
    tally = run.play(given.count, processes=given.processes, minutes=given.minutes)
    print(table(tally, time.monotonic() - began))
    wrong = failures(tally, LEAST_SHARE)
    print("\n".join(wrong) or "No finding.")
    return 1 if wrong else 0


def replay(path: Path) -> int:
    """Judge one saved file the whole way, in the house that it was made in, and tell everything that was found."""
    run = Run(path.resolve().parents[1], 0)
    house, pdf = run.open(), path.read_bytes()
    answer = verify_file(house.teken, pdf)
    found = inspect_isolated(pdf, trust(house.teken))
    print(json.dumps(to_json(found), indent=1, default=str))
    print(f"{path.name}: {answer.verdict.value} ({', '.join(answer.reasons)}); register: {house.teken.settings.home}")
    house.teken.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
