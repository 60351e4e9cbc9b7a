"""`/metrics` for Prometheus, and the counting of every request. To whoever may not ask, the address is unknown.

Without a key only this machine and the networks that the settings name are answered, and never what came through a proxy: that is
the public, whose addresses the proxy hides. Elsewhere a key opens it (`TEKEN_METRICS_TOKEN_FILE`).
"""

from __future__ import annotations

import ipaddress
import secrets
import time
from typing import TYPE_CHECKING

from flask import Blueprint, Response, g, request

from service.errors import NotFound
from service.metrics import CONTENT_TYPE, counted, exposition
from service.web import teken

if TYPE_CHECKING:
    from flask import Flask

    from service.settings import Settings

SHORTEST = 16
"""A shorter key opens nothing."""
_OF_PROXIES = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Via")

metrics = Blueprint("metrics", __name__)


@metrics.get("/metrics")
def scrape() -> Response:
    """Give the scrape."""
    if not _may_ask(teken().settings):
        raise NotFound
    return Response(exposition(teken()), content_type=CONTENT_TYPE)


def register(app: Flask) -> None:
    """Count every request that reaches the application, by route."""

    @app.before_request
    def _begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def _count(response: Response) -> Response:
        rule = request.url_rule.rule if request.url_rule else "-"
        took = time.perf_counter() - g.get("began", time.perf_counter())
        counted.answered(rule, request.method, response.status_code, took)
        return response


def _may_ask(settings: Settings) -> bool:
    given = request.headers.get("Authorization", "")
    if given:
        return _is_key(given, settings)
    return not any(name in request.headers for name in _OF_PROXIES) and _is_near(settings)


def _is_key(given: str, settings: Settings) -> bool:
    try:
        key = settings.metrics_token_file.read_text("utf-8").strip() if settings.metrics_token_file else ""
    except (OSError, ValueError):
        return False
    return len(key) >= SHORTEST and secrets.compare_digest(given.encode(), f"Bearer {key}".encode())


def _is_near(settings: Settings) -> bool:
    """By the address at the other end of the connection. A Unix socket has none: behind it stands a proxy."""
    try:
        asker = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:
        return False
    asker = getattr(asker, "ipv4_mapped", None) or asker
    return any(asker in network for network in settings.metrics_from)
