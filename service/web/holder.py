"""The face for holders, `/izin-saya`: ticket and birth date in; the permit's state, the survey and the file out. No script, no account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, redirect, request, url_for

from service import problems
from service.desk import holder as use
from service.errors import Invalid, TekenError
from service.permits import Standing
from service.verification.offices import face
from service.web import public, teken
from service.web.desk import skm
from service.web.desk.routing import READING, FormOutdated, check_given, cookie, drop, keep
from service.web.desk.words import Words
from service.web.headers import request_id
from service.web.sources import source
from service.web.verify_words import WESTERN

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

    from service.desk.holder import Status
    from service.verification import PublicOffice

COOKIE = "teken_izin"
TONES = {
    Standing.IN_FORCE: "good",
    Standing.EXPIRING: "good",
    Standing.NOT_YET: "wait",
    Standing.SUSPENDED: "wait",
    Standing.REPLACED: "wait",
    Standing.EXPIRED: "past",
    Standing.REVOKED: "bad",
}

holder = Blueprint("holder", __name__, url_prefix="/izin-saya", template_folder="templates")


@holder.route("", methods=("GET", "POST"), strict_slashes=False)
def mine() -> AnyResponse:
    """Ask for ticket and birth date; show where the permit stands."""
    if request.method == "POST":
        ticket, birthday = request.form.get("tiket", "")[:64], request.form.get("lahir", "")[:32]
        token = use.enter(teken(), ticket, birthday, source(request.remote_addr).address)
        return keep(redirect(_to("holder.mine"), 303), COOKIE, token)
    permit = _permit()
    return _page("form") if permit is None else _page("status", permit)


@holder.route("/survei", methods=("GET", "POST"))
def survey() -> AnyResponse:
    """Show the nine questions; take the answers, or the choice not to answer."""
    permit = _permit()
    if permit is None or not use.status(teken(), permit).survey:
        return redirect(_to("holder.mine"), 303)
    return _survey(permit, _to("holder.survey"), _to("holder.mine"))


@holder.route("/survei/<token>", methods=("GET", "POST"))
def bearer_survey(token: str) -> AnyResponse:
    """The same for whoever fetches the paper: the counter showed him this address. It opens the survey and nothing else."""
    permit = use.passed(teken(), token)
    if permit is None:
        return redirect(_to("holder.mine"), 303)
    if not use.status(teken(), permit).survey:
        return _page("thanks", permit)
    address = _to("holder.bearer_survey", token=token)
    return _survey(permit, address, address)


def _survey(permit: str, address: str, after: str) -> AnyResponse:
    if request.method == "GET":
        return _page("survey", permit, given={}, faults={}, address=address)
    choice, given = request.form.get("pilihan", ""), skm.answers(request.form)
    try:
        if choice in {"nanti", "menolak"}:
            use.decline_survey(teken(), permit, later=choice == "nanti")
        else:
            use.fill_survey(teken(), permit, given)
    except Invalid as refused:
        missing = {fault.pointer.removeprefix("/answers/"): _words()("skm.missing") for fault in refused.faults}
        return _page("survey", permit, status=refused.status, given=given, faults=missing, address=address)
    return redirect(after, 303)


@holder.post("/berkas")
def take() -> AnyResponse:
    """Record that the holder takes the file, then give it."""
    permit = _permit()
    if permit is None:
        return redirect(_to("holder.mine"), 303)
    try:
        use.take(teken(), permit)
    except use.SurveyFirst:
        return redirect(_to("holder.survey"), 303)
    return redirect(_to("holder.file"), 303)


@holder.get("/berkas.pdf")
def file() -> AnyResponse:
    """Give the released file to whoever took it just now."""
    permit = _permit()
    if permit is None:
        return redirect(_to("holder.mine"), 303)
    document = use.document(teken(), permit)
    response = Response(document.pdf, mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="{document.filename}"'
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    return response


@holder.post("/selesai")
def leave() -> AnyResponse:
    """Close the permit on this phone."""
    return drop(redirect(_to("holder.mine"), 303), COOKIE)


@holder.before_request
def _gate() -> None:
    """A form is taken from our own pages only, and nothing that no database takes."""
    if request.method not in READING and request.headers.get("Sec-Fetch-Site", "same-origin") not in {
        "same-origin",
        "none",
    }:
        raise FormOutdated
    check_given()


@holder.errorhandler(TekenError)
def _told(error: TekenError) -> Response:
    known = problems.problem_texts()
    code = next(
        one for one in (error.code, *(getattr(kind, "code", "") for kind in type(error).__mro__)) if one in known
    )
    told = problems.problem(code, error.params, public.asked_language())
    stage = "form" if _permit() is None else "told"
    response = _page(stage, status=error.status, told=told, request_id=request_id())
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _permit() -> str | None:
    return use.permit_of(teken(), request.cookies.get(cookie(COOKIE), ""))


def _page(stage: str, permit: str | None = None, *, status: int = 200, **values: Any) -> Response:
    found = use.status(teken(), permit) if permit is not None else None
    office = _office(found)
    t = _words(office)
    shown = {"status": found, "tone": TONES[found.standing] if found else "", "questions": skm.questions(t), **values}
    response = public.page("holder.html", office, "holder.css", t=t, stage=stage, to=_to, **shown)
    response.status_code = status
    return response


def _office(found: Status | None) -> PublicOffice | None:
    return public.host_office() if found is None else face(teken(), teken().offices.office(found.office))


def _words(office: PublicOffice | None = None) -> Words:
    return Words(public.asked_language(), office.timezone if office else WESTERN)


def _to(endpoint: str, **values: str) -> str:
    told: dict[str, Any] = values
    return url_for(endpoint, **told) + public.query()
