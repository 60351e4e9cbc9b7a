"""The face for the public: a code in, a plain answer out. No login, no script, one request, nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, redirect, render_template, request

from service.codes import normalised
from service.verification import PermitState, at_host, by_code
from service.web import teken, verify_page
from service.web.answers import as_json
from service.web.verify_openapi import OPENAPI_PATHS
from service.web.verify_words import LANGUAGES, WESTERN, Tongue

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

    from service.verification import PermitAnswer, PublicOffice

__all__ = ["OPENAPI_PATHS", "verify"]

STATUS = {PermitState.UNKNOWN: 404, PermitState.UNDETERMINED: 503}
RETRY_SECONDS = "30"
LONGEST_TYPED = 200
_POLICY = "default-src 'none'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

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
    query = "" if _lang() == LANGUAGES[0] else f"?lang={_lang()}"
    return redirect(f"{request.script_root}/V/{code}{query}", 303)


@verify.get("/api/v1/verify/<code>")
def code_as_json(code: str) -> Response:
    """Answer the same for a program."""
    answer = by_code(teken(), code[:LONGEST_TYPED], at=teken().clock.now())
    return _private(as_json(answer.as_dict(), STATUS.get(answer.state, 200)), answer)


def _answered(answer: PermitAnswer) -> Response:
    response = _page(answer)
    response.status_code = STATUS.get(answer.state, 200)
    return _private(response, answer)


def _private(response: Response, answer: PermitAnswer) -> Response:
    """Not for search engines, not for caches."""
    response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    response.headers["Cache-Control"] = "no-store"
    if answer.state is PermitState.UNDETERMINED:
        response.headers["Retry-After"] = RETRY_SECONDS
    return response


def _page(answer: PermitAnswer | None) -> Response:
    permit = answer.permit if answer else None
    office = permit.office if permit else at_host(teken(), urlsplit(request.host_url).hostname or "")
    tongue = Tongue(_lang(), office.timezone if office else WESTERN)
    shown: dict[str, Any] = {"panel": verify_page.panel(answer, tongue)} if answer else {}
    if permit:
        shown |= {"facts": list(verify_page.facts(permit, tongue)), "record": verify_page.record(permit, tongue)}
    html = render_template("verify.html", **_frame(tongue, office), answer=answer, permit=permit, **shown)
    response = Response(html, mimetype="text/html")
    response.headers["Content-Security-Policy"] = f"{_POLICY}; style-src '{_style_hash()}'"
    response.headers["Content-Language"] = tongue.code
    response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    return response


def _frame(tongue: Tongue, office: PublicOffice | None) -> dict[str, Any]:
    other = LANGUAGES[1 - LANGUAGES.index(tongue.code)]
    return {
        "lang": tongue.code,
        "other": other,
        "words": tongue.words,
        "host": request.host,
        "base": request.script_root,
        "office": office,
        "emblem": verify_page.emblem(office) if office else "",
        "emblem_alt": tongue.say(tongue.words["emblem"], government=office.government) if office else "",
        "style": _style(),
    }


def _lang() -> str:
    asked = request.args.get("lang", "")
    return asked if asked in LANGUAGES else LANGUAGES[0]


@cache
def _style() -> str:
    return resources.files(__package__).joinpath("templates/verify.css").read_text("utf-8")


@cache
def _style_hash() -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
