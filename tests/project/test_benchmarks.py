"""The benchmarks run and have something to tell. What they tell is not asserted: no machine is like another."""

from __future__ import annotations

import random

import pytest

from benchmarks import against_plain, growth, peers, report, signing, stages, timing, tray
from benchmarks.figures import ratio, spread
from benchmarks.stopwatch import STAGES
from tests.support.webserver import web_server


def test_a_ratio_knows_how_sure_it_is():
    sure, unsure = ratio([20.0] * 30, [10.0] * 30), ratio([20.0, 40.0] * 15, [10.0, 30.0, 10.0] * 10)
    assert (sure.value, sure.low, sure.high) == (2, 2, 2)
    assert unsure.low < unsure.value < unsure.high
    assert sure.within(1.9, 2.1)
    assert not unsure.within(1.9, 2.1)
    assert spread([1, 2, 3]).median == 2


def test_every_stage_is_measured(tmp_path):
    table = stages.measure(tmp_path, 2, warm_up=0)
    seen = {stage for column in table.columns.values() for stage in column}
    assert seen >= set(STAGES)
    for name, column in table.columns.items():
        assert column[stages.TOTAL].median > 0
        assert ("seal" in column) == ("seal" in name)
    shown = report.stages(table)
    assert all(f"| {stage} " in shown for stage in STAGES)


def test_the_filled_register_is_sound_and_goes_on(tmp_path):
    result = growth.measure(tmp_path, 2, sizes=(4, 20))
    assert set(result.cpu) == {4, 20}
    assert set(result.cpu_ratios) == {20}
    assert "| 20 " in report.growth(result)


def test_a_tray_ends_in_force(tmp_path):
    result = tray.measure(tmp_path, 1)
    assert {one.size for one in result.values()} == {1}
    assert "number first" in report.tray(result)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # pyHanko leaves the font's file open
def test_the_plain_way_makes_a_signed_page_too(tmp_path):
    result = against_plain.measure(tmp_path, 2, warm_up=0)
    assert result.rounds == 2
    assert "**plain / Teken**" in report.duel(result)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the same
@pytest.mark.thorough
def test_the_race_knows_who_runs_and_who_can_not(tmp_path):
    result = signing.measure(tmp_path, 2, quick=True)
    there = {kind.name for kind in peers.KINDS} - set(result.missing)
    assert {way for kind in peers.KINDS if kind.name in there for way in kind.ways} == {
        way for way, name in signing.NAMES.items() if name in result.spreads
    }
    assert set(signing.AT_MOST) <= set(result.ratios)
    shown = report.race(result)
    assert all(name in shown for name in (*result.spreads, *result.missing))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the same
def test_a_peer_that_is_not_there_is_named(tmp_path, monkeypatch):
    import dataclasses

    nobody = tuple(dataclasses.replace(kind, command=("no-such-program",)) for kind in peers.KINDS)
    monkeypatch.setattr(peers, "KINDS", nobody)
    shown = report.race(signing.measure(tmp_path, 2, quick=True))
    assert all(f"**Not measured**: {kind.name}: " in shown for kind in nobody)


def test_figures_go_between_the_marks(tmp_path):
    document = tmp_path / "page.md"
    document.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n", encoding="utf-8")
    report.write(["one", "two"], document)
    assert document.read_text(encoding="utf-8") == f"before\n{report.BEGIN}\n\none\n\ntwo\n\n{report.END}\nafter\n"
    assert report.BEGIN in report.DOCUMENT.read_text(encoding="utf-8")


def test_a_stopwatch_tells_what_differs_from_what_does_not():
    chance = random.Random(1)
    same, other = ([chance.gauss(10, 1) for _ in range(2000)] for _ in range(2))
    assert timing.differ(same, other) > 0.01
    assert timing.differ(same, [value + 0.15 for value in other]) < 0.001
    assert timing.differ([1.0] * 50, [1.0] * 50) == 1


@pytest.mark.slow
def test_every_kind_of_code_is_timed(tmp_path):
    known = timing.furnish(tmp_path, "")
    with web_server(tmp_path) as server:
        found = timing.measure(server, known, "/V/", 5)
    assert {one.kind for one in found} >= {timing.CONTROL, *timing.STATES, "too short", "with hyphens"}
