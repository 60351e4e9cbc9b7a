"""The counter's screens: what is due there, one permit's slip with its act, several tickets at once, the handover register."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Response, redirect, request, url_for

from service.acts import COUNTER as VERBS
from service.desk import counter as at
from service.desk import holder, tickets, worklist
from service.desk.sessions import COUNTER
from service.errors import Conflict, Invalid, TekenError
from service.sop.model import Verb
from service.web import teken
from service.web.desk import skm
from service.web.desk.files import csv_file, file
from service.web.desk.page import PLACES, Place, fault_words, office, page, problem_title, qr, today, words
from service.web.desk.routing import here, only, route, saw, stood
from service.web.desk.when import until
from service.web.desk.words import LANGUAGES, Words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from werkzeug.wrappers import Response as AnyResponse

    from service.sop.model import Office

CLERKS = only(COUNTER)
LONGEST_SEARCH = 100
PLACES.append(Place("desk.counter", "ticket", "counter.place", (COUNTER,)))


@route("/loket", CLERKS)
def counter() -> AnyResponse:
    """Show what is due at the counter, one act at a time."""
    if permit := request.args.get("permit"):
        return redirect(url_for("desk.counter_slip", permit=permit), 303)
    return _list()


@route("/loket/cari", CLERKS, methods=("GET", "POST"))
def counter_find() -> AnyResponse:
    """Find by ticket, number or name. By POST, so that neither stands in an address."""
    asked = request.form.get("cari", "").strip()[:LONGEST_SEARCH]
    if not asked:
        return redirect(url_for("desk.counter"), 303)
    permit = at.by_ticket(teken(), here(), asked)
    saw("counter.searched", permit)
    if permit is not None:
        return _slip(permit, ticket=asked)
    return page("counter_found.html", asked=asked, found=worklist.search(teken(), here(), asked), when=_when)


@route("/loket/<permit>", CLERKS)
def counter_slip(permit: str) -> Response:
    """Show one permit, what is due of it here, and what was printed and handed over."""
    saw("counter.seen", permit)
    return _slip(permit)


@route("/loket/<permit>/cetak", CLERKS, methods=("POST",))
def counter_print(permit: str) -> AnyResponse:
    """Log the print that is due, then open the very bytes."""
    number = at.print_due(teken(), here(), permit, stood())
    saw("counter.printed", permit, no=number)
    return redirect(url_for("desk.counter_printed", permit=permit, no=number), 303)


@route("/loket/<permit>/cetak-lagi", CLERKS, methods=("POST",))
def counter_print_again(permit: str) -> AnyResponse:
    """Log another print with its reason, then open the same bytes."""
    cause = request.form.get("sebab") or None
    try:
        number = at.print_again(teken(), here(), permit, cause=cause, reason=request.form.get("uraian", ""))
    except Invalid as refused:
        saw("counter.printed_again", permit, outcome=refused.code)
        return _slip(permit, refused=refused, fields={"cause": cause or "", "reason": request.form.get("uraian", "")})
    saw("counter.printed_again", permit, no=number)
    return redirect(url_for("desk.counter_printed", permit=permit, no=number), 303)


@route("/loket/<permit>/cetakan/<int:no>.pdf", CLERKS)
def counter_printed(permit: str, no: int) -> Response:
    """Give the bytes of a logged print."""
    document = at.printed(teken(), here(), permit, no)
    saw("counter.print_opened", permit, no=no, sha256=document.sha256)
    return file(document.pdf, document.filename)


@route("/loket/<permit>/tiket.pdf", CLERKS)
def counter_ticket(permit: str) -> Response:
    """Give the pick-up ticket; always in Indonesian, since it goes to the holder."""
    office = teken().offices.office(here().account.office)
    pdf = tickets.ticket(teken(), here(), permit, _ticket_words(office))
    saw("counter.ticket", permit)
    return file(pdf, f"tiket-{permit}.pdf")


@route("/loket/<permit>/teruskan", CLERKS, methods=("POST",))
def counter_deliver(permit: str) -> AnyResponse:
    """Pass the paper on to the counter."""
    at.pass_on(teken(), here(), permit, stood())
    return _done(permit, Verb.DELIVER)


@route("/loket/<permit>/terima", CLERKS, methods=("POST",))
def counter_receive(permit: str) -> AnyResponse:
    """Record that the holder has the paper."""
    at.receive(teken(), here(), permit, stood())
    return _done(permit, Verb.RECEIVE)


@route("/loket/<permit>/survei", CLERKS, methods=("GET", "POST"))
def counter_survey(permit: str) -> AnyResponse:
    """Show the SKM form to fill in with the holder; take it, or his choice not to answer."""
    slip = at.slip(teken(), here(), permit)
    if request.method == "GET":
        return page("counter_survey.html", slip=slip, questions=skm.questions(words()), given={}, faults={})
    choice, given = request.form.get("pilihan", ""), skm.answers(request.form)
    try:
        if choice in {"nanti", "menolak"}:
            at.decline_survey(teken(), here(), permit, stood(), later=choice == "nanti")
        else:
            at.fill_survey(teken(), here(), permit, stood(), given)
    except Invalid as refused:
        values = {"given": given, "faults": _missing(refused), "questions": skm.questions(words())}
        return page("counter_survey.html", status=refused.status, slip=slip, **values)
    saw("counter.survey", permit, choice=choice or "isi")
    return redirect(url_for("desk.counter_slip", permit=permit, usai=choice or str(Verb.SURVEY)), 303)


@route("/loket/<permit>/serahkan", CLERKS, methods=("POST",))
def counter_hand_over(permit: str) -> AnyResponse:
    """Hand the paper over against its ticket."""
    fields = {name: request.form.get(name, "") for name in ("tiket", "identitas", "surat")}
    ticket, identity, letter = fields["tiket"], fields["identitas"], fields["surat"]
    try:
        at.hand_over(teken(), here(), permit, stood(), identity=identity, ticket=ticket, reference=letter)
    except (Invalid, Conflict) as refused:
        if isinstance(refused, Conflict) and refused.code != "ticket_differs":
            raise
        saw("counter.handover", permit, outcome=refused.code)
        return _slip(permit, refused=refused, fields=fields)
    return _done(permit, Verb.HANDOVER)


@route("/loket/kolektif", CLERKS, methods=("GET", "POST"))
def counter_together() -> AnyResponse:
    """Hand several papers over to one bearer: each has its own outcome."""
    fields = {name: request.form.get(name, "") for name in ("tiket", "surat")}
    asked: dict[str, Any] = {"questions": skm.questions(words()), "given": skm.answers(request.form)}
    if request.method == "GET":
        return page("counter_together.html", result=None, fields=fields, faults={}, **asked)
    stage, declined = request.form.get("survei", ""), request.form.get("pilihan") == "menolak"
    answers = asked["given"] if stage and not declined else None
    how: dict[str, Any] = {"reference": fields["surat"], "answers": answers, "declined": declined and bool(stage)}
    try:
        result = at.hand_over_together(teken(), here(), fields["tiket"], **how)
    except Invalid as refused:
        faults = fault_words(refused) | _missing(refused)
        shown = {"fields": fields, "faults": faults, "asking": bool(stage), **asked}
        return page("counter_together.html", status=refused.status, result=None, **shown)
    for one in result.outcomes:
        saw("counter.handover", one.permit, outcome=one.code, receipt=result.receipt)
    if result.receipt is not None and all(one.code == "ok" for one in result.outcomes):
        return redirect(url_for("desk.counter_receipt", receipt=result.receipt), 303)
    return page("counter_together.html", result=result, fields=fields, faults={}, why=_why, **asked)


@route("/loket/tanda-terima/<receipt>", CLERKS)
def counter_receipt(receipt: str) -> Response:
    """Show the receipt to print: what was handed over together, and room to sign."""
    listed = at.receipt(teken(), here(), receipt)
    saw("counter.receipt", papers=len(listed))
    return page("counter_receipt.html", listed=listed, receipt=receipt)


@route("/loket/tanda-terima/<receipt>.pdf", CLERKS)
def counter_receipt_pdf(receipt: str) -> Response:
    """Give the same as pages to print; always in Indonesian, since the bearer signs them."""
    listed = at.receipt(teken(), here(), receipt)
    saw("counter.receipt", papers=len(listed))
    return file(tickets.receipt(teken(), here(), listed, _receipt_words(listed)), f"tanda-terima-{receipt}.pdf")


@route("/loket/buku", CLERKS)
def counter_book() -> Response:
    """Show the handover register, newest first."""
    year = request.args.get("tahun", today().year, type=int)
    number = request.args.get("hal", 1, type=int)
    listed, pages = at.handover_book(teken(), here(), year=_year(year), page=number)
    saw("counter.book", year=year)
    shown = {"year": _year(year), "this_year": today().year, "number": min(max(number, 1), pages), "pages": pages}
    return page("counter_book.html", listed=listed, **shown)


@route("/loket/buku.csv", CLERKS)
def counter_book_csv() -> Response:
    """Give a year's hand-overs as a table for a spreadsheet."""
    t, year = words(), _year(request.args.get("tahun", today().year, type=int))
    listed, _ = at.handover_book(teken(), here(), year=year, everything=True)
    saw("counter.book_csv", year=year)
    heads = [t(f"counter.book_{one}") for one in ("no", "at", "number", "name", "type", "identity", "letter", "by")]
    rows = [
        [one.no, t.moment(one.at), one.number, one.name, one.type, t(f"counter.{one.identity}"), one.reference, one.by]
        for one in reversed(listed)
    ]
    return csv_file(f"serah-terima-{here().account.office}-{year}", [heads, *rows])


