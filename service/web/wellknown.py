"""What robots and finders of weaknesses ask every site: `/robots.txt` (RFC 9309) and `/.well-known/security.txt` (RFC 9116)."""

from __future__ import annotations

import re
from datetime import timedelta

from flask import Blueprint, Response, request

from service.web import public, teken

ROBOTS = "User-agent: *\nAllow: /V\nAllow: /v\nDisallow: /\n"
"""Pages of codes say `noindex` themselves: a robot that may not read them never learns it, and lists their addresses."""
GOOD_FOR = timedelta(days=180)
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")

wellknown = Blueprint("wellknown", __name__)


@wellknown.get("/robots.txt")
def robots() -> Response:
    """Keep robots out."""
    return _kept(ROBOTS)


@wellknown.get("/.well-known/security.txt")
def security() -> Response:
    """Say whom to tell of a weakness: the office of this address, or the form that reaches it."""
    office = public.host_office()
    mails = [found[0] for contact in (office.contacts if office else ()) if (found := _MAIL.search(contact))]
    contacts = [*(f"mailto:{one}" for one in mails), f"{request.host_url}lapor"]
    until = (teken().clock.now() + GOOD_FOR).strftime("%Y-%m-%dT00:00:00Z")
    lines = [*(f"Contact: {one}" for one in contacts), f"Expires: {until}", "Preferred-Languages: id, en"]
    return _kept("\n".join([*lines, f"Canonical: {request.base_url}", ""]))


def _kept(text: str) -> Response:
    response = Response(text, mimetype="text/plain")
    response.headers["Cache-Control"] = "public, max-age=86400"
    return response
