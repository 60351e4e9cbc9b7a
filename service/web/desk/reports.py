"""The report: how long each row took, against its standard; as a page and as CSV."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from flask import Response, request

from service.desk import reports
from service.errors import BadRequest
from service.people import local_day
from service.web import teken
from service.web.desk.files import csv_file
from service.web.desk.page import PLACES, Place, page, words
from service.web.desk.routing import STAFF, here, route, saw

if TYPE_CHECKING:
    from service.desk.reports import RowTiming

PLACES.append(Place("desk.report", "chart-bar", "reports.nav", ("kepala_dinas", "admin", "auditor")))
COLUMNS = ("type", "row", "text", "actor", "cases", "standard", "median", "p90", "share")
WIDTH = 320
PERIOD = re.compile(r"(2[01]\d\d)(?:-(0[1-9]|1[0-2]))?", re.ASCII)
_BAR, _DAY_HOURS = 12, 8


@dataclass(frozen=True, slots=True)
class Period:
    """A month or a year, as the address says it."""

    text: str
    first: date
    last: date

    @classmethod
    def of(cls, text: str, today: date) -> Period:
        """Read "2026-11" or "2026"; nothing means this month. Raises BadRequest."""
        found = PERIOD.fullmatch(text or f"{today:%Y-%m}")
        if found is None:
            raise BadRequest("query_invalid")
        year, month = int(found[1]), int(found[2] or 0)
        last = date(year, month, monthrange(year, month)[1]) if month else date(year, 12, 31)
        return cls(found[0], date(year, month or 1, 1), last)


@route("/laporan", STAFF)
def report() -> Response:
    """Show a period's times."""
    office = teken().offices.office(here().account.office)
    today = local_day(office, teken().clock.now())
    period = Period.of(request.args.get("masa", ""), today)
    found = reports.report(teken(), office.code, period.first, period.last)
    saw("report", period=period.text)
    months = [f"{today.year - (today.month <= back):04}-{(today.month - back - 1) % 12 + 1:02}" for back in range(12)]
    return page("reports.html", period=period, found=found, months=months, year=today.year, bars=_bars, spoken=spoken)


@route("/laporan.csv", STAFF)
def report_csv() -> Response:
    """Give the same as a table for a spreadsheet; minutes of working time."""
    office = teken().offices.office(here().account.office)
    period = Period.of(request.args.get("masa", ""), local_day(office, teken().clock.now()))
    found, t = reports.report(teken(), office.code, period.first, period.last), words()
    saw("report_csv", period=period.text)
    heads = [t(f"reports.csv_{one}") for one in COLUMNS]
    rows = [[kind.name, row.no, row.text, row.actor, *_figures(row)] for kind in found for row in kind.rows]
    return csv_file(f"laporan-{office.code}-{period.text}", [heads, *rows])


def spoken(minutes: float | None) -> str:
    """Return "2 hari 3 jam" of working minutes; a day has eight hours."""
    t = words()
    if minutes is None:
        return t("reports.none")
    whole = round(minutes)
    days, rest = divmod(whole, _DAY_HOURS * 60)
    hours, left = divmod(rest, 60)
    parts = [(days, "reports.days"), (hours, "reports.hours"), (left if not days else 0, "reports.minutes")]
    said = [t(key, n=value) for value, key in parts if value]
    return " ".join(said[:2]) or t("reports.minutes", n=0)


def _figures(row: RowTiming) -> list[str]:
    timing = row.timing
    minutes = (row.standard, timing.median, timing.p90)
    shown = ["" if one is None else f"{one:.0f}" for one in minutes]
    return [str(timing.cases), *shown, "" if timing.on_time is None else f"{timing.on_time:.4f}"]


def _bars(row: RowTiming) -> dict[str, float]:
    """Return the widths of the bars of one row: median, nine tenths, and where the standard stands."""
    most = max(row.timing.p90 or 0, (row.standard or 0) * 1.1, 1)
    widths = {"median": row.timing.median or 0, "p90": row.timing.p90 or 0, "standard": row.standard or 0}
    return {name: round(value / most * WIDTH, 1) for name, value in widths.items()}
