"""Identifiers that grow with time: they sort as they were made, never meet, and look as the contract says."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from service.growing_ids import growing_id
from service.store.tables import events

MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2300, 1, 1), timezones=st.just(UTC))


@given(MOMENTS, st.integers(10_000, 10**15))
def test_later_is_greater(at, microseconds):
    later = at + timedelta(microseconds=microseconds)
    assert growing_id("izn", 20, at) < growing_id("izn", 20, later)


@given(MOMENTS)
def test_the_next_hundredth_is_greater_for_every_hundredth(at):
    """Seconds as a float times a hundred lie below the whole number for one in fifteen."""
    at = at.replace(microsecond=at.microsecond // 10_000 * 10_000)
    assert growing_id("izn", 20, at)[:14] < growing_id("izn", 20, at + timedelta(milliseconds=10))[:14]


@given(MOMENTS, st.sampled_from([("izn", 20), ("evt", 24)]))
def test_it_looks_as_it_always_did(at, kind):
    prefix, digits = kind
    assert re.fullmatch(f"{prefix}_[0-9a-f]{{{digits}}}", growing_id(prefix, digits, at))


def test_a_clock_before_1970_makes_ids_all_the_same():
    assert re.fullmatch(r"izn_[0-9a-f]{20}", growing_id("izn", 20, datetime(1969, 7, 20, tzinfo=UTC)))


def test_at_one_instant_no_two_are_alike():
    at = datetime(2026, 11, 20, tzinfo=UTC)
    assert len({growing_id("izn", 20, at) for _ in range(2_000)}) == 2_000


def test_permits_and_events_lie_in_the_order_of_time(world):
    """Else each new row of a million touches pages of its own in every index."""
    accepted = []
    for number in range(6):
        accepted.append(world.accepted(f"UJI-{number}"))
        world.clock.forward(seconds=1)
    assert accepted == sorted(accepted)
    with world.teken.db.read() as connection:
        told = list(connection.execute(select(events.c.id).order_by(events.c.seq)).scalars())
    assert told == sorted(told)
    assert len(told) >= 6
