"""The report: how long each row took, against its standard; as a page and as CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response

from service.desk import reports
from service.desk.sessions import SIGNS
from service.web import teken
from service.web.desk.files import csv_file
from service.web.desk.page import PLACES, Place, page, today, words
from service.web.desk.periods import Period, asked
from service.web.desk.routing import STAFF, here, route, saw

if TYPE_CHECKING:
    from service.desk.reports import RowTiming

PLACES.append(Place("desk.report", "chart-bar", "reports.nav", (SIGNS, "admin", "auditor")))
COLUMNS = ("type", "row", "text", "actor", "cases", "standard", "median", "p90", "share")
WIDTH = 320
_DAY_HOURS = 8


@route("/laporan", STAFF)
def report() -> Response:
    """Show a period's times."""
    period = _period()
    found = reports.report(teken(), here().account.office, period.first, period.last)
    saw("report", period=period.text)
    return page("reports.html", period=period, found=found, bars=_bars, spoken=spoken)


@route("/laporan.csv", STAFF)
def report_csv() -> Response:
    """Give the same as a table for a spreadsheet; minutes of working time."""
    office, period, t = here().account.office, _period(), words()
    found = reports.report(teken(), office, period.first, period.last)
    saw("report_csv", period=period.text)
    heads = [t(f"reports.csv_{one}") for one in COLUMNS]
    rows = [[kind.name, row.no, row.text, row.actor, *_figures(row)] for kind in found for row in kind.rows]
    return csv_file(f"laporan-{office}-{period.text}", [heads, *rows])


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


def _period() -> Period:
    return asked(today(), f"{today():%Y-%m}")


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
