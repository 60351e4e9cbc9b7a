"""Importing applications from a sheet: the template, the report by row and column, and its confirmation by a second person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, redirect, request, url_for

from service.desk import entry, imports
from service.desk.entrylist import IMPORT
from service.desk.imports import Report
from service.desk.sheets import MOST_BYTES, MOST_ROWS
from service.errors import Fault, Invalid, NotFound
from service.web import teken
from service.web.desk.entry import actors, fault_text, label, sections
from service.web.desk.files import file
from service.web.desk.page import language, page
from service.web.desk.routing import STAFF, here, route, saw
from service.web.problems import plain

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

    from service.desk.questions import Question

FORMS = ("csv", "xlsx")


@route("/permohonan/impor", STAFF, methods=("GET", "POST"))
def import_form() -> AnyResponse:
    """Take a sheet and show what is right and wrong in it."""
    kinds = entry.entering(teken(), here())
    if request.method == "GET":
        return page("import.html", kinds=kinds, chosen="", faults=[], rows=MOST_ROWS)
    code, session = request.form.get("jenis", ""), here()
    entry.type_of(teken(), session, code)
    try:
        report = _report(code)
    except Invalid as refused:
        saw("import.read", outcome=refused.code)
        faults = [plain(one, language())["detail"] for one in refused.faults]
        return page("import.html", status=refused.status, kinds=kinds, chosen=code, faults=faults, rows=MOST_ROWS)
    if not report.sound:
        saw("import.read", outcome=Invalid.code)
        return _shown(report, None, status=Invalid.status)
    proposal = imports.propose(teken(), session, report)
    return redirect(url_for("desk.import_report", proposal=proposal), 303)


@route("/permohonan/impor/contoh/<code>.<form>", STAFF)
def import_template(code: str, form: str) -> Response:
    """Give a type's empty sheet, as CSV or XLSX."""
    if form not in FORMS:
        raise NotFound
    kind = entry.type_of(teken(), here(), code)
    return file(imports.template(kind, form, title), f"permohonan-{kind.code}.{form}")


@route("/permohonan/impor/<proposal>", STAFF)
def import_report(proposal: str) -> Response:
    """Show the report of an import."""
    found = imports.found(teken(), here(), proposal)
    saw("import.seen", proposal=proposal)
    return _shown(found.report, found)


@route("/permohonan/impor/<proposal>/baris/<int:line>", STAFF)
def import_row(proposal: str, line: int) -> Response:
    """Show all that a row says, to be checked against the papers."""
    found = imports.found(teken(), here(), proposal)
    row = next((one for one in found.report.sound if one.line == line), None)
    if row is None:
        raise NotFound
    saw("import.row_seen", found.permits.get(row.upstream_id), proposal=proposal, line=line)
    return page(
        "import_row.html",
        found=found,
        row=row,
        sections=sections(found.report.kind, row.answers, (), [fault for _, fault in row.warnings]),
        ticket=entry.photo_ticket(teken(), here().account.office, row.photo) if row.photo else "",
        actors=actors(found.report.kind),
    )


@route("/permohonan/impor/<proposal>/setujui", STAFF, methods=("POST",))
def import_confirm(proposal: str) -> AnyResponse:
    """Accept the sound rows."""
    imports.confirm(teken(), here(), proposal)
    return redirect(url_for("desk.import_report", proposal=proposal), 303)


@route("/permohonan/impor/<proposal>/tolak", STAFF, methods=("POST",))
def import_decline(proposal: str) -> AnyResponse:
    """Decline an import, or take one's own back."""
    entry.decline(teken(), here(), proposal, IMPORT, reason=request.form.get("alasan", ""))
    return redirect(url_for("desk.import_report", proposal=proposal), 303)


def title(one: Question) -> str:
    """Return what a column is called."""
    return label(one)


def _report(code: str) -> Report:
    sent = request.files.get("berkas")
    if sent is None or not sent.filename:
        raise Invalid(faults=(Fault("/berkas", "required"),))
    photos = {one.filename: one.read() for one in request.files.getlist("foto") if one.filename}
    return imports.judge(teken(), here(), code, sent.read(MOST_BYTES + 1), photos)


def _shown(report: Report, found: imports.Found | None, *, status: int = 200) -> Response:
    names = {one.name: label(one) for one in imports.columns(report.kind)}
    return page("import_report.html", status=status, report=report, found=found, names=names, say=fault_text)
