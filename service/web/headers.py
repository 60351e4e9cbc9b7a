"""Headers that every answer carries. Strict by default; a page that needs more sets its own policy first."""

from __future__ import annotations

import base64
import hashlib
import secrets
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from flask import g, request

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
RULE = "teken.rule"
"""Where the access log finds the route in the WSGI environment: addresses hold codes."""
TRANSPORT = "max-age=31536000"  # a year; subdomains belong to the office, not to us


def register(app: Flask) -> None:
    """Add what a view did not set itself."""

    @app.after_request
    def _add(response: Response) -> Response:
        for name, value in STRICT.items():
            response.headers.setdefault(name, value)
        if request.is_secure:
            response.headers.setdefault("Strict-Transport-Security", TRANSPORT)
        response.headers["Request-Id"] = request_id()
        request.environ[RULE] = request.url_rule.rule if request.url_rule else "-"
        return response


def request_id() -> str:
    """Return the id of this request: in the answer, in the log, nowhere else."""
    if "request_id" not in g:
        g.request_id = secrets.token_hex(8)
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
