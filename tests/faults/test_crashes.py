"""What every `make test` tries of the fault lab: deaths at named points and at any moment, and engines that go away. The rest is `make faults`."""

from __future__ import annotations

import pytest

from service.failpoints import POINTS
from tests.faults.lab.bench import ENGINES, Bench
from tests.faults.lab.machines import Machine
from tests.faults.lab.rows import ROWS, moments, postgres, redis
from tests.faults.lab.scene import Scene
from tests.faults.lab.told import ELSEWHERE

SEED = 20261123
DEATHS = 8
"""In a row, in one world: each starts where the one before died."""


@pytest.fixture(scope="module")
def bench():
    with Bench() as opened:
        yield opened


@pytest.mark.heavy
@pytest.mark.parametrize("engine", ENGINES)
def test_killed_again_and_again_at_named_points(bench, engine):
    """Every passage in turn is for `make faults`; here some in a row, and every point is known to be passed or to be tried elsewhere."""
    scene = Scene("kill", engine, "some", SEED)
    with bench.office(engine) as office:
        passed = Machine(bench, office).passed()
    assert set(passed) | set(ELSEWHERE) == set(POINTS)
    with bench.office(engine) as office:
        machine = Machine(bench, office)
        for _ in range(DEATHS):
            assert machine.died("", UJI_PATCH=f"passage:{scene.dice.randint(1, len(passed) // DEATHS)}")
        machine.to_the_end(scene)
    assert scene.violations == []


@pytest.mark.heavy
@pytest.mark.parametrize("engine", ENGINES)
def test_killed_at_any_moment(bench, engine):
    scene = Scene("moments", engine, "1", SEED)
    moments.play(bench, scene, kills=4)
    assert scene.violations == []


def test_postgresql_itself_crashes_and_comes_back(bench):
    scene = Scene("pg-crash", "postgresql", "1", SEED)
    postgres.crashes(bench, scene, rounds=2)
    assert scene.violations == []


@pytest.mark.heavy
@pytest.mark.parametrize("engine", ENGINES)
def test_with_redis_that_forgets_hangs_and_dies(bench, engine):
    scene = Scene("redis", engine, "1", SEED)
    redis.play(bench, scene, rounds=3)
    assert scene.violations == []


def test_every_row_is_told_once():
    assert len({row.name for row in ROWS}) == len(ROWS)
