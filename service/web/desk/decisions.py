"""Decisions on a permit: what was decided, what may be proposed, and the head's list of what waits for him."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, redirect, request, url_for

from service.desk import decisions
from service.desk.decisions import GROUNDS
from service.desk.forms import Form
from service.desk.sessions import SIGNS
from service.errors import Invalid
from service.sop.model import FieldKind
from service.turn import REASON_LENGTH
from service.web import teken
from service.web.desk import page as frame
from service.web.desk.entry import choice_words
from service.web.desk.page import Place, fault_words, page
from service.web.desk.routing import STAFF, here, only, route, saw

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Response as AnyResponse

frame.PLACES.append(Place("desk.decisions_waiting", "file-check", "decisions.nav", (SIGNS,)))
frame.COUNTS["desk.decisions_waiting"] = lambda session: decisions.count(teken(), session)


@route("/keputusan", only(SIGNS))
def decisions_waiting() -> Response:
    """Show what waits for the head's confirmation."""
    saw("decisions.seen")
    return page("decisions.html", entries=decisions.waiting(teken(), here()))


@route("/izin/<permit>/keputusan", STAFF)
def decisions_of(permit: str) -> Response:
    """Show what was and may be decided about a permit."""
    return _shown(permit)


@route("/izin/<permit>/keputusan/<kind>", STAFF, methods=("POST",))
def decision_propose(permit: str, kind: str) -> AnyResponse:
    """Propose a decision."""
    typed = request.form.to_dict()
    try:
        decisions.propose(teken(), here(), permit, f"permit.{kind}", Form(typed))
    except Invalid as refused:
        return _shown(permit, opened=f"permit.{kind}", typed=typed, faults=fault_words(refused), status=refused.status)
    return _back(permit)


@route("/izin/<permit>/perbaikan", STAFF, methods=("GET", "POST"))
def decision_correct(permit: str) -> AnyResponse:
    """Propose a corrected version of the permit."""
    typed, faults, status = None, {}, 200
    if request.method == "POST":
        typed = request.form.to_dict()
        try:
            decisions.propose_correction(teken(), here(), permit, Form(typed))
        except Invalid as refused:
            faults, status = fault_words(refused), refused.status
        else:
            return _back(permit)
    draft = decisions.draft(teken(), here(), permit, typed)
    saw("decision.correct_opened", permit)
    values = {"permit": permit, "reason": (typed or {}).get("alasan", ""), "most": REASON_LENGTH}
    labels = {field.path: field.label for field, _ in draft.fields}
    values |= {"labels": labels, "kinds": FieldKind, "say": choice_words}
    return page("correction.html", status=status, draft=draft, faults=faults, **values)


@route("/izin/<permit>/keputusan/<proposal>/setujui", only(SIGNS), methods=("POST",))
def decision_confirm(permit: str, proposal: str) -> AnyResponse:
    """Carry out, as the head's decision."""
    decisions.confirm(teken(), here(), permit, proposal)
    return _back(permit)


@route("/izin/<permit>/keputusan/<proposal>/tolak", STAFF, methods=("POST",))
def decision_refuse(permit: str, proposal: str) -> AnyResponse:
    """Decline as the head, or take the own proposal back."""
    decisions.refuse(teken(), here(), permit, proposal)
    return _back(permit)


def _shown(
    permit: str,
    *,
    opened: str = "",
    typed: Mapping[str, str] | None = None,
    faults: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    matter = decisions.of_permit(teken(), here(), permit)
    saw("decisions.of_seen", permit)
    values = {"opened": opened, "typed": typed or {}, "faults": faults or {}, "grounds": GROUNDS, "most": REASON_LENGTH}
    return page("decisions_of.html", status=status, matter=matter, **values)


def _back(permit: str) -> AnyResponse:
    return redirect(url_for("desk.decisions_of", permit=permit), 303)
