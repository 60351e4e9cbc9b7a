"""The auditor's screens: the audit and its report, who saw and did what, and the journal of a permit."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

from flask import Response, redirect, request, url_for

from service.desk import audits
from service.desk.accounts import of_office
from service.errors import BadRequest, NotFound
from service.web import teken
from service.web.desk import page as frame
from service.web.desk.files import csv_file, file
from service.web.desk.page import Place, page, problem_title, words
from service.web.desk.routing import here, only, route, saw

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

AUDITOR = only("auditor")
frame.PLACES.append(Place("desk.auditing", "shield-check", "auditor.nav", ("auditor",)))
LINES = 100
SHOWN = 200
"""Violations on the page; the report has all."""


@route("/audit", AUDITOR)
def auditing() -> Response:
    """Show whether all is intact, as the last audit found it."""
    found = audits.standing(teken(), here().account.office)
    saw("audit.seen")
    response = page("audit.html", found=found, shown=SHOWN)
    if found.running:
        response.headers["Refresh"] = "5"
    return response


@route("/audit/mulai", AUDITOR, methods=("POST",))
def audit_begin() -> AnyResponse:
    """Start an audit of the own office."""
    audits.begin(teken(), here().account)
    saw("audit.begun")
    return redirect(url_for("desk.auditing"), 303)


@route("/audit/laporan.json", AUDITOR)
def audit_report() -> Response:
    """Give the report with the journal's signed checkpoint of that moment."""
    report = audits.standing(teken(), here().account.office).report
    if report is None:
        raise NotFound
    saw("audit.report_taken")
    text = json.dumps(asdict(report), ensure_ascii=False, indent=2) + "\n"
    return file(text, f"audit-{report.office}-{report.finished_at[:10]}.json")


@route("/audit/catatan", AUDITOR)
def audit_log() -> Response:
    """Show who saw and did what."""
    asked, names = _asked(), _names()
    before = request.args.get("sebelum", type=int)
    lines = audits.lines(teken(), here().account.office, **asked, before=before, most=LINES + 1)
    saw("audit.log_seen")
    more = lines[LINES - 1].id if len(lines) > LINES else None
    told = [_told(line, names) for line in lines[:LINES]]
    return page("audit_log.html", lines=told, more=more, names=names, asked=request.args, why=problem_title)


@route("/audit/catatan.csv", AUDITOR)
def audit_log_csv() -> Response:
    """Give the same as a table for a spreadsheet."""
    names, t = _names(), words()
    lines = audits.lines(teken(), here().account.office, **_asked(), most=audits.MOST_LINES)
    saw("audit.log_taken")
    heads = [t(f"auditor.csv_{one}") for one in ("at", "by", "account", "action", "permit", "outcome", "detail")]
    rows = ((x.at, names.get(x.account, ""), x.account, x.action, x.permit, x.outcome, x.detail) for x in lines)
    return csv_file(f"catatan-{here().account.office}", [heads, *rows])


@route("/audit/jurnal/<permit>", AUDITOR)
def audit_journal(permit: str) -> Response:
    """Show the events of a permit as the journal has them."""
    found = audits.events_of(teken(), here(), permit)
    saw("audit.journal_seen", permit)
    return page("audit_journal.html", events=found, permit=permit, dumps=json.dumps)


def _asked() -> dict[str, Any]:
    day = request.args.get("hari", "")
    try:
        chosen = date.fromisoformat(day) if day else None
    except ValueError:
        raise BadRequest("query_invalid") from None
    return {"permit": request.args.get("izin", "").strip(), "account": request.args.get("akun", ""), "day": chosen}


def _names() -> dict[str, str]:
    return {account.id: account.name for account, _ in of_office(teken(), here().account.office)}


def _told(line: Any, names: dict[str, str]) -> dict[str, Any]:
    shown = {"at": line.at, "by": names.get(line.account, line.account), "permit": line.permit}
    return {**shown, "action": line.action, "outcome": line.outcome}
