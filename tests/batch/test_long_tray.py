"""The benchmark's tray, smaller: two signing processes, one killed half-way (kill -9), each document released once and sound."""

from __future__ import annotations

import pytest

from benchmarks.batch import measure

TRAY = 30


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("database", "kind", "level"),
    [("postgresql", "p256", "B-LT"), ("sqlite", "rsa2048", "B-B")],
    indirect=["database"],
)
def test_a_tray_survives_a_kill_at_its_level(tmp_path, kind, level, database):
    """`measure` itself raises unless all is well: results, documents read back and inspected by pyHanko, acts, our own audit."""
    run = measure(tmp_path, TRAY, kind, level, database)
    asked = run.asked
    if level == "B-LT":
        assert TRAY <= asked["/tsa"] <= TRAY + 2  # one a signature; what was in hand at the kill is asked for again
        assert asked["/ocsp"] + asked["/root.crl"] + asked["/issuing.crl"] <= 8  # once for all, by whoever asks
    else:
        assert asked["/tsa"] == 0
