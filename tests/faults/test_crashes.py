"""Every process is killed at every named point, and at any moment, on both databases: nothing is lost, doubled or released early."""

from __future__ import annotations

import random
import time

import pytest

from service.failpoints import POINTS
from tests.faults.drill import AT_SERVICES, PLACES, Drill

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_every_point_belongs_to_a_process():
    assert {*AT_SERVICES, *(point for points in PLACES.values() for point in points)} == set(POINTS)


def test_killed_at_every_point_and_at_any_moment(tmp_path, keys_of_today, database, nursery, seed):
    drill = Drill(tmp_path, keys_of_today, database, nursery)
    try:
        started = time.monotonic()
        rng = random.Random(seed)
        drill.at_every_point(rng)
        swept = time.monotonic()
        drill.start("work2")
        drill.start("sign2")
        drill.at_any_moment(12, rng, ["work", "work2", "sign", "sign2", "post", "people"])
        drill.until_settled()
        settled = time.monotonic()
        violations = drill.judged()
        print(f"{len(drill.deaths)} deaths, {drill.ordered} cases, {drill.states()}")
        print(
            f"points {swept - started:.1f} s, settled {settled - swept:.1f} s, judged {time.monotonic() - settled:.1f} s"
        )
        assert violations == []
        assert set(drill.states()) == {"in_force/none/None"}, "nobody was parked for dying"
    finally:
        drill.close()


def test_postgresql_itself_crashes_and_comes_back(tmp_path, keys_of_today, postgres_server, nursery):
    """`-m immediate` twice, in the middle of the work: every process stays alive, reconnects and goes on."""
    name = postgres_server.create()
    drill = Drill(tmp_path, keys_of_today, postgres_server.url(name), nursery, busy_seconds=1)
    try:
        for place in ("work", "sign", "post", "people"):
            drill.start(place)
        drill.order()
        drill.until_settled()
        for _ in range(2):
            for _ in range(3):
                drill.order()
            time.sleep(1.5)
            postgres_server.stop()
            time.sleep(0.5)
            postgres_server.start()
        drill.until_settled()
        assert drill.judged() == []
    finally:
        drill.close()
        postgres_server.drop(name)


def test_with_redis_that_forgets_hangs_and_dies(tmp_path, keys_of_today, database, redis_server, nursery):
    """Redis rings the bell and holds nothing: emptied, hanging or dead, posting answers at once and every case ends."""
    drill = Drill(tmp_path, keys_of_today, database, nursery, redis_url=redis_server.url)
    try:
        for place in ("work", "sign", "post", "people"):
            drill.start(place)
        for trouble in (redis_server.forget, redis_server.pause, redis_server.go_on, redis_server.stop):
            for _ in range(2):
                drill.order()
            time.sleep(0.7)
            redis_server.forget() if trouble == redis_server.stop else None
            trouble()
            for _ in range(2):
                drill.order()
            time.sleep(1.5)
        drill.until_settled(45)
        redis_server.start()
        for _ in range(3):
            drill.order()
        drill.until_settled(45)
        took = [ack["took"] for ack in drill.acks()]
        print(f"posting took at most {max(took):.2f} s over {len(took)} cases")
        assert drill.judged() == []
        assert max(took) < 3
    finally:
        drill.close()
