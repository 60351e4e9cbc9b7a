"""The survey's results for the office: index, grade, elements; as a page and as CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Response

from service.desk import survey
from service.desk.sessions import COUNTER, REGISTRAR, SIGNS
from service.skm import ELEMENTS
from service.web import teken
from service.web.desk.files import csv_file
from service.web.desk.page import page, today, words
from service.web.desk.periods import asked
from service.web.desk.routing import here, only, route, saw

if TYPE_CHECKING:
    from decimal import Decimal

READERS = only(SIGNS, COUNTER, REGISTRAR, "admin", "auditor")


@route("/survei", READERS)
def skm_results() -> Response:
    """Show a period's index and grade, element by element."""
    office = here().account.office
    period = asked(today(), str(today().year))
    found = survey.results(teken(), office, period.text)
    saw("survey.results", period=period.text)
    types = {kind.code: kind.name for kind in teken().offices.types(office)}
    shown: dict[str, Any] = {"period": period, "types": types, "codes": ELEMENTS}
    return page("skm_results.html", found=found, few=survey.FEW, width=_width, **shown)


@route("/survei.csv", READERS)
def skm_csv() -> Response:
    """Give the same as a table for a spreadsheet."""
    t, office, period = words(), here().account.office, asked(today(), str(today().year)).text
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


def _width(mean: Decimal) -> float:
    """Return the length of a bar of at most 100 for a mean of 1 to 4."""
    return round(float(mean) / 4 * 100, 1)
