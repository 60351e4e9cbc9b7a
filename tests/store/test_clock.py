"""The one text form of instants: what is written is read again, it sorts as time does, and nothing else is read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.clock import instant, stamp

moments = st.datetimes(
    min_value=datetime(1000, 1, 2),
    max_value=datetime(9998, 12, 30),
    timezones=st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)


@given(moments)
def test_what_is_written_is_read_again(at):
    assert instant(stamp(at)) == at
    assert instant(stamp(at)).tzinfo is UTC


@given(moments, moments)
def test_texts_sort_as_time_does(one, other):
    assert (stamp(one) < stamp(other)) == (one < other)


@pytest.mark.parametrize(
    "text",
    ["", "2026-11-20", "2026-11-20T02:00:00Z", "2026-11-20T02:00:00.000000", "2026-11-20 02:00:00.000000Z",
     "2026-11-20T02:00:00.000000+", "2026-13-20T02:00:00.000000Z", "2026-11-20T02:00:00,000000z"],
)  # fmt: skip
def test_nothing_else_is_read(text):
    with pytest.raises(ValueError):
        instant(text)
