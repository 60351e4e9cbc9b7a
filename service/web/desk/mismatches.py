"""What citizens report, at the desk of the office that answers: the list, one report, and its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Response, redirect, request, url_for

from service.codes import grouped
from service.desk import mismatch
from service.desk.sessions import COUNTER, REGISTRAR, SIGNS
from service.errors import Invalid
from service.web import teken
from service.web.desk.page import COUNTS, PLACES, Place, fault_words, page
from service.web.desk.routing import here, only, route, saw

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

HANDLE = (COUNTER, REGISTRAR, SIGNS, "admin")
READ = (*HANDLE, "auditor")
HANDLERS, READERS = only(*HANDLE), only(*READ)
ENDED = "selesai"
ANSWERED = "dijawab"
TONES = {"new": "wait", "seen": "info", "answered": "good", "closed": ""}
PLACES.append(Place("desk.mismatches", "message-circle", "mismatch.nav", (COUNTER, REGISTRAR, "admin", "auditor")))


@route("/aduan", READERS)
def mismatches() -> Response:
    """List the office's reports: those that wait, or those that are done."""
    ended, number = request.args.get("lihat") == ENDED, request.args.get("hal", 1, type=int)
    found, more = mismatch.listed(teken(), here(), ended=ended, page=number)
    saw("mismatch.listed")
    shown: dict[str, Any] = {"found": found, "ended": ended, "tones": TONES}
    return page("mismatches.html", **shown, number=max(number, 1), pages=max(number, 1) + more)


@route("/aduan/<reference>", READERS)
def mismatch_one(reference: str) -> Response:
    """Show one report."""
    found = mismatch.opened(teken(), here(), reference, handles=here().is_one_of(*HANDLE))
    saw("mismatch.seen", found.permit, report=found.id)
    return _one(found)


@route("/aduan/<reference>/selesai", HANDLERS, methods=("POST",))
def mismatch_end(reference: str) -> AnyResponse:
    """End a report."""
    note, answered = request.form.get("catatan", ""), request.form.get("hasil") == ANSWERED
    try:
        mismatch.end(teken(), here(), reference, answered=answered, note=note)
    except Invalid as refused:
        return _one(mismatch.opened(teken(), here(), reference, handles=True), refused)
    return redirect(url_for("desk.mismatches"), 303)


def _one(found: mismatch.Report, refused: Invalid | None = None) -> Response:
    handles = here().is_one_of(*HANDLE)
    shown: dict[str, Any] = {"report": found, "tones": TONES, "handles": handles, "most": mismatch.LONGEST_NOTE}
    shown |= {"faults": fault_words(refused) if refused else {}, "typed": request.form, "grouped": grouped}
    return page("mismatch.html", status=refused.status if refused else 200, **shown)


COUNTS["desk.mismatches"] = lambda session: mismatch.waiting(teken(), session)
