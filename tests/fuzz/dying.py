"""A worker whose fourth file is the end of it, as a file is that takes too much: for the test of the watch."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from tests.fuzz import worker
from tests.fuzz.cases import case

FATAL = 3

if __name__ == "__main__":

    def mortal(house, seed, number):
        if number == FATAL:
            os.kill(os.getpid(), signal.SIGPROF)
        return case(house, seed, number)

    worker.case = mortal
    worker.main(Path(sys.argv[1]), *map(int, sys.argv[2:6]))
