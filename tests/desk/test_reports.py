"""The report says what really happened: working time by row, the SOP's standards, only one's own office."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta

import pytest

from service import acts
from service.desk.reports import Timing, report
from service.sop.model import Verb
from tests.desk.shelf import Upstream, until
from tests.support.office import client_of, holder, payload, play, post, row, take_turn, work

KUDUS = ("kudus", "sip-perekam-medis")
MONDAY = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)  # eight o'clock in western Indonesia


def played(desk, kind, upstream_id, *, hours, days=0):
    """A case in which every person takes some hours of the clock."""
    client = client_of(desk.teken, kind[0])
    permit = post(desk.teken, client, payload(*kind, upstream_id)).body["id"]
    work(desk.teken)
    while take_turn_later(desk, permit, hours, days):
        work(desk.teken)
    return permit


def take_turn_later(desk, permit, hours, days):
    if row(desk.teken, permit).queue != "person":
        return False
    desk.clock.forward(hours=hours, days=days)
    return take_turn(desk.teken, permit)


def of_type(desk, office, type_, first=date(2026, 11, 1), last=date(2026, 11, 30)):
    return next(one for one in report(desk.teken, office, first, last) if one.code == type_)


def test_each_row_has_its_own_working_time(desk):
    desk.clock.at = MONDAY
    played(desk, KUDUS, "UJI-1", hours=0.5)
    found = of_type(desk, *KUDUS)
    timed = {one.no: one.timing for one in found.rows if one.timing.cases}
    assert timed[6].median == pytest.approx(30, abs=0.1), "the first reading, half an hour after the draft"
    assert timed[6].on_time == 1.0, "the SOP gives a day"
    assert found.whole.cases == 1


def test_nights_and_weekends_do_not_count(desk):
    desk.clock.at = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)  # Friday, three o'clock in the afternoon
    client = client_of(desk.teken, KUDUS[0])
    permit = post(desk.teken, client, payload(*KUDUS, "UJI-1")).body["id"]
    work(desk.teken)
    desk.clock.at = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # Monday, nine o'clock
    assert take_turn(desk.teken, permit)
    calendar = desk.teken.offices.office("kudus").calendar
    friday = (calendar.opens.hour + calendar.hours_per_day) * 60 + calendar.opens.minute - 15 * 60
    monday = 9 * 60 - calendar.opens.hour * 60 - calendar.opens.minute
    timing = next(one.timing for one in of_type(desk, *KUDUS).rows if one.no == 6)
    assert timing.median == pytest.approx(max(friday, 0) + monday, abs=0.1)


def test_the_time_in_which_a_case_was_returned_does_not_count(desk):
    desk.clock.at = MONDAY
    client, body = client_of(desk.teken, KUDUS[0]), payload(*KUDUS, "UJI-1")
    permit = post(desk.teken, client, body).body["id"]
    work(desk.teken)
    who = holder(desk.teken, "kudus", "sub_koordinator")
    desk.clock.forward(hours=1)
    acts.give_back(desk.teken, who, permit, reason="foto kurang jelas")
    desk.clock.forward(hours=3)
    post(desk.teken, client, body | {"applicant": body["applicant"] | {"tempat_lahir": "Demak"}})
    work(desk.teken)
    desk.clock.forward(hours=1)
    assert take_turn(desk.teken, permit)
    timing = next(one.timing for one in of_type(desk, *KUDUS).rows if one.no == 6)
    assert timing.median <= 2 * 60 + 1


def test_another_month_and_another_office_say_nothing_of_it(desk):
    desk.clock.at = MONDAY
    played(desk, KUDUS, "UJI-1", hours=0.1)
    assert of_type(desk, *KUDUS, date(2026, 10, 1), date(2026, 10, 31)).whole.cases == 0
    assert of_type(desk, "rokan-hilir", KUDUS[1]).whole.cases == 0, "a type of the same code"


def test_what_was_done_counts_in_the_month_in_which_it_was_done(desk):
    desk.clock.at = MONDAY
    permit = until(desk.teken, Upstream(desk.teken, KUDUS).send(), Verb.HANDOVER)
    desk.clock.at = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
    while take_turn(desk.teken, permit):
        work(desk.teken)
    november, december = of_type(desk, *KUDUS), of_type(desk, *KUDUS, date(2026, 12, 1), date(2026, 12, 31))
    assert (november.whole.cases, december.whole.cases) == (1, 0), "it was issued in November"
    in_november, in_december = ({row.no for row in one.rows if row.timing.cases} for one in (november, december))
    assert 6 in in_november
    assert in_december
    assert not in_november & in_december


def test_where_the_sop_counts_from_its_first_row_a_week_before_is_a_week_more(desk):
    kind = next(one for one in desk.teken.offices if one.procedure.clock != "complete")
    desk.clock.at = MONDAY
    office = Upstream(desk.teken, (str(kind.office), str(kind.code)))
    attested = payload(*office.kind)["attested"]
    earlier = [
        one | {"at": (datetime.fromisoformat(one["at"]) - timedelta(days=7)).isoformat()} for one in attested[:1]
    ]
    for number, given in enumerate((attested, earlier + attested[1:])):
        play(desk.teken, office.send(number, attested=given))
    whole = of_type(desk, *office.kind).whole
    week = 5 * 60 * desk.teken.offices.office(office.kind[0]).calendar.hours_per_day
    assert (whole.cases, whole.p90 - whole.median) == (2, pytest.approx(week, abs=1))


def test_percentiles_are_cases_that_happened():
    timing = Timing.of([10, 20, 30, 40, 50, 60, 70, 80, 90, 1000], 60)
    assert (timing.cases, timing.median, timing.p90, timing.on_time) == (10, 50, 90, 0.6)
    assert Timing.of([7], None) == Timing(1, 7, 7, None)
    assert Timing.of([], 60) == Timing(0, None, None, None)


def test_the_page_and_the_table_say_the_same(desk):
    desk.clock.at = MONDAY
    played(desk, KUDUS, "UJI-1", hours=0.5)
    head = desk.at_work("kudus", "koordinator")
    head.get("/meja/laporan")
    assert head.status == 200
    assert "30 menit" in head.text
    head.get("/meja/laporan.csv")
    assert head.headers["Cache-Control"] == "private, no-store"
    rows = list(csv.reader(io.StringIO(head.page.removeprefix("\ufeff")), delimiter=";"))
    verifying = next(one for one in rows if one[1] == "6")
    assert verifying[4:7] == ["1", "480", "30"]


@pytest.mark.parametrize("period", ["2026-13", "kemarin", "0000", "99999-01"])
def test_a_period_that_is_none_is_refused(desk, period):
    head = desk.at_work("kudus", "koordinator")
    head.get("/meja/laporan", query_string={"masa": period})
    assert head.status == 400


def test_the_kudus_reading_is_a_reading(desk):
    assert [act.verb for act in desk.teken.offices.permit_type(*KUDUS).procedure.plan if act.row == 6] == [Verb.VERIFY]
