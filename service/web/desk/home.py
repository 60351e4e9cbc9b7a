"""The work list: what waits for whoever is logged in, soonest due first."""

from __future__ import annotations

from flask import Response

from service import queries
from service.web import teken
from service.web.desk.page import page
from service.web.desk.routing import STAFF, here, route


@route("/", STAFF)
def inbox() -> Response:
    """Show what waits for me."""
    session = here()
    waiting = queries.waiting(teken(), session.account.office)
    mine = [one for one in waiting if one["role"] in session.roles]
    return page("inbox.html", mine=mine)
