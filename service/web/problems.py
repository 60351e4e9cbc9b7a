"""Errors as they leave the house: RFC 9457 for machines, a plain page for people. Nothing personal, nor in the log."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import structlog
from flask import Response, request
from werkzeug.exceptions import HTTPException

from service import problems
from service.errors import TekenError
from service.logs import where
from service.web.answers import as_page
from service.web.headers import request_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask

    from service.errors import Fault

MEDIA_TYPE = "application/problem+json"
MACHINE_PATHS = ("/api/v1/", "/healthz", "/readyz")
SERVER_ERROR = 500
_BY_STATUS = {
    400: "bad_request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    409: "conflict",
    411: "length_required",
    413: "too_large",
    415: "unsupported_media",
    422: "invalid",
    429: "too_many",
    503: "busy",
}
_DEFAULT_RETRY = {429: 60, 503: 5}
_log = structlog.get_logger("teken.web")


def register(app: Flask) -> None:
    """Answer every error of the app as a problem."""
    app.register_error_handler(TekenError, told)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unforeseen)


def told(error: TekenError) -> Response:
    """Answer an error of ours."""
    if error.status >= SERVER_ERROR:
        _log.warning("request_refused", request_id=request_id(), code=error.code, status=error.status)
    response = answer(error.status, error.code, words_of=worded(error), params=error.params, faults=error.faults)
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def answer(
    status: int,
    code: str,
    *,
    words_of: str | None = None,
    params: Mapping[str, str] | None = None,
    faults: tuple[Fault, ...] = (),
    **more: Any,
) -> Response:
    """Return a problem in the form and language that the asker prefers."""
    tongue = language()
    words = problems.problem(words_of or code, params or {}, tongue)
    body: dict[str, Any] = {
        "type": f"/problems/{code}",
        "title": words.title,
        "status": status,
        "detail": words.advice,
        "request_id": request_id(),
    }
    if faults:
        body["errors"] = [plain(fault, tongue) for fault in faults]
    response = (
        as_page("problem.html", tongue, problem=body)
        if for_people()
        else Response(json.dumps(body | more, ensure_ascii=False), mimetype=MEDIA_TYPE)
    )
    response.status_code = status
    response.headers["Content-Language"] = tongue
    response.headers["Vary"] = "Accept, Accept-Language"
    if status in _DEFAULT_RETRY:
        response.headers["Retry-After"] = str(_DEFAULT_RETRY[status])
    if status == 401:  # noqa: PLR2004 - RFC 9110, section 15.5.2: the challenge is part of the answer
        response.headers["WWW-Authenticate"] = 'Bearer realm="teken"'
    return response


def plain(fault: Fault, tongue: str) -> dict[str, str]:
    """Return a fault as the API shows it."""
    return {"pointer": fault.pointer, "code": fault.code, "detail": problems.fault(fault.code, fault.params, tongue)}


def language() -> str:
    """Return the language of the answer: Indonesian unless English is preferred."""
    return request.accept_languages.best_match(problems.LANGUAGES) or problems.INDONESIAN


def for_people() -> bool:
    """Tell whether a browser asks."""
    if request.path.startswith(MACHINE_PATHS):
        return False
    return request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"


def worded(error: TekenError) -> str:
    """Return the nearest code that has words: the error's own, or that of its kind."""
    codes = [error.code, *(getattr(kind, "code", "") for kind in type(error).__mro__)]
    return next(code for code in codes if code in problems.problem_texts())


def _http(error: HTTPException) -> Response | HTTPException:
    status = error.code or SERVER_ERROR
    if status < 400:  # noqa: PLR2004 - redirects travel as exceptions too
        return error
    code = _BY_STATUS.get(status, "internal" if status >= SERVER_ERROR else "bad_request")
    response = answer(status, code)
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After"}:
            response.headers[name] = value
    return response


def _unforeseen(error: Exception) -> Response:
    """Log where it happened, not what it said: messages of foreign exceptions quote the data that they choked on."""
    _log.error("request_failed", request_id=request_id(), error=type(error).__qualname__, where=where(error))
    return answer(SERVER_ERROR, "internal")
