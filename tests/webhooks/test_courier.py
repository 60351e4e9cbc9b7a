"""The worker's threads: a receiver that hangs keeps nobody waiting, several hosts send each event once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from service.webhooks import endpoints as webhooks
from service.webhooks.courier import Courier
from service.webhooks.delivery import deliver
from tests.support.office import payload, post, row, work
from tests.support.world import OFFICE, TYPE
from tests.webhooks.house import added, happen, network
from tests.webhooks.receiver import hang, receiving


@contextmanager
def sending(house, *, hosts: int = 1):
    """Couriers of so many hosts at work."""
    couriers = [Courier(house.teken) for _ in range(hosts)]
    for one in couriers:
        one.start()
    try:
        yield
    finally:
        for one in couriers:
            one.stop()


@pytest.mark.heavy
def test_one_that_hangs_delays_neither_others_nor_permits(house):
    with sending(house), receiving(hang) as bad, receiving() as good:
        added(house, bad)
        added(house, good)
        permit = post(house.teken, house.client, payload(OFFICE, TYPE)).body["id"]
        bad.wait(1)
        work(house.teken)
        good.wait(3)
        assert row(house.teken, permit).state != "received"
        assert good.ids[0] == bad.ids[0]
        assert len(bad.got) == 1


def test_several_hosts_send_each_event_once_and_in_order(house):
    with receiving() as receiver:
        added(house, receiver)
        with sending(house, hosts=4), ThreadPoolExecutor(4) as pool:
            for _ in range(20):
                pool.submit(happen, house, "permit.issued", "permit.ready")
            receiver.wait(40)
        assert receiver.ids == happen(house)
        assert len(set(receiver.ids)) == 40


def test_stopping_ends_between_two_letters(house):
    with receiving() as receiver:
        endpoint, _ = added(house, receiver)
        ids = happen(house, *["permit.issued"] * 20)
        stopping = threading.Event()
        receiver.answer = lambda line: (stopping.set(), line.sendall(b"HTTP/1.1 200 OK\r\n\r\n"))
        deliver(house.teken, network(house), endpoint, stopping.is_set)
        assert receiver.ids == ids[:1]
        assert [one["event"] for one in webhooks.tries(house.teken, endpoint)] == ids[:1]
