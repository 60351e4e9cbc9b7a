"""The frame of every page for the public: the office's head, the language, one style inside the page, a strict policy."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Response, render_template, request

from service.verification import at_host
from service.web import teken, verify_page
from service.web.verify_words import LANGUAGES, WESTERN, Tongue

if TYPE_CHECKING:
    from service.verification import PublicOffice

_POLICY = "default-src 'none'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


def host_office() -> PublicOffice | None:
    """Return the office whose address was asked for, or the only one there is."""
    return at_host(teken(), urlsplit(request.host_url).hostname or "")


def asked_language() -> str:
    """Return the language that the address asks for; Indonesian unless it says otherwise."""
    asked = request.args.get("lang", "")
    return asked if asked in LANGUAGES else LANGUAGES[0]


def tongue(office: PublicOffice | None) -> Tongue:
    """Return the language that was asked for, with the clocks of the office."""
    return Tongue(asked_language(), office.timezone if office else WESTERN)


def page(template: str, office: PublicOffice | None, *styles: str, policy: str = "", **values: Any) -> Response:
    """Return a page on top of `public.html`; `styles` stand beside `verify.css`, `policy` is added to the strict one."""
    said, css = tongue(office), ("verify.css", *styles)
    html = render_template(template, **_frame(said, office), style=style(*css), **values)
    response = Response(html, mimetype="text/html")
    rules = [f"{_POLICY}; style-src '{_style_hash(*css)}'", *([policy] if policy else [])]
    response.headers["Content-Security-Policy"] = "; ".join(rules)
    response.headers["Content-Language"] = said.code
    return private(response)


def private(response: Response) -> Response:
    """Not for search engines, not for caches."""
    response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    response.headers["Cache-Control"] = "no-store"
    return response


@cache
def style(*names: str) -> str:
    """Return style sheets as one text."""
    folder = resources.files(__package__).joinpath("templates")
    return "".join(folder.joinpath(name).read_text("utf-8") for name in names)


def _frame(said: Tongue, office: PublicOffice | None) -> dict[str, Any]:
    other = LANGUAGES[1 - LANGUAGES.index(said.code)]
    return {
        "lang": said.code,
        "other": other,
        "query": "" if said.code == LANGUAGES[0] else f"?lang={said.code}",
        "words": said.words,
        "host": request.host,
        "base": request.script_root,
        "office": office,
        "emblem": verify_page.emblem(office) if office else "",
        "emblem_alt": said.say(said.words["emblem"], government=office.government) if office else "",
    }


@cache
def _style_hash(*names: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(style(*names).encode()).digest()).decode()
