"""Headers that every answer carries. Strict by default; a page that needs more sets its own policy first."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from flask import g, request
from structlog.contextvars import bind_contextvars, clear_contextvars

if TYPE_CHECKING:
    from flask import Flask, Response

NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
STRICT = {
    "Content-Security-Policy": NOTHING,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}
RULE, REQUEST, PERMIT = "teken.rule", "teken.request", "teken.permit"
"""Where the access log finds route, request id and permit in the WSGI environment: addresses hold codes."""
_GIVEN_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_PERMIT_ID = re.compile(r"izn_[0-9a-f]{20}")
TRANSPORT = "max-age=31536000"  # a year; subdomains belong to the office, not to us


def register(app: Flask) -> None:
    """Add what a view did not set itself; every line that is logged on the way has the request's id."""

    @app.before_request
    def _name() -> None:
        clear_contextvars()
        bind_contextvars(request_id=request_id())

    @app.after_request
    def _add(response: Response) -> Response:
        own = {name.lower() for name in response.headers.keys()}  # noqa: SIM118 - iterating Headers gives pairs
        response.headers.extend({name: value for name, value in STRICT.items() if name.lower() not in own})
        if request.is_secure:
            response.headers.setdefault("Strict-Transport-Security", TRANSPORT)
        response.headers["Request-Id"] = request_id()
        request.environ[RULE] = request.url_rule.rule if request.url_rule else "-"
        request.environ[REQUEST] = request_id()
        permit = str((request.view_args or {}).get("permit", ""))
        if _PERMIT_ID.fullmatch(permit):
            request.environ[PERMIT] = permit
        return response


def request_id() -> str:
    """Return the id of this request, for answer and log: the asker's own if it is a UUID or 32 hex digits, which hold no NIK."""
    if "request_id" not in g:
        given = request.headers.get("Request-Id", "")
        g.request_id = given.lower() if _GIVEN_ID.fullmatch(given) else secrets.token_hex(8)
    return str(g.request_id)


@cache
def plain_style() -> str:
    """Return the style sheet of the plain pages (errors, API documentation), which stands inside them."""
    return resources.files(__package__).joinpath("templates/plain.css").read_text("utf-8")


@cache
def page_policy() -> str:
    """Return the policy of a plain page: its own style by hash, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(plain_style().encode()).digest()).decode()
    return f"{NOTHING}; style-src 'sha256-{digest}'"
