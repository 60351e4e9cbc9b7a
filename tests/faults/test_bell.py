"""The bell only saves waiting: lost, endless or unanswered rings change when a step is done, never whether."""

from __future__ import annotations

import threading
import time

import pytest

from service.doorbell import RedisDoorbell
from service.permits import State
from tests.faults.nursery import Nursery
from tests.support.office import client_of, open_office, payload, post, row


@pytest.fixture
def town(tmp_path, keys, redis_server):
    """An office whose worker listens to Redis, but whose poster does not ring."""
    teken = open_office(tmp_path, keys)
    environment = {"TEKEN_HOME": tmp_path, "TEKEN_KEYS": keys, "TEKEN_REDIS_URL": redis_server.url}
    with Nursery() as nursery:
        nursery.spawn("work", {**environment, "TEKEN_POLL_SECONDS": 0.1, "TEKEN_LEASE_SECONDS": 5}, tmp_path / "log")
        yield teken, client_of(teken, "rokan-hilir")
    teken.close()


def accepted(town, upstream_id: str) -> str:
    teken, client = town
    return post(teken, client, payload("rokan-hilir", "sip-perekam-medis", upstream_id)).body["id"]


def numbered_within(town, permit: str, seconds: float) -> float:
    started = time.monotonic()
    while row(town[0], permit).state != State.NUMBERED:
        assert time.monotonic() - started < seconds, row(town[0], permit)
        time.sleep(0.02)
    return time.monotonic() - started


def test_a_lost_ring_costs_a_moment(town):
    numbered_within(town, accepted(town, "UJI-1"), 60)
    assert numbered_within(town, accepted(town, "UJI-2"), 60) < 20


def test_endless_ringing_does_not_hide_a_lost_ring(town, redis_server):
    """Somebody rings all the time for permits that need nothing: the one whose ring was lost is done all the same."""
    numbered_within(town, accepted(town, "UJI-1"), 60)
    bell, over = RedisDoorbell.at(redis_server.url), threading.Event()

    def ring() -> None:
        while not over.is_set():
            if bell.queues["work"].count < 200:
                bell.ring("work", "izn_tidak_perlu")

    ringer = threading.Thread(target=ring)
    ringer.start()
    try:
        time.sleep(1)
        numbered_within(town, accepted(town, "UJI-2"), 60)
    finally:
        over.set()
        ringer.join()
        bell.queues["work"].connection.close()


def test_a_hanging_redis_neither_stops_work_nor_slows_posting(town, redis_server):
    numbered_within(town, accepted(town, "UJI-1"), 60)
    redis_server.pause()
    try:
        numbered_within(town, accepted(town, "UJI-2"), 60)
        assert numbered_within(town, accepted(town, "UJI-3"), 60) < 20
    finally:
        redis_server.go_on()


def test_ringing_a_bell_that_is_away_costs_one_short_wait(redis_server):
    bell = RedisDoorbell.at(redis_server.url)
    redis_server.pause()
    started = time.monotonic()
    for _ in range(20):
        bell.ring("work", "izn_1")
    assert time.monotonic() - started < 8  # twenty waits of half a second would be ten
    redis_server.stop()
    bell.queues["work"].connection.close()
