"""A process that judges one mutated file after another and tells each result on its own line, until a file is the end of it.

A file that takes too much time or memory ends this process by the system's own means, also inside a library that never
returns. Whoever reads the lines knows the case: the one behind the last that was told.
"""

from __future__ import annotations

import json
import logging
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Any

from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from structlog.testing import capture_logs

from service.verification import file as verification
from service.verification import verify_file
from signing import inspect
from tests.fuzz.cases import Case, case
from tests.fuzz.house import House, open_house
from tests.fuzz.oracle import is_finding

CPU_SECONDS = 10
WALL_SECONDS = 120
_MEMORY = 1 << 30


def main(folder: Path, seed: int, start: int, stop: int, stride: int) -> None:
    """Judge the cases start, start + stride, ... below `stop`."""
    logging.disable(logging.CRITICAL)
    house, validated = open_house(folder), count_validations()
    verification.inspect_isolated = inspect  # no child of a child: this process is one
    _cap_memory()
    for number in range(start, stop, stride):
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
        signal.setitimer(signal.ITIMER_REAL, WALL_SECONDS)
        print(json.dumps(judged(house, case(house, seed, number), validated)), flush=True)


def count_validations() -> list[str]:
    """Note every signature whose bytes the validator has digested: the file got as far as that."""
    validated: list[str] = []
    original = EmbeddedPdfSignature.compute_digest

    def counted(self: EmbeddedPdfSignature) -> bytes:
        digest = original(self)
        validated.append(str(self.field_name))
        return digest

    EmbeddedPdfSignature.compute_digest = counted
    return validated


def judged(house: House, one: Case, validated: list[str]) -> dict[str, Any]:
    """Return what became of a case, as the report counts it."""
    validated.clear()
    began, problem, verdict, reasons = time.process_time(), "", "", []
    with capture_logs() as logs:
        try:
            answer = verify_file(house.teken, one.mutation.pdf)
            verdict, reasons = answer.verdict.value, list(answer.reasons)
            if is_finding(one.seed, one.mutation.pdf, answer.verdict):
                problem = "sound"
        except Exception as raised:
            problem = f"raised {type(raised).__name__}"
    if not problem and any(line["log_level"] == "error" for line in logs):
        problem = "unforeseen " + ", ".join(str(line.get("error")) for line in logs)
    return {
        "number": one.number,
        "seed": f"{one.seed.kind}/{one.seed.name}",
        "level": one.mutation.level,
        "mutator": one.mutation.name,
        "verdict": verdict,
        "reasons": reasons,
        "reached": bool(validated),
        "seconds": round(time.process_time() - began, 4),
        "problem": problem,
    }


def _cap_memory() -> None:
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + _MEMORY, used + _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:6]))
