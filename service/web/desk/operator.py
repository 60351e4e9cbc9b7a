"""The screen of whoever keeps the service running: everything parked, late or running out, with the act that helps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Response, redirect, request, url_for

from service import problems
from service.desk import operator
from service.web import teken
from service.web.desk.page import COUNTS, PLACES, Place, language, page, words
from service.web.desk.routing import here, only, route, saw

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

KEEPERS = only(*operator.OPERATORS)
TONES = {
    "late": "bad",
    "parked": "bad",
    "endpoint": "bad",
    "unsettled": "bad",
    "certificate": "wait",
    "failing": "wait",
}
_ANSWERED = "http_"
DONE = ("resumed", "renewed", "reopened", "told", "examining")
PLACES.append(
    Place("desk.operating", "list-check", "operator.nav", ("operator",))
)  # an admin finds it among his own pages
COUNTS["desk.operating"] = lambda session: operator.waiting(teken(), session)


@route("/pemantauan", KEEPERS)
def operating() -> Response:
    """Show what waits, and how the house is."""
    session, done = here(), request.args.get("usai", "")
    found, house = operator.groups(teken(), session), operator.house(teken(), session)
    saw("operator.seen")
    shown: dict[str, Any] = {
        "found": found,
        "house": house,
        "tones": TONES,
        "why": why,
        "done": done if done in DONE else "",
    }
    return page("operator.html", **shown)


@route("/pemantauan/izin/<permit>/lanjutkan", KEEPERS, methods=("POST",))
def operator_resume(permit: str) -> AnyResponse:
    """Try a parked permit again."""
    operator.resume(teken(), here(), permit)
    return _back("resumed")


@route("/pemantauan/dokumen/<permit>/ulangi", KEEPERS, methods=("POST",))
def operator_renew(permit: str) -> AnyResponse:
    """Try to extend a document again."""
    operator.renew(teken(), here(), permit)
    return _back("renewed")


@route("/pemantauan/tujuan/<target>/lanjutkan", KEEPERS, methods=("POST",))
def operator_reopen(target: str) -> AnyResponse:
    """Send to an endpoint again."""
    operator.reopen(teken(), here(), target)
    return _back("reopened")


@route("/pemantauan/pemberitahuan", KEEPERS, methods=("POST",))
def operator_tell() -> AnyResponse:
    """Send failed notices again."""
    operator.tell_again(teken(), here())
    return _back("told")


@route("/pemantauan/periksa", KEEPERS, methods=("POST",))
def operator_examine() -> AnyResponse:
    """Have the doctor look at this host."""
    operator.examine(teken(), here())
    return _back("examining")


def why(code: str) -> problems.Words:
    """Return what a fault means and what to do; of a cause without words its code, which an operator may look up."""
    t = words()
    if t.has(f"operator.cause.{code}"):
        return problems.Words(t(f"operator.cause.{code}"), "")
    if code.startswith(_ANSWERED):
        return problems.Words(t("operator.answered", status=code.removeprefix(_ANSWERED)), "")
    if code in problems.problem_texts():
        return problems.problem(code, {}, language())
    if code.startswith("internal:"):
        return problems.Words(t("operator.unforeseen", code=code), t("operator.unforeseen_text"))
    return problems.Words(t("operator.because", code=code), "")


def _back(done: str) -> AnyResponse:
    return redirect(url_for("desk.operating", usai=done), 303)
