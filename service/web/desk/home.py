"""The work list: what waits for whoever is logged in, soonest due first; and the search over all of the office's permits."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from service.desk import readings, worklist
from service.desk.notes import AIDE
from service.desk.sessions import Session
from service.desk.worklist import PARKED, RETURNED
from service.errors import TekenError
from service.sop.model import Verb
from service.web import teken
from service.web.desk.page import COUNTS, page, problem_title, words
from service.web.desk.routing import STAFF, here, route, saw
from service.web.desk.when import until

LONGEST_SEARCH = 100
FILTERS = (*map(str, Verb), RETURNED, PARKED)
EVERYBODY = "semua"


@route("/", STAFF)
def inbox() -> Response:
    """Show what waits for me, or what was searched for."""
    session, t, now = here(), words(), teken().clock.now()
    asked = request.args.get("cari", "").strip()[:LONGEST_SEARCH]
    own = acts_or_helps(session)
    shared: dict[str, Any] = {
        "asked": asked,
        "when": lambda due: until(t, due, now),
        "why": problem_title,
        "overseer": not own,
        "receipt": receipt(session),
    }
    if asked:
        saw("cases.searched")
        return page("inbox.html", found=worklist.search(teken(), session, asked), **shared)
    chosen = request.args.get("saring", "")
    only = chosen if chosen in FILTERS else ""
    everybody = not own or request.args.get("lihat") == EVERYBODY
    number = request.args.get("hal", 1, type=int)
    shown = worklist.listing(teken(), session, only=only, everybody=everybody, page=number)
    filters = [key for key in FILTERS if key in shown.counts]
    return page("inbox.html", found=None, shown=shown, only=only, everybody=everybody, filters=filters, **shared)


def receipt(session: Session) -> readings.Receipt | None:
    """Return what the person has just done, if the address says so and it is true."""
    verb, permit = request.args.get("usai", ""), request.args.get("dari", "")
    try:
        return readings.receipt(teken(), session, permit, verb) if verb and permit else None
    except TekenError:
        return None


def acts_or_helps(session: Session) -> bool:
    """Tell whether the person has a list of his own: officials do, and the head's aide."""
    return bool(session.roles) or session.is_one_of(AIDE)


COUNTS["desk.inbox"] = lambda session: worklist.count(teken(), session)
