"""The survey's results for the office: index, grade, elements; as a page and as CSV."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any

from flask import Response, request

from service.desk import survey
from service.desk.sessions import COUNTER, REGISTRAR, SIGNS
from service.errors import BadRequest
from service.people import local_day
from service.skm import ELEMENTS
from service.web import teken
from service.web.desk.files import csv_file
from service.web.desk.page import page, words
from service.web.desk.routing import here, only, route, saw

if TYPE_CHECKING:
    from decimal import Decimal

READERS = only(SIGNS, COUNTER, REGISTRAR, "admin", "auditor")
PERIOD = re.compile(r"[0-9]{4}(-(0[1-9]|1[0-2]))?")


@route("/survei", READERS)
def skm_results() -> Response:
    """Show a period's index and grade, element by element."""
    office = here().account.office
    period, today = _period(), _today()
    found = survey.results(teken(), office, period)
    saw("survey.results", period=period)
    types = {kind.code: kind.name for kind in teken().offices.types(office)}
    months = [f"{today.year - (today.month <= back):04}-{(today.month - back - 1) % 12 + 1:02}" for back in range(12)]
    shown: dict[str, Any] = {"period": period, "months": months, "year": today.year, "types": types, "codes": ELEMENTS}
    return page("skm_results.html", found=found, few=survey.FEW, width=_width, **shown)


@route("/survei.csv", READERS)
def skm_csv() -> Response:
    """Give the same as a table for a spreadsheet."""
    t, office, period = words(), here().account.office, _period()
    found = survey.results(teken(), office, period)
    saw("survey.csv", period=period)
    rows: list[list[object]] = [[t("skm.period"), period]]
    if found.whole is not None:
        whole = found.whole
        rows += [[t("skm.forms"), whole.forms], [t("skm.index"), str(whole.value)], [t("skm.grade"), whole.grade], []]
        rows.append([t("skm.element"), "", t("skm.mean"), t("skm.index_of"), "1", "2", "3", "4"])
        for code in ELEMENTS:
            mean = whole.elements[code]
            rows.append([code, t(f"skm.{code}.name"), str(mean), str(found.value_of(code)), *found.spread[code]])
    for key, groups in (("skm.month", found.months), ("skm.type", found.types)):
        rows += [[], [t(key), t("skm.forms"), t("skm.index"), t("skm.grade")]]
        rows += [[name, one.forms, str(one.value), one.grade] for name, one in groups]
    return csv_file(f"skm-{office}-{period}", rows)


def _period() -> str:
    """Return "2026-11" or "2026" as asked; nothing means this year. Raises BadRequest."""
    asked = request.args.get("masa", "") or f"{_today().year:04}"
    if PERIOD.fullmatch(asked) is None:
        raise BadRequest("query_invalid")
    return asked


def _today() -> date:
    return local_day(teken().offices.office(here().account.office), teken().clock.now())


def _width(mean: Decimal) -> float:
    """Return the length of a bar of at most 100 for a mean of 1 to 4."""
    return round(float(mean) / 4 * 100, 1)
