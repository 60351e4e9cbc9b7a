"""The face for a file: a page with one form, `/periksa`, and `POST /api/v1/verify`. No log-in, no script, nothing is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import structlog
from flask import Blueprint, Response, current_app, request

from service import problems
from service.errors import TekenError
from service.metrics import counted
from service.verification import PermitState, by_code, verify_file
from service.verification.checks import Checks, ChecksBusy
from service.web import check_page, public, teken, uploads
from service.web.answers import as_json
from service.web.problems import MACHINE_PATHS, told, worded
from service.web.sources import source

if TYPE_CHECKING:
    from flask.blueprints import BlueprintSetupState

    from service.verification import FileAnswer, PermitAnswer

_SIZES = ((100_000, "under 100 kB"), (1_000_000, "under 1 MB"))
_log = structlog.get_logger("teken.web")

check = Blueprint("check", __name__, template_folder="templates")


@check.record
def _places(state: BlueprintSetupState) -> None:
    state.app.extensions["checks"] = Checks.of(state.app.extensions["teken"].settings)


@check.get("/periksa", strict_slashes=False)
def form() -> Response:
    """Show the form."""
    _checks().prepare()
    return _page()


@check.post("/periksa", strict_slashes=False)
def result() -> Response:
    """Say what a file is worth, and apart from it what its permit is worth."""
    answer = _answer("page")
    return _page(answer, _permit(answer))


@check.post("/api/v1/verify")
def result_as_json() -> Response:
    """Answer the same for a program: every verdict is a good answer, with status 200."""
    return public.private(as_json(_answer("api").as_dict()))


@check.errorhandler(TekenError)
def _refused(error: TekenError) -> Response:
    if isinstance(error, ChecksBusy):
        counted.checks_refused.inc()
    if request.path.startswith(MACHINE_PATHS):
        return told(error)
    words = problems.problem(worded(error), error.params, public.asked_language())
    response = _page(refusal={"tone": "wait", "icon": "query", "word": words.title, "text": words.advice})
    response.status_code = error.status
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _answer(form: str) -> FileAnswer:
    checks, asker = _checks(), source(request.remote_addr)
    share = "" if asker.local else asker.address
    with checks.let_in(share), counted.checks_inside.track_inprogress():
        checks.prepare()
        pdf = uploads.pdf()
        answer = verify_file(teken(), pdf, turn=checks.turn(share))
    size = next((name for most, name in _SIZES if len(pdf) < most), "more")
    counted.verifications.labels(form, "file", str(answer.verdict)).inc()
    _log.info("file_checked", verdict=str(answer.verdict), reasons=list(answer.reasons), size=size)
    return answer


def _permit(answer: FileAnswer) -> PermitAnswer | None:
    """The permit of a genuine file, as its own page would show it."""
    if answer.code is None or answer.verdict not in check_page.GENUINE:
        return None
    found = by_code(teken(), answer.code, at=teken().clock.now())
    return found if found.permit or found.state is PermitState.UNDETERMINED else None


def _page(answer: FileAnswer | None = None, permit: PermitAnswer | None = None, **shown: Any) -> Response:
    office = permit.permit.office if permit and permit.permit else public.host_office()
    said = public.tongue(office)
    if answer is not None:
        shown |= check_page.shown(answer, permit, said, teken().clock.now())
    return public.page("check.html", office, "check.css", t=check_page.words(said.code), answer=answer, **shown)


def _checks() -> Checks:
    return cast("Checks", current_app.extensions["checks"])
