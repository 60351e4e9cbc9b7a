"""The SOPs' own times on posted cases: when the whole case is due, by whose clock."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert

from service.clock import SetClock
from service.deadlines import deadlines
from service.sop.standard import minutes_of
from service.store.desk_tables import holidays
from tests.support.office import OFFICES, client_of, open_office, payload, post, row

MALANG, HULU = ("malang", "sik-perekam-medis"), ("rokan-hulu", "surat-izin-perekam-medik")
WIB = ZoneInfo("Asia/Jakarta")
THURSDAY = datetime(2026, 11, 19, 9, 0, tzinfo=WIB)
FRIDAY = datetime(2026, 11, 20, 10, 0, tzinfo=WIB)


def due(tmp_path, keys, kind, *, off=()) -> datetime:
    """When the case is due whose first row was done on Thursday at 9 and whose file was complete on Friday at 10."""
    teken = open_office(tmp_path, keys, clock=SetClock(FRIDAY.astimezone(UTC)))
    body = payload(*kind, complete_at=FRIDAY.isoformat())
    for one in body["attested"]:
        one["at"] = THURSDAY.isoformat()
    permit = post(teken, client_of(teken, kind[0]), body).body["id"]
    with teken.db.write() as connection:
        for day in off:
            connection.execute(insert(holidays).values(**holiday(kind[0], day)))
    with teken.db.read() as connection:
        now = row(teken, permit)
        total = deadlines(connection, now, teken.pins.open(now.pin))["total"]
    teken.close()
    return datetime.fromisoformat(total)


def holiday(office: str, day: date) -> dict:
    given = {"office": office, "day": day.isoformat(), "name": "Cuti bersama", "decision": "SKB-1"}
    wanted = {column.name for column in holidays.columns if not column.nullable} - {"id"}
    return {**{name: "-" for name in wanted - given.keys()}, **given}


def test_malangs_rows_add_up_to_its_seven_days():
    """4 hari + 24 jam, of eight-hour days, is what the SOP calls 7 hari kerja."""
    procedure = OFFICES.permit_type(*MALANG).procedure
    assert procedure.total_minutes == minutes_of("7 hari kerja") == 7 * 480
    rows = [one.standard_minutes for one in procedure.rows]
    assert sum(one or 0 for one in rows) == procedure.total_minutes


def test_malangs_seven_working_days_begin_with_the_first_row(tmp_path, keys):
    """Seven working days after Thursday 9.00, over two weekends: Monday of the week after next, 9.00."""
    assert due(tmp_path, keys, MALANG) == datetime(2026, 11, 30, 9, 0, tzinfo=WIB)


def test_rokan_hulus_five_working_days_begin_when_the_file_is_complete(tmp_path, keys):
    assert due(tmp_path, keys, HULU) == datetime(2026, 11, 27, 10, 0, tzinfo=WIB)


@pytest.mark.parametrize(
    ("off", "until"),
    [
        ([date(2026, 11, 25)], datetime(2026, 11, 30, 10, 0, tzinfo=WIB)),
        ([date(2026, 11, 25), date(2026, 11, 26)], datetime(2026, 12, 1, 10, 0, tzinfo=WIB)),
        ([date(2026, 11, 22)], datetime(2026, 11, 27, 10, 0, tzinfo=WIB)),  # a Sunday is none the freer for it
    ],
    ids=["one", "two", "sunday"],
)
def test_a_holiday_that_is_decided_meanwhile_counts(tmp_path, keys, off, until):
    assert due(tmp_path, keys, HULU, off=off) == until
