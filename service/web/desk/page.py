"""A page of the desk: the frame around it, its words, icons and the office's colour."""

from __future__ import annotations

import io
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import segno
from flask import Response, render_template, request, url_for
from markupsafe import Markup

from service import problems
from service.people import local_day
from service.web import teken
from service.web.desk.assets import address
from service.web.desk.routing import LANGUAGE, cookie, current, here, known
from service.web.desk.words import LANGUAGES, Words
from service.web.headers import request_id
from service.web.problems import plain
from service.web.verify_words import WESTERN

if TYPE_CHECKING:
    from service.desk.sessions import Session
    from service.errors import TekenError
    from service.sop.model import Office


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the navigation: endpoint, icon, key of its words, and who sees it (nobody named: everybody).

    `shown` tells it of a session where no fixed roles do: an office's own SOP says who enters cases.
    """

    endpoint: str
    icon: str
    words: str
    one_of: tuple[str, ...] = ()
    shown: Callable[[Session], bool] | None = None


PLACES: list[Place] = [Place("desk.inbox", "inbox", "frame.inbox")]
"""Each screen adds its own."""
ORDER = (
    *("desk.inbox", "desk.tray", "desk.counter", "desk.entries", "desk.decisions_waiting", "desk.mismatches"),
    *("desk.register", "desk.report", "desk.operating", "desk.auditing", "desk.admin"),
)
"""In which they are shown: one's own work first."""
COUNTS: dict[str, Callable[[Session], int]] = {}
"""By endpoint: how many cases wait there, for the navigation. Each may cost one indexed query."""


def page(template: str, *, status: int = 200, **values: Any) -> Response:
    """Render a page of the desk in the asker's language, inside the office's frame."""
    html = render_template(f"desk/{template}", **_frame(), **values)
    response = Response(html, status, mimetype="text/html")
    response.headers["Content-Language"] = language()
    response.headers["Vary"] = "Cookie"
    return response


def words() -> Words:
    """Return the asker's words, with his office's time zone."""
    mine = _office(known())
    return Words(language(), mine.calendar.timezone if mine else WESTERN)


def office() -> Office:
    """Return the office of whoever asks. Only for routes that are not for anyone."""
    return teken().offices.office(here().account.office)


def today() -> date:
    """Return the date on the clocks of the asker's office."""
    return local_day(office(), teken().clock.now())


def language() -> str:
    """Return the language that was chosen with the switch; Indonesian otherwise."""
    chosen = request.cookies.get(cookie(LANGUAGE), "")
    return chosen if chosen in LANGUAGES else LANGUAGES[0]


def error_page(error: TekenError) -> Response:
    """Tell what went wrong and what to do, inside the frame."""
    codes = [error.code, *(getattr(kind, "code", "") for kind in type(error).__mro__)]
    code = next(one for one in codes if one in problems.problem_texts())
    told = problems.problem(code, error.params, language())
    faults = [plain(fault, language()) for fault in error.faults]
    response = page("error.html", status=error.status, told=told, faults=faults, request_id=request_id())
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def icon(name: str) -> Markup:
    """Return an icon; the word beside it says what it means."""
    return Markup('<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d="{}"/></svg>').format(
        _icons()[name]
    )


def qr(text: str) -> Markup:
    """Draw an address for a telephone's camera; it is made and shown here only, and goes nowhere."""
    out = io.BytesIO()
    segno.make(text, error="m").save(out, kind="svg", scale=5, border=3, xmldecl=False, svgns=False, omitsize=True)
    return Markup(out.getvalue().decode())  # noqa: S704 - segno's own drawing: numbers only


def fault_words(error: TekenError) -> dict[str, str]:
    """Return the words of a form's faults by field, the pointer without its slash."""
    return {fault.pointer.strip("/"): plain(fault, language())["detail"] for fault in error.faults}


def problem_title(code: str) -> str:
    """Return what happened, in the words of an error code; the code itself if it has none."""
    return problems.problem(code, {}, language()).title if code in problems.problem_texts() else code


def _frame() -> dict[str, Any]:
    session, mine = current(), _office(known())
    places = _places(session) if session else []
    return {
        "t": words(),
        "lang": language(),
        "other": LANGUAGES[1 - LANGUAGES.index(language())],
        "icon": icon,
        "asset": address,
        "office": mine,
        "session": session,
        "csrf": Markup('<input type="hidden" name="csrf" value="{}">').format(session.csrf) if session else "",
        "places": places,
        "here": _within(places),
    }


def _places(session: Session) -> list[tuple[Place, str, int]]:
    allowed = [one for one in PLACES if not one.one_of or session.is_one_of(*one.one_of)]
    shown = [one for one in allowed if one.shown is None or one.shown(session)]
    shown.sort(key=lambda one: ORDER.index(one.endpoint))
    return [(one, url_for(one.endpoint), _count(one.endpoint, session)) for one in shown]


def _within(places: list[tuple[Place, str, int]]) -> tuple[str, str]:
    """Return the place to which the page belongs, by its address, and what `aria-current` says of it. A case is of the inbox."""
    path = request.path.rstrip("/")
    for place, top, _ in sorted(places, key=lambda one: -len(one[1])):
        home = top.rstrip("/")
        if path == home:
            return place.endpoint, "page"
        if path.startswith(f"{home}/izin/" if place.endpoint == "desk.inbox" else f"{home}/"):
            return place.endpoint, "true"
    return "", ""


def _count(endpoint: str, session: Session) -> int:
    return COUNTS[endpoint](session) if endpoint in COUNTS else 0


def _office(session: Session | None) -> Office | None:
    return teken().offices.office(session.account.office) if session is not None else None


@cache
def _icons() -> dict[str, str]:
    return tomllib.loads(resources.files(__package__).joinpath("icons.toml").read_text("utf-8"))
