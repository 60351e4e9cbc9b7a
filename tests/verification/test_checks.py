"""Places at the inspector: never more than there are, fair to who asks rarely, and quick to say no."""

from __future__ import annotations

import threading
import time

import pytest

from service.errors import Busy
from service.settings import Settings
from service.verification.checks import Checks, ChecksBusy


def test_never_more_at_once_than_places():
    checks, inside, most = Checks(2, 40, patience=60), [], []
    lock = threading.Lock()

    def check(number):
        with checks.let_in(str(number)), checks.turn(str(number)):
            with lock:
                inside.append(number)
                most.append(len(inside))
            time.sleep(0.01)
            with lock:
                inside.remove(number)

    threads = [threading.Thread(target=check, args=(number,)) for number in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 30
    assert max(most) == 2
    assert (checks._here, checks._running, checks._waiting) == ({}, {}, [])


def test_one_asker_gets_half_of_the_places():
    checks = Checks(1, 4)
    with checks.let_in("flood"), checks.let_in("flood"):
        with pytest.raises(ChecksBusy), checks.let_in("flood"):
            pass
        with checks.let_in("citizen"), checks.let_in("other"), pytest.raises(ChecksBusy), checks.let_in("late"):
            pass


def test_who_can_not_be_told_apart_has_no_share():
    checks = Checks(1, 4)
    with checks.let_in(""), checks.let_in(""), checks.let_in(""), checks.let_in(""):
        pass


def test_a_turn_does_not_wait_for_ever():
    checks = Checks(1, 4, patience=0.05)
    with checks.turn("a"), pytest.raises(ChecksBusy) as busy, checks.turn("b"):
        pass
    assert (busy.value.status, busy.value.retry_after) == (503, 10)
    assert isinstance(busy.value, Busy)
    with checks.turn("b"):
        pass


def test_who_has_none_running_goes_first():
    checks, order = Checks(2, 9, patience=60), []
    let_go = threading.Event()

    def check(asker):
        with checks.turn(asker):
            order.append(asker)
            let_go.wait(60)

    threads = []
    for asker in ("flood", "flood", "flood", "flood", "citizen"):
        threads.append(threading.Thread(target=check, args=(asker,)))
        threads[-1].start()
        while len(order) + len(checks._waiting) < len(threads):
            time.sleep(0.001)
    with checks._change:
        assert [one[0] for one in checks._waiting] == ["flood", "flood", "citizen"]
        checks.at_once = 3
        checks._change.notify_all()
    while len(order) < 3:
        time.sleep(0.001)
    let_go.set()
    for thread in threads:
        thread.join()
    assert order[2] == "citizen"


def test_a_place_is_given_back_whatever_happens():
    checks = Checks(1, 1)
    for _ in range(3):
        with pytest.raises(ValueError, match="x"), checks.let_in("a"), checks.turn("a"):
            raise ValueError("x")


def test_the_setting_says_how_many():
    assert Checks.of(Settings(checks=5)).at_once == 5
    assert 1 <= Checks.of(Settings()).at_once <= 3
