"""The register book's screens: the office's books, their pages, closings, exports, and the start of use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Response, redirect, request, url_for

from service.desk import earlier, registerbook, sheets, tables
from service.desk.sessions import COUNTER, REGISTRAR, SIGNS
from service.errors import Invalid
from service.web import teken
from service.web.desk.files import csv_file, file
from service.web.desk.page import PLACES, Place, fault_words, office, page, words
from service.web.desk.routing import here, only, route, saw

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

    from service.desk.registerbook import Line, Shown
    from service.web.desk.words import Words

ALL = (SIGNS, COUNTER, REGISTRAR, "admin", "auditor")
READERS, KEEPERS = only(*ALL), only(REGISTRAR, "admin")
SHORT = 12
"""Digits of a hash that a line has room for."""
HEADS = ("number", "day", "name", "type", "place", "valid_to", "note")
HASHES = ("sha256", "sha256_before")
"""Columns of a table for spreadsheets beside those of the printed book."""
PLACES.append(Place("desk.register", "book-2", "register.place_nav", ALL))


@route("/register", READERS)
def register() -> Response:
    """Show the office's books."""
    listed = registerbook.books(teken(), here())
    before = registerbook.earlier(teken(), here()).total
    keeper = here().is_one_of(REGISTRAR, "admin")
    saw("register")
    return page("register.html", books=listed, earlier=before, keeper=keeper, known=registerbook.EARLIER)


@route("/register/buku", READERS)
def register_book() -> Response:
    """Show a page of one book, and its closings."""
    name, period = _asked()
    shown = _pages(name, period, page=request.args.get("hal", 1, type=int))
    own = name != registerbook.EARLIER
    saw("register.book", series=name, period=period)
    keeper = here().is_one_of(REGISTRAR, "admin")
    closings = registerbook.closed(teken(), here(), name) if own else []
    ready = registerbook.closable(teken(), here(), name) if own and keeper else []
    told: dict[str, Any] = {"closings": closings, "closable": ready, "months": _months(shown), "period": period}
    return page("register_book.html", shown=shown, period_words=_period, name=name, own=own, short=SHORT, **told)


@route("/register/tutup", KEEPERS, methods=("POST",))
def register_close() -> AnyResponse:
    """Close a month or a year."""
    name, period = request.form.get("seri", ""), request.form.get("masa", "")
    registerbook.close(teken(), here(), name, period)
    saw("register.closed", series=name, period=period)
    return redirect(url_for("desk.register_book", seri=name, _anchor="tutup"), 303)


@route("/register/buku.csv", READERS)
def register_csv() -> Response:
    """Give a book as CSV."""
    return csv_file(_filename(), _table("csv"))


@route("/register/buku.xlsx", READERS)
def register_xlsx() -> Response:
    """Give a book as a workbook; every cell is text."""
    return file(tables.workbook(_table("xlsx")), f"{_filename()}.xlsx")


@route("/register/buku.pdf", READERS)
def register_pdf() -> Response:
    """Give a book as pages to print."""
    name, period = _asked()
    shown = _pages(name, period, whole=True)
    t = words()
    given = {
        "title": shown.book.title or t("register.earlier"),
        "subtitle": " · ".join(filter(None, (shown.book.type, _period(period or shown.book.period)))),
        "heads": [t(f"register.{head}") for head in HEADS],
        "rows": [{"cells": [str(cell) for cell in _row(line, t)], "void": line.void} for line in shown.lines],
        "page": t("register.page"),
        "printed": t("register.printed", at=t.moment(teken().clock.now())),
    }
    saw("register.exported", series=name, period=period, form="pdf")
    return file(registerbook.printed(teken(), here(), given), f"{_filename()}.pdf")


@route("/register/mulai", KEEPERS)
def register_start() -> Response:
    """Show how entries of before are taken over, and how a number that was used outside is kept out."""
    return _start()


