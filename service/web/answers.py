"""The two forms of a good answer: JSON for machines, a plain page for people."""

from __future__ import annotations

import json
from typing import Any

from flask import Response, render_template

from service.web.headers import page_policy, plain_style


def as_json(body: object, status: int = 200, mimetype: str = "application/json") -> Response:
    """Return a JSON answer in UTF-8."""
    return Response(json.dumps(body, ensure_ascii=False), status, mimetype=mimetype)


def as_page(template: str, lang: str, **values: Any) -> Response:
    """Return a page that needs nothing from anywhere: its style stands inside it."""
    response = Response(render_template(template, lang=lang, style=plain_style(), **values), mimetype="text/html")
    response.headers["Content-Security-Policy"] = page_policy()
    response.headers["Content-Language"] = lang
    return response
