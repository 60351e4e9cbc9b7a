"""The head's tray and reading its papers one by one. What he opened is bound to the paper's hash."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import redirect, request, url_for

from service.desk import progress, readings
from service.desk import tray as trays
from service.desk.sessions import SIGNS
from service.errors import Invalid
from service.problems import problem, problem_texts
from service.web import teken
from service.web.desk import page as frame
from service.web.desk import returning
from service.web.desk.page import Place, language, page
from service.web.desk.routing import READING, here, only, route, saw, stood
from service.web.desk.when import until

if TYPE_CHECKING:
    from flask import Response
    from werkzeug.wrappers import Response as AnyResponse

TRAY = only(SIGNS, "ajudan")
SIGNER = only(SIGNS)
frame.PLACES.append(Place("desk.tray", "signature", "tray.place", (SIGNS, "ajudan")))


@route("/ttd", TRAY)
def tray() -> Response:
    """Show what waits for the signature, by permit type; one type page by page."""
    session = here()
    only_type = request.args.get("jenis") or None
    waiting = trays.tray(teken(), session, only_type, request.args.get("hal", 1, type=int))
    going, ended = progress.mine(teken(), session) if session.signs else ([], [])
    saw("tray", papers=len(waiting.papers))
    unread = next((one.permit for one in waiting.papers if not one.opened and not one.skipped), None)
    return page(
        "tray.html",
        tray=waiting,
        only_type=only_type,
        going=going,
        ended=ended,
        unread=unread,
        causes=cause_words,
        until=until,
        now=teken().clock.now(),
    )


@route("/ttd/baca/<permit>", TRAY)
def tray_paper(permit: str) -> Response:
    """Show one paper as a picture of its exact bytes; opening it is noted."""
    session = here()
    paper = trays.one(teken(), session, permit)
    if request.method in READING - {"HEAD"}:
        trays.mark(teken(), session, permit, paper.sha, trays.OPENED)
    return _paper(paper)


@route("/ttd/tandai/<permit>", SIGNER, methods=("POST",))
def tray_mark(permit: str) -> AnyResponse:
    """Set a paper aside, or take it up again."""
    skip = request.form.get("tindakan") == "lewati"
    trays.mark(teken(), here(), permit, request.form.get("sha", ""), trays.SKIPPED if skip else trays.TAKEN)
    return redirect(_after(permit) if "lanjut" in request.form else url_for("desk.tray"), 303)


@route("/ttd/kembalikan/<permit>", SIGNER, methods=("POST",))
def tray_return(permit: str) -> AnyResponse:
    """Return the case with a reason."""
    session, onward = here(), _after(permit)
    seen = request.form.get("sha", "")
    try:
        readings.give_back(teken(), session, permit, stood=stood(), reason=returning.reason(), seen_sha=seen)
    except Invalid as refused:
        paper = trays.one(teken(), session, permit)
        return _paper(paper, status=refused.status, faults=frame.fault_words(refused))
    saw("tray.returned", permit)
    return redirect(onward, 303)


@route("/ttd/perbarui", SIGNER, methods=("POST",))
def tray_renew() -> AnyResponse:
    """Have the papers made again that name somebody else than who signs today."""
    saw("tray.renewed", papers=trays.make_again(teken(), here()))
    return redirect(url_for("desk.tray"), 303)


@route("/ttd/kirim-ulang/<permit>", SIGNER, methods=("POST",))
def tray_resend(permit: str) -> AnyResponse:
    """Allow a document to be sent again though its first signature may exist."""
    trays.confirm_resend(teken(), here(), permit)
    saw("tray.resend_confirmed", permit)
    batch = request.form.get("batch")
    back = url_for("desk.show_batch", batch_id=batch) if batch else url_for("desk.tray_paper", permit=permit)
    return redirect(back, 303)


def cause_words(code: str) -> tuple[str, str]:
    """Return what happened and what to do, for a cause's code."""
    words = frame.words()
    if words.has(f"tray.cause_{code}"):
        return words(f"tray.cause_{code}"), words(f"tray.advice_{code}")
    told = problem(code if code in problem_texts() else "internal", {}, language())
    return told.title, told.advice


def _paper(paper: trays.Paper, *, status: int = 200, faults: dict[str, str] | None = None) -> Response:
    session = here()
    before, after, place, total = trays.neighbours(teken(), session, paper.permit)
    (item,) = trays.described(teken(), [paper])
    return page(
        "tray_paper.html",
        status=status,
        item=item,
        paper=paper,
        pages=trays.pages(teken(), paper),
        before=before,
        after=after,
        place=place,
        total=total,
        **returning.fields(),
        faults=faults or {},
        marked=1 if request.args.get("sorot") == "1" else None,
        causes=cause_words,
    )


def _after(permit: str) -> str:
    """Return where to go on after this paper: the next one, or the tray."""
    _, after, _, _ = trays.neighbours(teken(), here(), permit)
    return url_for("desk.tray_paper", permit=after) if after else url_for("desk.tray")
