"""The face for the public: a code in, a plain answer out. No login, no script, one request, nothing from elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, redirect, request

from service.codes import normalised
from service.verification import PermitState, by_code
from service.web import public, teken, verify_page
from service.web.answers import as_json
from service.web.verify_openapi import OPENAPI_PATHS
from service.web.verify_words import LANGUAGES

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

    from service.verification import PermitAnswer

__all__ = ["OPENAPI_PATHS", "verify"]

STATUS = {PermitState.UNKNOWN: 404, PermitState.UNDETERMINED: 503}
RETRY_SECONDS = "30"
LONGEST_TYPED = 200

verify = Blueprint("verify", __name__, template_folder="templates")


@verify.get("/V/<code>", strict_slashes=False)
@verify.get("/v/<code>", strict_slashes=False)
def read_code(code: str) -> Response:
    """Answer the address in the QR. Issued addresses work for ever."""
    return _answered(by_code(teken(), code[:LONGEST_TYPED], at=teken().clock.now()))


@verify.get("/")
@verify.get("/V", strict_slashes=False)
@verify.get("/v", strict_slashes=False)
def type_code() -> AnyResponse:
    """Show the form, also at the bare host that the paper names; a typed code goes on to its own address, which can be kept and shared."""
    typed = request.args.get("kode", "").strip()[:LONGEST_TYPED]
    if not typed:
        return _page(None)
    code = normalised(typed)
    if code is None:
        return read_code(typed)
    lang = public.asked_language()
    query = "" if lang == LANGUAGES[0] else f"?lang={lang}"
    return redirect(f"{request.script_root}/V/{code}{query}", 303)


@verify.get("/api/v1/verify/<code>")
def code_as_json(code: str) -> Response:
    """Answer the same for a program."""
    answer = by_code(teken(), code[:LONGEST_TYPED], at=teken().clock.now())
    return _told(as_json(answer.as_dict(), STATUS.get(answer.state, 200)), answer)


def _answered(answer: PermitAnswer) -> Response:
    response = _page(answer)
    response.status_code = STATUS.get(answer.state, 200)
    return _told(response, answer)


def _told(response: Response, answer: PermitAnswer) -> Response:
    if answer.state is PermitState.UNDETERMINED:
        response.headers["Retry-After"] = RETRY_SECONDS
    return public.private(response)


def _page(answer: PermitAnswer | None) -> Response:
    permit = answer.permit if answer else None
    office = permit.office if permit else public.host_office()
    said = public.tongue(office)
    shown: dict[str, Any] = {"panel": verify_page.panel(answer, said)} if answer else {}
    if permit:
        shown |= {"facts": list(verify_page.facts(permit, said)), "record": verify_page.record(permit, said)}
    return public.page("verify.html", office, answer=answer, permit=permit, **shown)
