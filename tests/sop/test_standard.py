"""Standard times and working-time arithmetic."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.sop.model import Calendar
from service.sop.standard import StandardInvalid, due_at, minutes_of, worked

WIB = ZoneInfo("Asia/Jakarta")
OFFICE = Calendar(
    timezone="Asia/Jakarta",
    opens=time(7, 30),
    closes=time(16),
    hours_per_day=8,
    workdays=(1, 2, 3, 4, 5),
    holidays=frozenset({date(2026, 12, 25)}),
)


def at(day, hour, minute=0, month=11):
    return datetime(2026, month, day, hour, minute, tzinfo=WIB)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("30 menit", 30),
        ("2 jam", 120),
        ("4 hari", 1920),
        ("0 hari kerja", 0),
        ("1 hari kerja", 480),
        ("7 hari kerja", 3360),
    ],
)
def test_minutes(text, minutes):
    assert minutes_of(text) == minutes


@pytest.mark.parametrize(
    "text", ["", "4", "hari", "4 Hari", "-1 hari", "1.5 jam", "1  jam", " 1 jam", "1 minggu", "٣ jam", "1 hari kerja\n"]
)
def test_not_a_standard_time(text):
    with pytest.raises(StandardInvalid):
        minutes_of(text)


def test_a_shorter_day():
    assert minutes_of("2 hari", hours_per_day=7) == 840


# 2026-11-23 is a Monday
@pytest.mark.parametrize(
    ("start", "minutes", "due"),
    [
        (at(23, 9), 15, at(23, 9, 15)),
        (at(23, 9), 0, at(23, 9)),
        (at(23, 6), 60, at(23, 8, 30)),  # before opening: counts from opening
        (at(23, 15), 60, at(24, 8)),  # over night
        (at(23, 15, 45), 30, at(24, 8)),  # the break is what is left until closing
        (at(23, 7, 30), 480, at(23, 15, 30)),  # a full day ends on that day
        (at(23, 10), 4 * 480, at(27, 10)),  # 4 hari kerja: the same time on Friday
        (at(26, 10), 2 * 480, at(30, 10)),  # over the weekend
        (at(28, 10), 15, at(30, 7, 45)),  # came in on Saturday
        (at(24, 10, month=12), 480, at(28, 10, month=12)),  # Christmas is a Friday
    ],
)
def test_due(start, minutes, due):
    assert due_at(start, minutes, OFFICE) == due


def test_the_answer_is_in_the_offices_zone():
    wit = replace(OFFICE, timezone="Asia/Jayapura")
    due = due_at(datetime.fromisoformat("2026-11-22T23:30:00+00:00"), 60, wit)
    assert due.isoformat() == "2026-11-23T09:30:00+09:00"


def test_a_return_stops_the_clock():
    pause = (at(23, 10), at(24, 9))
    assert due_at(at(23, 9), 120, OFFICE, [pause]) == at(24, 10)
    assert due_at(at(23, 9), 60, OFFICE, [pause]) == at(23, 10)
    assert due_at(at(23, 9), 120, OFFICE, [(at(23, 10), None)]) is None
    assert worked(at(23, 9), at(25, 9), OFFICE, [(at(23, 10), None)]) == timedelta(hours=1)


def test_overlapping_and_empty_pauses():
    pauses = [(at(23, 10), at(23, 12)), (at(23, 11), at(23, 13)), (at(23, 14), at(23, 14)), (at(23, 9, 30), at(23, 10))]
    assert due_at(at(23, 9), 60, OFFICE, pauses) == at(23, 13, 30)


MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)).map(
    lambda moment: moment.replace(second=0, microsecond=0, tzinfo=WIB)
)
MINUTES = st.integers(0, 20 * 480)
PAUSES = st.lists(st.tuples(MOMENTS, st.integers(0, 10_000)), max_size=4).map(
    lambda pairs: [(begin, begin + timedelta(minutes=minutes)) for begin, minutes in pairs]
)
CALENDARS = st.builds(
    Calendar,
    timezone=st.sampled_from(["Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"]),
    opens=st.sampled_from([time(7), time(7, 30), time(8)]),
    closes=st.just(time(16)),
    hours_per_day=st.integers(1, 8),
    workdays=st.sets(st.integers(1, 7), min_size=1).map(sorted).map(tuple),
    holidays=st.frozensets(st.dates(date(2026, 1, 1), date(2027, 3, 1)), max_size=20),
)


@given(MOMENTS, MINUTES, CALENDARS, PAUSES)
def test_due_is_the_first_moment_at_which_the_time_is_worked(start, minutes, calendar, pauses):
    due = due_at(start, minutes, calendar, pauses)
    assert due >= start
    assert worked(start, due, calendar, pauses) == timedelta(minutes=minutes)
    if minutes:
        just_before = due - timedelta(minutes=1)
        assert worked(start, just_before, calendar, pauses) == timedelta(minutes=minutes - 1)


@given(MOMENTS, MINUTES.filter(bool), CALENDARS, PAUSES)
def test_due_falls_in_office_hours_outside_holidays_and_pauses(start, minutes, calendar, pauses):
    due = due_at(start, minutes, calendar, pauses)
    assert calendar.opens < due.time() <= calendar.closes
    assert due.isoweekday() in calendar.workdays
    assert due.date() not in calendar.holidays
    assert not any(begin < due <= end for begin, end in pauses)


@given(MOMENTS, MINUTES, MINUTES, CALENDARS)
def test_due_times_add_up(start, first, second, calendar):
    assert due_at(due_at(start, first, calendar), second, calendar) == due_at(start, first + second, calendar)


@given(MOMENTS, MINUTES, CALENDARS, PAUSES)
def test_the_zone_of_the_question_does_not_matter(start, minutes, calendar, pauses):
    assert due_at(start, minutes, calendar, pauses) == due_at(
        start.astimezone(ZoneInfo("UTC")), minutes, calendar, pauses
    )
