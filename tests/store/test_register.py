"""The register and the journal: gapless, each number once, voids keep their entry, chains hold under concurrent writers."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from sqlalchemy import select

from service import journal, pipeline, register
from service.canonical import GENESIS
from service.checkpoint import Notary, read
from service.corrections import withdraw
from service.journal import Entry
from service.register import ClockBehind
from service.store.tables import register as entries
from service.store.tables import series
from tests.support.office import OFFICES, payload, post

OFFICE, KIND = OFFICES.office("rokan-hilir"), OFFICES.permit_type("rokan-hilir", "sip-perekam-medis")
YEARLY = "rokan-hilir/nakes/sip-perekam-medis/2026"


def allot(world, permit: str, day: date = date(2026, 11, 20)):
    with world.teken.db.write() as connection:
        at = world.clock.now()
        return register.allot(connection, OFFICE, KIND, permit=permit, place=1, day=day, by="uji", at=at)


def book(world, name: str = YEARLY) -> list:
    with world.teken.db.read() as connection:
        walked = list(register.walk(connection, name))
        assert all(sound for _, sound in walked)
        counter = connection.execute(select(series).where(series.c.name == name)).one()
    rows = [row for row, _ in walked]
    assert (counter.entries, counter.head) == (len(rows), rows[-1].hash if rows else GENESIS)
    return rows


def test_numbers_run_from_one_and_a_permit_keeps_its_own(world):
    first, second = world.accepted("UJI-1"), world.accepted("UJI-2")
    assert [allot(world, permit).no for permit in (first, second, first)] == [1, 2, 1]
    assert [(row.kind, row.no, row.permit) for row in book(world)] == [("allot", 1, first), ("allot", 2, second)]


def test_a_void_keeps_the_entry_and_the_number_is_never_reused(world):
    first, second = world.accepted("UJI-1"), world.accepted("UJI-2")
    allot(world, first)
    with world.teken.db.write() as connection:
        args = {"permit": first, "by": "uji", "reason": "withdrawn", "at": world.clock.now()}
        assert register.void(connection, **args).no == 1
        assert register.void(connection, **args) is None
        assert register.void(connection, **{**args, "permit": second}) is None
    assert allot(world, second).no == 2
    assert [(row.kind, row.no) for row in book(world)] == [("allot", 1), ("void", 1), ("allot", 2)]


def test_a_rolled_back_number_leaves_no_gap(world):
    first, second = world.accepted("UJI-1"), world.accepted("UJI-2")
    with pytest.raises(ZeroDivisionError), world.teken.db.write() as connection:  # noqa: PT012 - the fault is inside
        at = world.clock.now()
        register.allot(connection, OFFICE, KIND, permit=first, place=1, day=date(2026, 11, 20), by="uji", at=at)
        raise ZeroDivisionError
    assert allot(world, second).no == 1
    assert len(book(world)) == 1


def test_each_period_and_scope_has_its_own_series(world):
    permits = [world.accepted(f"UJI-{n}") for n in range(3)]
    days = (date(2026, 12, 31), date(2027, 1, 1), date(2027, 1, 1))
    got = [allot(world, permit, day) for permit, day in zip(permits, days, strict=True)]
    assert [(one.series[-4:], one.no) for one in got] == [("2026", 1), ("2027", 1), ("2027", 2)]
    anestesi = OFFICES.permit_type("rokan-hilir", "sip-penata-anestesi")
    names = {register.series_name(OFFICE, kind, date(2026, 1, 1)) for kind in (KIND, anestesi)}
    assert len(names) == 2, "this office counts each type apart"


def test_a_clock_that_goes_back_stops_the_series_but_not_the_office(world):
    permits = [world.accepted(f"UJI-{n}") for n in range(3)]
    allot(world, permits[0], date(2026, 11, 20))
    with pytest.raises(ClockBehind):
        allot(world, permits[1], date(2026, 11, 19))
    assert allot(world, permits[1], date(2026, 11, 20)).no == 2
    assert allot(world, permits[0], date(2026, 1, 1)).no == 1, "a permit that has its number is not asked"


def test_the_number_step_waits_for_the_clock(world):
    first, second = world.drafted("UJI-1"), world.drafted("UJI-2")
    pipeline.advance(world.teken, "work", first)
    world.clock.forward(days=-1)
    assert pipeline.advance(world.teken, "work", second)
    assert (world.row(second).fault, world.row(second).number) == ("clock_behind", None)
    world.clock.forward(days=2)
    pipeline.advance(world.teken, "work", second)
    assert (world.row(first).number_no, world.row(second).number_no) == (1, 2)


def test_the_register_date_is_the_offices_own_day(world):
    """01:00 in Jakarta on New Year's Day is still December in UTC."""
    world.clock.at = world.clock.at.replace(month=12, day=31, hour=18)
    permit = world.drafted("UJI-1")
    pipeline.advance(world.teken, "work", permit)
    assert (world.row(permit).set_on, world.row(permit).series[-4:]) == ("2027-01-01", "2027")


