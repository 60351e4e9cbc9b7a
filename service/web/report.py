"""The form with which anybody tells an office that a paper and its register do not match: `/lapor`, `/V/<code>/lapor`.

No log-in, no script, no cookie. Nothing here says whether a code is registered.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from flask import Blueprint, redirect, request

from service.codes import grouped, normalised
from service.desk import mismatch
from service.errors import BadRequest, Forbidden, Invalid
from service.web import public, teken
from service.web.problems import plain
from service.web.verify_words import LANGUAGES

if TYPE_CHECKING:
    from flask import Response
    from werkzeug.wrappers import Response as AnyResponse

MOST_BYTES = 16_000
LONGEST_CODE = 40
TRAP = "situs"
"""A field that people do not see and that programs fill in: what has it is thanked for and thrown away."""

report = Blueprint("report", __name__, template_folder="templates")


class ReportElsewhere(Forbidden):
    """The form was not sent from our own page."""

    code = "report_elsewhere"


@report.route("/lapor", methods=("GET", "POST"), strict_slashes=False)
@report.route("/V/<code>/lapor", methods=("GET", "POST"), strict_slashes=False)
@report.route("/v/<code>/lapor", methods=("GET", "POST"), strict_slashes=False)
def form(code: str = "") -> AnyResponse:
    """Show the form; take a report."""
    if request.method == "GET":
        known = normalised(code)
        return _form({"kode": grouped(known) if known else ""})
    request.max_content_length = MOST_BYTES
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise ReportElsewhere
    given = {name: request.form.get(name, "") for name in ("kode", "uraian", "kontak", "kantor", TRAP)}
    if any("\0" in one for one in given.values()):
        raise BadRequest
    return _sent(given)


@report.get("/lapor/terkirim")
def thanks() -> AnyResponse:
    """Say thank you, with the reference number."""
    number = mismatch.reference(request.args.get("nomor", "")[:16])
    if number is None:
        return redirect(_to("/lapor"), 303)
    return public.page("report_thanks.html", public.host_office(), "report.css", t=_words(), number=number)


def _sent(given: dict[str, str]) -> AnyResponse:
    host = public.host_office()
    told = mismatch.Told(
        code=given["kode"][:LONGEST_CODE],
        differs=tuple(request.form.getlist("beda")),
        text=given["uraian"],
        contact=given["kontak"],
        office=host.code if host else given["kantor"],
    )
    try:
        number = mismatch.reference_number() if given[TRAP] else mismatch.send(teken(), told)
    except Invalid as refused:
        faults = {one.pointer.strip("/"): plain(one, public.asked_language())["detail"] for one in refused.faults}
        response = _form(given, told.differs, faults)
        response.status_code = refused.status
        return response
    return redirect(_to("/lapor/terkirim", nomor=number), 303)


def _form(given: dict[str, str], differs: tuple[str, ...] = (), faults: dict[str, str] | None = None) -> Response:
    host = public.host_office()
    offices = [] if host else sorted((one.name, one.code) for one in teken().offices.offices.values())
    shown: dict[str, Any] = {"given": given, "differs": differs, "faults": faults or {}, "offices": offices}
    shown |= {"choices": mismatch.DIFFERS, "trap": TRAP}
    most = {"text": mismatch.LONGEST_TEXT, "contact": mismatch.LONGEST_CONTACT, "code": LONGEST_CODE}
    return public.page("report.html", host, "report.css", t=_words(), most=most, **shown)


def _to(path: str, **query: str) -> str:
    lang = public.asked_language()
    asked = query | ({} if lang == LANGUAGES[0] else {"lang": lang})
    told = "&".join(f"{name}={value}" for name, value in asked.items())
    return f"{request.script_root}{path}{'?' + told if told else ''}"


def _words() -> dict[str, Any]:
    found: dict[str, Any] = _all_words()[public.asked_language()]
    return found


@cache
def _all_words() -> dict[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath("templates/report.toml").read_text("utf-8"))