def _list() -> Response:
    session = here()
    chosen = request.args.get("saring", "")
    first = worklist.listing(teken(), session)
    verbs = [str(verb) for verb in VERBS if first.counts.get(str(verb))]
    only_verb = chosen if chosen in verbs else next(iter(verbs), "")
    shown = (
        worklist.listing(teken(), session, only=only_verb, page=request.args.get("hal", 1, type=int))
        if only_verb
        else None
    )
    return page("counter.html", shown=shown, counts=first.counts, verbs=verbs, only=only_verb, when=_when)


def _slip(
    permit: str, *, ticket: str = "", refused: TekenError | None = None, fields: dict[str, str] | None = None
) -> Response:
    slip = at.slip(teken(), here(), permit)
    faults = fault_words(refused) if refused is not None else {}
    if refused is not None and not faults:
        faults = {("tiket" if refused.code == "ticket_differs" else "reason"): problem_title(refused.code)}
    values = {"tiket": ticket, "identitas": "", "surat": "", "cause": "", "reason": "", **(fields or {})}
    done = request.args.get("usai", "")
    return page(
        "counter_slip.html",
        status=refused.status if refused is not None else 200,
        slip=slip,
        fields=values,
        faults=faults,
        qr=qr,
        phone=_phone(permit) if slip.act == Verb.SURVEY else "",
        causes=at.CAUSES,
        identities=at.IDENTITIES,
        done=done if done in {*map(str, VERBS), "nanti", "menolak"} and refused is None else "",
    )


