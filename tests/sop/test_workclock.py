"""The fast clock reads what the slow walk counts, for any calendar, moments and pauses."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.sop.model import Calendar
from service.sop.standard import worked
from service.sop.workclock import WorkClock, days_of

FIRST = datetime(2026, 3, 1, tzinfo=UTC)
moments = st.integers(0, 60 * 24 * 40).map(lambda minutes: FIRST + timedelta(minutes=minutes))
calendars = st.builds(
    Calendar,
    timezone=st.sampled_from(["Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"]),
    opens=st.sampled_from([time(7, 30), time(8, 0)]),
    closes=st.just(time(16, 30)),
    hours_per_day=st.sampled_from([7, 8]),
    workdays=st.sampled_from([(1, 2, 3, 4, 5), (1, 2, 3, 4, 5, 6)]),
    holidays=st.sampled_from([frozenset(), frozenset({date(2026, 3, 19), date(2026, 3, 20), date(2026, 3, 23)})]),
)


@given(calendars, moments, moments, st.lists(st.tuples(moments, moments), max_size=3))
def test_it_reads_what_the_walk_counts(calendar, one, other, spans):
    start, until = min(one, other), max(one, other)
    pauses = [(min(span), max(span)) for span in spans]
    clock = WorkClock.over(calendar, *days_of([start, until]))
    expected = worked(start, until, calendar, pauses)
    assert clock.minutes(start, until, pauses) == pytest.approx(expected.total_seconds() / 60, abs=1e-6)


def test_a_pause_that_is_still_open_lasts_until_the_end():
    calendar = Calendar("Asia/Jakarta", time(8), time(16), 8, (1, 2, 3, 4, 5), frozenset())
    monday = datetime(2026, 3, 2, 1, tzinfo=UTC)  # eight o'clock in Jakarta
    clock = WorkClock.over(calendar, *days_of([monday]))
    noon = monday + timedelta(hours=4)
    assert clock.minutes(monday, noon, [(monday + timedelta(hours=1), None)]) == 60