def test_twelve_writers_make_one_chain_without_gaps(world):
    ids = [world.accepted(f"UJI-{n}") for n in range(12)]
    with ThreadPoolExecutor(12) as pool:
        numbers = [one.no for one in pool.map(lambda permit: allot(world, permit), ids)]
    assert sorted(numbers) == list(range(1, 13))
    assert [row.no for row in book(world)] == list(range(1, 13))


def test_a_reader_of_the_feed_misses_nothing_and_sees_it_in_order(world, tmp_path):
    """Sequence numbers become visible in their order: a reader that asks for what comes after n never finds n - 1 later."""
    notary, seen, writing = Notary.at(tmp_path / "key"), [], threading.Event()

    def write(number: int) -> None:
        for turn in range(10):
            with world.teken.db.write() as connection:
                entry = Entry("uji", "rokan-hilir", world.client.id, None, {"n": number, "turn": turn})
                journal.append(connection, notary, world.clock.now(), entry)

    def follow() -> None:
        while not writing.is_set() or more():
            pass

    def more() -> bool:
        with world.teken.db.read() as connection:
            found = journal.feed(connection, world.client.id, seen[-1]["seq"] if seen else 0, 7)
        seen.extend(found)
        return bool(found)

    reader = threading.Thread(target=follow)
    reader.start()
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(6)))
    writing.set()
    reader.join()
    assert [event["seq"] for event in seen] == list(range(1, 61))
    assert len({event["id"] for event in seen}) == 60
    with world.teken.db.read() as connection:
        assert all(sound for _, sound in journal.walk(connection))
    last = read(seen[-1]["checkpoint"], notary.verifier)
    assert last.length == 60


def test_withdrawal_voids_the_number_and_keeps_the_entry(world):
    permit = world.drafted("UJI-1")
    pipeline.advance(world.teken, "work", permit)
    for _ in range(2):
        assert withdraw(world.teken, world.client, permit, "pemohon pindah")["state"] == "closed"
    assert [(row.kind, row.no) for row in book(world)] == [("allot", 1), ("void", 1)]


def test_the_database_itself_refuses_a_second_number(world):
    """Even a faulty program can't give one permit two numbers, or one number to two permits."""
    first, second = world.accepted("UJI-1"), world.accepted("UJI-2")
    allot(world, first)
    (row,) = book(world)
    for change in ({"permit": second}, {"no": 2, "number": "x"}):
        with pytest.raises(Exception, match=r"(?i)unique"), world.teken.db.write() as connection:
            connection.execute(entries.insert().values(**{**row._mapping, "seq": 2, **change}))


def test_the_same_case_of_two_clients_is_two_cases(world):
    from tests.support.office import client_of

    other = client_of(world.teken, "rokan-hilir")
    body = payload("rokan-hilir", "sip-perekam-medis", "SAMA")
    assert post(world.teken, world.client, body).body["id"] != post(world.teken, other, body).body["id"]
