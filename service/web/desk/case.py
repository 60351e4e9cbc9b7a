"""The case: what was applied for, its paper, what was done; and the acts of reading, when it is the person's turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Response, current_app, redirect, request, url_for

from service.desk import book, casefile, entry, notes, papers, readings, worklist
from service.desk.accounts import of_office
from service.desk.casefile import CaseFile
from service.desk.worklist import OVERSEERS
from service.errors import Conflict, Invalid, StateForbids
from service.permits import State
from service.sop.model import Verb
from service.web import teken
from service.web.desk import returning
from service.web.desk.files import file as given
from service.web.desk.home import receipt
from service.web.desk.page import fault_words, page, problem_title, words
from service.web.desk.routing import STAFF, here, only, route, saw, stood
from service.web.desk.when import until

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

SCREENS = {
    Verb.SIGN: "desk.tray_paper",
    Verb.PRINT: "desk.counter",
    Verb.DELIVER: "desk.counter",
    Verb.SURVEY: "desk.counter",
    Verb.HANDOVER: "desk.counter",
    Verb.RECEIVE: "desk.counter",
}
"""Acts that have a screen of their own."""
KEPT = "private, no-cache"
"""The browser keeps a picture and asks before it shows it again: nobody sees it who is logged out or may not see it any more."""
LOG_LINES = 100


@route("/izin/<permit>", STAFF)
def case(permit: str) -> Response:
    """Show a case of the person's own office."""
    session = here()
    file = casefile.open_case(teken(), session, permit)
    saw("case.seen", permit)
    return _shown(file)


@route("/izin/<permit>/halaman/<int:number>.png", STAFF)
def case_page(permit: str, number: int) -> Response:
    """Give a page of the paper as a picture of the bytes with this SHA-256."""
    sha, width = request.args.get("sha", ""), request.args.get("lebar", papers.WIDTHS[0], type=int)
    frames = request.args.get("sorot") == "1"
    picture = papers.image(teken(), here(), permit, sha, number, width, marked=frames)
    saw("case.page_seen", permit, page=number, sha256=sha)
    known = picture.tag in request.if_none_match
    response = Response(status=304) if known else Response(picture.png(), mimetype="image/png")
    response.set_etag(picture.tag)
    response.headers["Cache-Control"] = KEPT
    return response


@route("/izin/<permit>/berkas.pdf", STAFF)
def case_document(permit: str) -> Response:
    """Give the released document, exactly as it is stored."""
    document = casefile.document(teken(), here(), permit)
    saw("case.document_taken", permit, sha256=document.sha256)
    return given(document.pdf, document.filename)


@route("/izin/<permit>/baca", STAFF, methods=("POST",))
def case_read(permit: str) -> AnyResponse:
    """Verify, paraf or approve the paper that was seen; go on to the next case."""
    session, verb = here(), request.form.get("verb", "")
    onward = _next(permit, verb)
    try:
        readings.read(teken(), session, permit, verb, stood=stood(), seen_sha=request.form.get("seen") or None)
    except Conflict as refused:
        return _again(permit, f"case.{verb}", refused)
    saw(f"case.{verb}", permit)
    return _onward(onward, verb, permit)


@route("/izin/<permit>/kembalikan", STAFF, methods=("GET", "POST"))
def case_return(permit: str) -> AnyResponse:
    """Ask why the case goes back to upstream; give it back."""
    file = casefile.open_case(teken(), here(), permit)
    if request.method == "GET":
        if file.due is None or not file.due.returnable:
            raise StateForbids(state=file.state)
        return page("return.html", file=file, faults={}, **returning.fields())
    onward = _next(permit, str(file.due.verb) if file.due else "")
    try:
        readings.give_back(teken(), here(), permit, stood=stood(), reason=returning.reason())
    except Invalid as refused:
        faults = fault_words(refused)
        return page("return.html", status=refused.status, file=file, faults=faults, **returning.fields())
    except Conflict as refused:
        return _again(permit, "case.returned", refused)
    saw("case.returned", permit)
    return _onward(onward, State.RETURNED, permit)


@route("/izin/<permit>/catatan", only(notes.AIDE), methods=("POST",))
def case_note(permit: str) -> AnyResponse:
    """Put the aide's note on the case."""
    first = request.form.get("dahulukan") == "1"
    notes.write(teken(), here().account, permit, request.form.get("catatan", ""), first=first)
    return redirect(url_for("desk.case", permit=permit) + "#catatan", 303)


@route("/izin/<permit>/catatan/<int:number>/hapus", only(notes.AIDE), methods=("POST",))
def case_note_withdraw(permit: str, number: int) -> AnyResponse:
    """Take the aide's own note back."""
    notes.withdraw(teken(), here().account, permit, number)
    return redirect(url_for("desk.case", permit=permit) + "#catatan", 303)


def _again(permit: str, action: str, refused: Conflict) -> AnyResponse:
    """What was decided on is no longer there: show what is there now."""
    if refused.code != "seen_differs":
        raise refused
    saw(action, permit, outcome=refused.code)
    return redirect(url_for("desk.case", permit=permit, berubah=1), 303)


def _shown(file: CaseFile) -> Response:
    session, t, now = here(), words(), teken().clock.now()
    mine = file.due is not None and file.due.mine
    before, after = worklist.neighbours(teken(), session, file.id, file.due.verb) if mine and file.due else (None, None)
    return page(
        "case.html",
        file=file,
        correctable=file.state == State.RETURNED and entry.correctable(teken(), session, file.id),
        before=before,
        after=after,
        framed=request.args.get("sorot") == "1",
        changed_meanwhile=request.args.get("berubah") == "1",
        receipt=receipt(session),
        when=lambda due: until(t, due, now),
        why=problem_title,
        widths=papers.WIDTHS,
        screen=_screen(file),
        log=_log(file.id) if session.is_one_of(*OVERSEERS) else None,
        note_length=notes.LONGEST,
        aide=session.is_one_of(notes.AIDE),
    )


def _screen(file: CaseFile) -> str | None:
    """Return the address of the due act's own screen, if there is one and the act is the person's."""
    if file.due is None or not file.due.mine:
        return None
    endpoint = SCREENS.get(file.due.verb, "")
    return url_for(endpoint, permit=file.id) if endpoint in current_app.view_functions else None


def _log(permit: str) -> list[dict[str, Any]]:
    office = here().account.office
    names = {account.id: account.name for account, _ in of_office(teken(), office)}
    lines = book.lines(teken(), office, permit=permit, most=LOG_LINES)
    return [
        {"at": one.at, "by": names.get(one.account, ""), "action": one.action, "outcome": one.outcome} for one in lines
    ]


def _next(permit: str, verb: str) -> str | None:
    """Return which case comes next in the person's list, after the last one its first."""
    ids = worklist.queue_of(teken(), here(), verb)
    at = ids.index(permit) if permit in ids else -1
    return next((one for one in [*ids[at + 1 :], *ids[: max(at, 0)]] if one != permit), None)


def _onward(following: str | None, verb: str, permit: str) -> AnyResponse:
    done: dict[str, Any] = {"usai": str(verb), "dari": permit}
    target = url_for("desk.case", permit=following, **done) if following else url_for("desk.inbox", **done)
    return redirect(target, 303)
