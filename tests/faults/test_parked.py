"""Poison, outages and operators: one bad permit stops nobody else, nothing is silently stuck (I1)."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from contextlib import contextmanager

import pytest
from sqlalchemy import select

from service import acts, pipeline, queries
from service.errors import StateForbids
from service.permits import State
from service.steps import STEPS
from service.store import StoreBusy
from service.store.tables import events
from tests.faults.nursery import Nursery
from tests.support.office import TYPES, client_of, open_office, payload, play, post, row, take_turn


def attempts(world, queue: str = "work", seconds: float = 61) -> None:
    """Let the worker try until nothing is due any more, leases and waits included."""
    for _ in range(20):
        pipeline.drain(world.teken, queue)
        world.clock.forward(seconds=seconds)


def told(world, permit: str) -> list[str]:
    with world.teken.db.read() as connection:
        return list(
            connection.execute(select(events.c.type).where(events.c.permit == permit).order_by(events.c.seq)).scalars()
        )


def dies(_teken, _work):
    """What a SIGKILL leaves behind: a claim, and no word."""
    raise SystemExit(9)


def drain_as_mortals(world) -> None:
    """Workers that die at the step are replaced by the next."""
    for _ in range(30):
        try:
            if not pipeline.drain(world.teken, "work"):
                world.clock.forward(seconds=61)
        except SystemExit:
            world.clock.forward(seconds=61)


def test_a_permit_that_kills_its_worker_is_parked_and_the_others_flow(world, monkeypatch):
    poison, sound = world.accepted("UJI-RACUN"), [world.accepted(f"UJI-{n}") for n in range(3)]
    real, deaths = STEPS["assemble"], []

    def assemble(teken, work):
        if work.row.id == poison:
            deaths.append(work.claim.attempts)
            dies(teken, work)
        return real(teken, work)

    monkeypatch.setitem(STEPS, "assemble", assemble)
    drain_as_mortals(world)
    assert deaths == [1, 2, 3, 4, 5]
    row = world.row(poison)
    assert (row.state, row.fault) == (State.PARKED, "worker_died")
    assert {world.row(permit).state for permit in sound} == {State.NUMBERED}
    assert [one["fault"] for one in queries.waiting(world.teken, "rokan-hilir") if one["id"] == poison] == [
        "worker_died"
    ]


def test_a_parked_permit_comes_back_where_it_stuck(world, monkeypatch):
    permit = world.accepted()
    with monkeypatch.context() as patch:
        patch.setitem(STEPS, "number", dies)
        drain_as_mortals(world)
    assert world.row(permit).state == State.PARKED
    assert acts.resume_parked(world.teken, permit)["state"] == State.DRAFTED
    with pytest.raises(StateForbids):
        acts.resume_parked(world.teken, permit)
    play(world.teken, permit)
    row = world.row(permit)
    assert (row.state, row.number_no, row.fault) == (State.IN_FORCE, 1, None)


def test_a_permit_parked_at_the_signature_is_signed_after_resuming(world, monkeypatch):
    permit = world.accepted()
    play(world.teken, permit, until=State.NUMBERED)
    take_turn(world.teken, permit)
    with monkeypatch.context() as patch:
        patch.setitem(STEPS, "sign", _refuses)
        attempts(world, "sign")
    row = world.row(permit)
    assert (row.state, row.fault, row.parked_from) == (State.PARKED, "internal:RuntimeError", State.SIGNING)
    assert acts.resume_parked(world.teken, permit)["state"] == State.SIGNING
    play(world.teken, permit)
    assert world.row(permit).state == State.IN_FORCE


@pytest.mark.heavy
@pytest.mark.parametrize("step", ["notify", "archive"])
@pytest.mark.parametrize("how", ["it fails", "it kills"])
def test_an_issued_permit_that_sticks_stays_in_force_and_is_shown(world, monkeypatch, step, how):
    """What follows issue may stick; the permit is in force all the same, and its worker lives."""
    permit, other = world.accepted("UJI-1"), world.accepted("UJI-2")
    with monkeypatch.context() as patch:
        patch.setitem(STEPS, step, dies if how == "it kills" else _refuses)
        for one in (permit, other):
            play_mortally(world, one)
        drain_as_mortals(world)
    for one in (permit, other):
        row = world.row(one)
        assert (row.state, row.queue) == (State.IN_FORCE, "none")
        assert row.fault == ("worker_died" if how == "it kills" else "internal:RuntimeError")
        assert one in {item["id"] for item in queries.waiting(world.teken, "rokan-hilir")}
        assert told(world, one)[-1] == "permit.parked"
    assert acts.resume_parked(world.teken, permit)["state"] == State.IN_FORCE
    play(world.teken, permit)
    assert told(world, permit)[-1] == "permit.handed_over"
    with pytest.raises(StateForbids):
        acts.resume_parked(world.teken, permit)


def play_mortally(world, permit: str) -> None:
    while world.row(permit).state != State.IN_FORCE:
        try:
            play(world.teken, permit, until=State.IN_FORCE)
        except SystemExit:
            world.clock.forward(seconds=61)


def test_a_busy_database_is_nobodys_fault(world, monkeypatch):
    """However long it is busy: no permit is parked for it, and the next try comes soon."""
    permit = world.accepted()
    busy = {"left": 12}

    def number(teken, work):
        if busy["left"]:
            busy["left"] -= 1
            raise StoreBusy("LockNotAvailable")
        return real(teken, work)

    real = STEPS["number"]
    monkeypatch.setitem(STEPS, "number", number)
    attempts(world, seconds=10)
    row = world.row(permit)
    assert (row.state, row.number_no) == (State.NUMBERED, 1)


@contextmanager
def locked(path):
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        blocker.execute("ROLLBACK")
        blocker.close()


def test_a_worker_outlives_a_locked_database(tmp_path, keys):
    """The real worker.py, with the file locked for longer than it waits: it tries again and does not end."""
    teken = open_office(tmp_path, keys)
    client = client_of(teken, "rokan-hilir")
    with Nursery() as nursery:
        environment = {
            "TEKEN_HOME": tmp_path,
            "TEKEN_KEYS": keys,
            "TEKEN_BUSY_SECONDS": 0.2,
            "TEKEN_LEASE_SECONDS": 2,  # what it holds when the file is locked it cannot even put back: the lease has to end
            "TEKEN_POLL_SECONDS": 0.05,
        }
        worker = nursery.spawn("work", environment)
        first, second = (payload("rokan-hilir", "sip-perekam-medis", f"UJI-{n}") for n in (1, 2))
        _until_numbered(teken, post(teken, client, first).body["id"])
        permit = post(teken, client, second).body["id"]
        with locked(tmp_path / "teken.db"):
            time.sleep(1)
            assert nursery.alive(worker)
        _until_numbered(teken, permit)
        os.kill(worker, signal.SIGTERM)
        assert nursery.wait(worker, 60) == 0
    teken.close()


def test_a_worker_stands_back_for_the_web_process(tmp_path, keys):
    """A tray of a thousand takes no turn from the people at the desk, on the same cores."""
    teken = open_office(tmp_path, keys)
    ours = os.getpriority(os.PRIO_PROCESS, 0)
    with Nursery() as nursery:
        environment = {"TEKEN_HOME": tmp_path, "TEKEN_KEYS": keys, "TEKEN_POLL_SECONDS": 0.05}
        worker = nursery.spawn("work", {**environment, "TEKEN_WORKER_NICE": 3})
        _until_numbered(teken, post(teken, client_of(teken, "rokan-hilir"), payload(*TYPES[0])).body["id"])
        assert os.getpriority(os.PRIO_PROCESS, worker) == min(ours + 3, 19)
    teken.close()


def test_a_worker_that_starts_before_the_database_waits_for_it(tmp_path, keys, postgres_server):
    """A machine starts in any order: until PostgreSQL answers, the worker waits and does not end."""
    name = postgres_server.create()
    teken = open_office(tmp_path, keys, database=postgres_server.url(name))
    permit = post(teken, client_of(teken, "rokan-hilir"), payload("rokan-hilir", "sip-perekam-medis")).body["id"]
    teken.close()
    postgres_server.stop()
    try:
        with Nursery() as nursery:
            environment = {"TEKEN_HOME": tmp_path, "TEKEN_KEYS": keys, "TEKEN_DATABASE_URL": postgres_server.url(name)}
            worker = nursery.spawn("work", {**environment, "TEKEN_POLL_SECONDS": 0.05})
            time.sleep(1.5)
            assert nursery.alive(worker)
            postgres_server.start()
            _until_numbered(teken, permit)
    finally:
        if postgres_server.process is None:
            postgres_server.start()
    teken.close()
    postgres_server.drop(name)


def _until_numbered(teken, permit: str) -> None:
    deadline = time.monotonic() + 60
    while row(teken, permit).state != State.NUMBERED:
        assert time.monotonic() < deadline, row(teken, permit)
        time.sleep(0.05)


def _refuses(_teken, _work):
    raise RuntimeError("refused")