def _phone(permit: str) -> str:
    """Return the address at which whoever fetches the paper answers the survey himself."""
    public = teken().settings.public_url or office().public_url
    return public.rstrip("/") + url_for("holder.bearer_survey", token=holder.survey_pass(teken(), permit))


def _done(permit: str, verb: Verb) -> AnyResponse:
    saw(f"counter.{verb}", permit)
    return redirect(url_for("desk.counter_slip", permit=permit, usai=str(verb)), 303)


def _missing(refused: Invalid) -> dict[str, str]:
    t = words()
    return {
        fault.pointer.removeprefix("/answers/"): t("skm.missing")
        for fault in refused.faults
        if fault.pointer.startswith("/answers/")
    }


def _why(code: str) -> str:
    t = words()
    return t(f"counter.outcome.{code}") if t.has(f"counter.outcome.{code}") else problem_title(code)


def _when(due: Any) -> Any:
    return until(words(), due, teken().clock.now())


def _year(asked: int) -> int:
    return min(max(asked, 2000), today().year)


def _receipt_words(listed: Sequence[at.Handover]) -> dict[str, Any]:
    t, first = Words(LANGUAGES[0], words().zone), listed[0]
    facts = {"book_at": t.moment(first.at), "letter": first.reference, "book_by": first.by, "receipt_no": first.receipt}
    return {
        "title": t("counter.receipt"),
        "text": t("counter.receipt_text", n=len(listed)),
        "facts": [[t(f"counter.{key}"), value] for key, value in facts.items()],
        "heads": [t(f"counter.book_{one}") for one in ("no", "number", "name", "type")],
        "signed": [t("counter.signed_by"), t("counter.signed_for")],
        "page": t("register.page"),
    }


def _ticket_words(office: Office) -> dict[str, Any]:
    t = Words(LANGUAGES[0], office.calendar.timezone)
    days = office.calendar.workdays
    names = t("counter.ticket.days").split(",")
    span = t("counter.ticket.span", first=names[days[0] - 1], last=names[days[-1] - 1])
    opens, closes = (one.strftime("%H.%M") for one in (office.calendar.opens, office.calendar.closes))
    host = urlsplit(office.public_url).netloc
    return {
        "title": t("counter.ticket.title"),
        "code_label": t("counter.ticket.code"),
        "number_label": t("counter.ticket.number"),
        "case_label": t("counter.ticket.case"),
        "bring_title": t("counter.ticket.bring"),
        "bring": [t("counter.ticket.bring_ticket"), t("counter.ticket.bring_ktp"), t("counter.ticket.bring_letter")],
        "foot": [
            t("counter.ticket.open", days=span, opens=opens, closes=closes),
            office.address,
            t("counter.ticket.online", address=f"{host}/izin-saya"),
        ],
    }
