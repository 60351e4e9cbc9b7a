"""The face for the public: a code in, a plain answer out. No login, no script, one request, nothing from elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, current_app, redirect, request

from service.codes import CODE_LENGTH, normalised
from service.metrics import counted
from service.verification import PermitState, by_code
from service.verification.holder import HIDDEN
from service.web import public, qr, teken, verify_page, verify_record
from service.web.answers import as_json
from service.web.verify_openapi import OPENAPI_PATHS

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

    from service.verification import PermitAnswer

__all__ = ["OPENAPI_PATHS", "verify"]

STATUS = {PermitState.UNKNOWN: 404, PermitState.UNDETERMINED: 503}
RETRY_SECONDS = "30"
LONGEST_TYPED, LONGEST_CODE = 200, 40
_ANY_CODE = "0" * CODE_LENGTH
NOBODY = "0"
"""Stands in the address for what was typed without a letter or digit in it."""

verify = Blueprint("verify", __name__, template_folder="templates")


@verify.get("/V/<path:code>", strict_slashes=False)
@verify.get("/v/<path:code>", strict_slashes=False)
def read_code(code: str) -> Response:
    """Answer the address in the QR. Issued addresses work for ever."""
    return _answered(_answer(code, "page"))


@verify.get("/")
@verify.get("/V", strict_slashes=False)
@verify.get("/v", strict_slashes=False)
def type_code() -> AnyResponse:
    """Show the form, also at the bare host that the paper names; a typed code goes on to its own address, which can be kept and shared."""
    typed = request.args.get("kode", "").strip()[:LONGEST_TYPED]
    if not typed:
        return _page(None)
    return redirect(f"{request.script_root}/V/{_spelled(typed)}{public.query()}", 303)


def _spelled(typed: str) -> str:
    """Return what goes into the address: letters and digits alone. What is no code goes the same way as what is one."""
    kept = "".join(one for one in typed if one.isascii() and one.isalnum())
    return normalised(kept) or kept[:LONGEST_CODE].upper() or NOBODY


@verify.get("/api/v1/verify/<path:code>")
def code_as_json(code: str) -> Response:
    """Answer the same for a program."""
    answer = _answer(code, "api")
    return _told(as_json(answer.as_dict(), STATUS.get(answer.state, 200)), answer)


def _answer(code: str, form: str) -> PermitAnswer:
    """Slashes and all: whatever stands where a code should is asked for as a code, and answered as one."""
    found = by_code(teken(), code.rstrip("/")[:LONGEST_TYPED], at=teken().clock.now())
    counted.verifications.labels(form, "code", str(found.state)).inc()
    return found


def _answered(answer: PermitAnswer) -> Response:
    response = _page(answer)
    response.status_code = STATUS.get(answer.state, 200)
    return _told(response, answer)


def _told(response: Response, answer: PermitAnswer) -> Response:
    if answer.state is PermitState.UNDETERMINED:
        response.headers["Retry-After"] = RETRY_SECONDS
    return response


def _page(answer: PermitAnswer | None) -> Response:
    permit = answer.permit if answer else None
    office = permit.office if permit else public.host_office()
    said = public.tongue(office)
    shown: dict[str, Any] = {"panel": verify_page.panel(answer, said)} if answer else {}
    if permit:
        shown |= {"facts": list(verify_page.facts(permit, said)), "record": verify_record.record(permit, said)}
        shown |= {"masked": HIDDEN in permit.holder, "on_paper": permit.address}
    shown |= {"marks": marks} if (marks := qr.marks(answer, office)) else {}
    links, policy = _links(permit.code if permit else ""), qr.POLICY if marks else ""
    return public.page("verify.html", office, policy=policy, permit=permit, links=links, **shown)


def _links(code: str) -> dict[str, str]:
    """Return where to go next. A report begins with the code that was found; what is not found is not carried on."""
    made = current_app.extensions.setdefault("verify.links", {})
    key = (request.script_root, public.asked_language(), bool(code))
    if key not in made:
        made[key] = _made(_ANY_CODE if code else "")
    return {name: address.replace(_ANY_CODE, code) for name, address in made[key].items()}


def _made(code: str) -> dict[str, str]:
    there = current_app.view_functions
    to = {"check": public.link("check.form")} if "check.form" in there else {}
    return to | ({"report": public.link("report.form", code=code or None)} if "report.form" in there else {})
