"""The frame of every page for the public: the office's head, the language, one style inside the page, a strict policy."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Response, render_template, request, url_for

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


def query(lang: str = "") -> str:
    """Return what an address ends with to stay in this language, or in that which was asked for."""
    lang = lang or asked_language()
    return "" if lang == LANGUAGES[0] else f"?lang={lang}"


def tongue(office: PublicOffice | None) -> Tongue:
    """Return the language that was asked for, with the clocks of the office."""
    return Tongue(asked_language(), office.timezone if office else WESTERN)


def page(
    template: str, office: PublicOffice | None, *styles: str, policy: str = "", on_paper: str = "", **values: Any
) -> Response:
    """Return a page on top of `public.html`; `styles` stand beside `verify.css`, `policy` is added to the strict one.

    `on_paper` is the address that a paper bears, where the page is about one.
    """
    said, css = tongue(office), ("verify.css", *styles)
    frame = _frame(said, office) | {"where": where(said, office, on_paper)}
    html = render_template(template, **frame, style=style(*css), **values)
    headers = {"Content-Security-Policy": _policy(policy, *css), "Content-Language": said.code}
    return Response(html, headers=headers, mimetype="text/html")


def where(said: Tongue, office: PublicOffice | None, on_paper: str) -> dict[str, str]:
    """Return the address in words, and what to make of it: forgers copy pages, and then the address is all that differs."""
    shown, words = request.host + request.script_root, said.words
    here = shown.lower()
    told = {"here": shown, "compare": words["where_compare"], "astray": ""}
    if office and here not in {*office.addresses, on_paper}:
        address = on_paper or office.addresses[0]
        told["astray"] = said.say(words["where_astray"], office=office.short_name, address=address)
    elif on_paper and here != on_paper:
        told["compare"] = said.say(words["where_older"], address=on_paper)
    return told


def link(endpoint: str, code: str | None = None) -> str:
    """Return the address of another public page, in the language of this one."""
    lang = asked_language()
    return url_for(endpoint, code=code, lang=None if lang == LANGUAGES[0] else lang)


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
        "query": query(said.code),
        "words": said.words,
        "base": request.script_root,
        "office": office,
        "emblem": verify_page.emblem(office) if office else "",
        "emblem_alt": said.say(said.words["emblem"], government=office.government) if office else "",
    }


@cache
def _policy(more: str, *styles: str) -> str:
    digest = base64.b64encode(hashlib.sha256(style(*styles).encode()).digest()).decode()
    return "; ".join(filter(None, (f"{_POLICY}; style-src 'sha256-{digest}'", more)))