@route("/register/pra-teken", KEEPERS, methods=("POST",))
def register_import() -> AnyResponse:
    """Take over a table of earlier entries."""
    sent = request.files.get("berkas")
    data = sent.stream.read(sheets.MOST_BYTES + 1) if sent is not None else b""
    try:
        many = earlier.take_over(teken(), here(), request.form.get("seri", ""), data)
    except Invalid as refused:
        saw("register.imported", outcome=refused.code)
        return _start(refused, which="import")
    return redirect(url_for("desk.register_book", seri=registerbook.EARLIER, masuk=many), 303)


@route("/register/pra-teken.csv", KEEPERS)
def register_sample() -> Response:
    """Give the table's form with one example."""
    return csv_file("contoh-pra-teken", [earlier.COLUMNS, earlier.SAMPLE])


@route("/register/cadangkan", KEEPERS, methods=("POST",))
def register_reserve() -> AnyResponse:
    """Keep the next number out of Teken."""
    try:
        number = registerbook.reserve(teken(), here(), request.form.get("jenis", ""), request.form.get("keperluan", ""))
    except Invalid as refused:
        return _start(refused, which="reserve")
    return _start(reserved=number)


def _start(refused: Invalid | None = None, *, which: str = "", reserved: str = "") -> Response:
    types = [(str(kind.code), kind.name) for kind in teken().offices.types(office().code)]
    series = [(code, rules.title) for code, rules in office().series.items()]
    faults = fault_words(refused) if refused is not None else {}
    status = refused.status if refused is not None else 200
    shown: dict[str, Any] = {"types": types, "series": series, "faults": faults, "which": which, "reserved": reserved}
    return page(
        "register_start.html",
        status=status,
        columns=earlier.COLUMNS,
        purpose=request.form.get("keperluan", ""),
        **shown,
    )


def _asked() -> tuple[str, str]:
    return request.args.get("seri", ""), request.args.get("masa", "")[:7]


def _pages(name: str, period: str, *, page: int = 1, whole: bool = False) -> Shown:
    if name == registerbook.EARLIER:
        return registerbook.earlier(teken(), here(), page=page, whole=whole)
    return registerbook.pages(teken(), here(), name, period=period, page=page, whole=whole)


def _table(form: str) -> list[list[object]]:
    name, period = _asked()
    t = words()
    saw("register.exported", series=name, period=period, form=form)
    lines = _pages(name, period, whole=True).lines
    return [[t(f"register.{head}") for head in (*HEADS, *HASHES)], *(_row(one, t) + _hashes(one) for one in lines)]


def _row(line: Line, t: Words) -> list[object]:
    valid_to = t.day(line.valid_to) if line.valid_to else ""
    return [line.number, t.day(line.day), line.name, line.type, line.place, valid_to, _note(line)]


def _hashes(line: Line) -> list[object]:
    """Return the SHA-256 of the document that counts, and of those that it corrects."""
    return [line.documents[-1] if line.documents else "", " ".join(line.documents[:-1])]


def _note(line: Line) -> str:
    t = words()
    said = t(f"register.note_{line.note}") if line.note else ""
    known = f"register.why_{line.text}"
    why = t(known) if line.text and t.has(known) else line.text
    if line.corrected:
        why = " → ".join(one[:SHORT] for one in line.documents)
    standing = t(f"register.standing_{line.standing}") if line.standing else ""
    notes = (": ".join(filter(None, one)) for one in ((said, why), (standing, line.by)))
    return "; ".join(filter(None, notes))


def _period(period: str) -> str:
    """Return "November 2026" or "2026"."""
    return words().month(period) if "-" in period else period


def _months(shown: Shown) -> list[str]:
    """Return the months to choose from, where a book covers a year."""
    year = shown.book.period
    return [f"{year}-{month:02}" for month in range(1, 13)] if year and "-" not in year else []


def _filename() -> str:
    name, period = _asked()
    kept = "-".join(filter(None, (*name.split("/"), period)))
    return "register-" + "".join(c for c in kept if c.isalnum() or c == "-")[:100]
