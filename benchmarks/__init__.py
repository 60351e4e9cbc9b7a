"""Measures what a permit costs, as ratios and CPU time in one run. Never part of a test's verdict: machines differ."""

import os

os.environ.setdefault("RAYON_NUM_THREADS", "1")  # as worker.py does: one typesetting thread a process
