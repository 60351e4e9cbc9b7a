"""Guesses that come at once are judged one by one: nobody gets more tries by trying faster."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from service.app import create_app
from service.clock import SetClock
from service.desk import holder, sessions, throttle
from service.desk.sessions import Caller, LoginWrong
from service.errors import TekenError, TooMany
from tests.desk.people import PASSWORD, Desk
from tests.support.office import NOW, open_office

OFFICE = "kudus"
AT_ONCE = 24


@pytest.fixture
def town(tmp_path, keys, database):
    teken = open_office(tmp_path, keys, clock=SetClock(NOW), database=database)
    yield Desk(teken, teken.clock, create_app(teken))
    teken.close()


def all_at_once(guess) -> list[type]:
    """What each of many guesses that begin together is answered."""
    ready = threading.Barrier(AT_ONCE)

    def one(_: int) -> type:
        ready.wait()
        try:
            guess()
        except TekenError as refused:
            return type(refused)
        return type(None)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, range(AT_ONCE)))


def test_passwords(town):
    person, stranger = town.employ(OFFICE, "pemroses_1"), Caller("198.51.100.7")
    answers = all_at_once(lambda: sessions.log_in(town.teken, person.login, "salah sekali", stranger))
    assert (answers.count(LoginWrong), answers.count(TooMany)) == (throttle.FREE_TRIES, AT_ONCE - throttle.FREE_TRIES)
    with pytest.raises(TooMany):
        sessions.log_in(town.teken, person.login, PASSWORD, stranger)


def test_codes(town):
    person, caller = town.employ(OFFICE, "pemroses_1"), Caller("198.51.100.7")
    token = sessions.log_in(town.teken, person.login, PASSWORD, caller)
    answers = all_at_once(lambda: sessions.confirm(town.teken, token, "000000", caller))
    assert (answers.count(LoginWrong), answers.count(TooMany)) == (throttle.FREE_TRIES, AT_ONCE - throttle.FREE_TRIES)


def test_tickets(town):
    answers = all_at_once(lambda: holder.enter(town.teken, "ABCD-2345", "1990-01-01", "198.51.100.7"))
    free = holder.FREE_FOR_TICKET
    assert (answers.count(holder.HolderUnknown), answers.count(TooMany)) == (free, AT_ONCE - free)
