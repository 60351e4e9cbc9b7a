"""A look around on one machine: choose who to be. Not there at all unless the installation is a rehearsal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import redirect, request, url_for

from service.desk import rehearsal
from service.web import teken
from service.web.desk.page import page
from service.web.desk.routing import ANYONE, SESSION, keep, route

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse


@route("/peran", ANYONE, methods=("GET", "POST"))
def choose_role() -> AnyResponse:
    """Show everybody who may be played, or be one of them."""
    if request.method == "POST":
        token = rehearsal.play(teken(), request.form.get("account", ""))
        return keep(redirect(url_for("desk.inbox"), 303), SESSION, token)
    offices = teken().offices
    people = [(offices.office(code), cast) for code, cast in rehearsal.cast(teken()).items()]
    return page("roles.html", people=people, passphrase=rehearsal.passphrase(teken()))
