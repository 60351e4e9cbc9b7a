"""Claim, lease and fence: one worker at a time, and whoever lost the claim writes nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from service import pipeline
from service.permits import TRANSITIONS, State
from service.steps import STEPS, Work
from service.store import StoreBusy
from service.store.permits import Lost, TransitionForbidden, change, claim, fenced, lock
from service.store.tables import events, permits, register
from service.wiring import remember

LEASE = timedelta(seconds=60)


def take(world, permit=None, queue="work"):
    with world.teken.db.write() as connection:
        return claim(connection, queue, world.clock.now(), LEASE, permit)


def count(world, table) -> int:
    with world.teken.db.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_a_claimed_permit_is_nobody_elses_until_the_lease_ends(world):
    permit = world.accepted()
    assert take(world) is not None
    assert take(world) is None
    assert take(world, permit) is None
    world.clock.forward(seconds=61)
    assert take(world, permit) is not None


def test_attempts_are_counted_before_the_work(world):
    permit = world.accepted()
    for attempt in (1, 2, 3):
        held, _ = take(world)
        assert (held.attempts, world.row(permit).attempts) == (attempt, attempt)
        world.clock.forward(seconds=61)


def test_ten_workers_never_hold_the_same_permit(world):
    ids = {world.accepted(f"UJI-{n}") for n in range(6)}
    with ThreadPoolExecutor(10) as pool:
        taken = [one[0].permit for one in pool.map(lambda _: take(world), range(10)) if one]
    assert sorted(taken) == sorted(ids)


def test_a_claim_of_another_queue_takes_nothing(world):
    permit = world.accepted()
    assert take(world, permit, "sign") is None
    assert take(world, "izn_unknown") is None


@pytest.mark.parametrize("how", ["another worker took it", "a person moved it"])
def test_a_lost_claim_writes_nothing(world, how):
    permit = world.drafted("UJI-0001")
    held, row = take(world, permit)
    if how == "another worker took it":
        world.clock.forward(seconds=61)
        take(world, permit)
    else:
        with world.teken.db.write() as connection:
            change(connection, lock(connection, permit), world.clock.now())
    before = (world.row(permit), count(world, events))
    work = Work(held, row, world.teken.pins.open(row.pin))
    with pytest.raises(Lost):
        STEPS["number"](world.teken, work)
    assert (world.row(permit), count(world, events), count(world, register)) == (*before, 0)


def test_a_worker_that_comes_late_may_still_finish_if_nobody_took_over(world):
    permit = world.drafted("UJI-0001")
    held, row = take(world, permit)
    world.clock.forward(seconds=3600)
    STEPS["number"](world.teken, Work(held, row, world.teken.pins.open(row.pin)))
    assert world.row(permit).number_no == 1


def test_every_change_frees_the_lease_and_moves_the_fence(world):
    permit = world.accepted()
    held, _ = take(world, permit)
    with world.teken.db.write() as connection:
        after = change(connection, fenced(connection, held), world.clock.now(), fault="x")
    assert (after.lease_until, after.attempts, after.fence) == ("", 0, held.fence + 1)
    with pytest.raises(Lost), world.teken.db.write() as connection:
        fenced(connection, held)


def test_only_the_tables_transitions_happen(world):
    permit = world.accepted()
    allowed = TRANSITIONS[State.RECEIVED] | {State.RECEIVED}
    for state in State:
        if state in allowed:
            continue
        with pytest.raises(TransitionForbidden), world.teken.db.write() as connection:
            change(connection, lock(connection, permit), world.clock.now(), state=state)
    assert world.row(permit).state == State.RECEIVED


def test_only_what_is_due_and_unclaimed_is_taken(world):
    first, second, third = (world.accepted(f"UJI-{n}") for n in range(3))
    take(world, first)
    with world.teken.db.write() as connection:
        later = (world.clock.now() + timedelta(seconds=5)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        change(connection, lock(connection, second), world.clock.now(), due_at=later)
    assert take(world)[0].permit == third
    assert take(world) is None
    world.clock.forward(seconds=61)
    assert {take(world)[0].permit for _ in range(3)} == {first, second, third}


def test_one_ring_does_what_is_due_for_its_permit_and_for_others(world, monkeypatch):
    """Of a tray of many, one ring has to arrive; a ring for what is not there, or is done, wakes all the same."""
    monkeypatch.setattr(pipeline, "RING_SECONDS", 60)
    remember(world.teken)
    all_three = [world.accepted(f"UJI-{n}") for n in range(3)]
    pipeline.answer("work", all_three[1])
    assert {world.row(permit).state for permit in all_three} == {"numbered"}
    last = world.accepted("UJI-3")
    pipeline.answer("work", "izn_tidak_ada")
    assert world.row(last).state == "numbered"


def test_a_ring_while_the_database_is_away_fails_no_job(world, monkeypatch):
    remember(world.teken)
    permit = world.accepted()
    with monkeypatch.context() as patch:
        patch.setattr(type(world.teken.db), "write", _away)
        pipeline.answer("work", permit)
    pipeline.answer("work", permit)
    assert world.row(permit).state == "numbered"


def _away(_database):
    raise StoreBusy


def test_a_clock_that_went_back_leaves_nobody_waiting_for_a_year(world):
    """The host's clock was a year ahead for a moment: what was written then must not wait for that year."""
    world.clock.forward(days=365)
    left = world.accepted("UJI-1")
    claimed = world.accepted("UJI-2")
    take(world, claimed)
    world.clock.forward(days=-365)
    world.clock.forward(seconds=61)
    assert pipeline.drain(world.teken, "work") > 0
    states = {world.row(permit).state for permit in (left, claimed)}
    assert states == {State.NUMBERED}


def test_a_failed_step_waits_longer_each_time_and_is_then_parked(world, monkeypatch):
    permit = world.accepted()
    monkeypatch.setitem(STEPS, "assemble", _fails)
    settings = world.teken.settings.model_copy(update={"retry_seconds": 8.0, "max_attempts": 3})
    object.__setattr__(world.teken, "settings", settings)
    for attempt, least in ((1, 6), (2, 12)):
        assert pipeline.advance(world.teken, "work")
        row = world.row(permit)
        assert (row.attempts, row.fault, row.state) == (attempt, "internal:RuntimeError", State.RECEIVED)
        assert not pipeline.advance(world.teken, "work"), "it waits"
        world.clock.forward(seconds=least - 1)
        assert not pipeline.advance(world.teken, "work"), "it still waits"
        world.clock.forward(seconds=least)
    assert pipeline.advance(world.teken, "work")
    row = world.row(permit)
    assert (row.state, row.queue, row.parked_from) == (State.PARKED, "none", State.RECEIVED)
    with world.teken.db.read() as connection:
        last = connection.execute(select(events).order_by(events.c.seq.desc())).first()
    assert last.type == "permit.parked"


def _fails(_teken, _work):
    raise RuntimeError("a fault of the program")


def test_no_permit_is_touched_by_the_wrong_queue(world):
    world.accepted()
    assert pipeline.drain(world.teken, "sign") == 0
    with world.teken.db.read() as connection:
        assert connection.execute(select(permits.c.attempts)).scalar_one() == 0
