"""Files that a page gives: under their name, of their kind, and never kept by the browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response

from service.desk import tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

KINDS = {
    "csv": "text/csv",
    "json": "application/json",
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def file(data: bytes | str, name: str) -> Response:
    """Return a file under its name, whose ending says its kind. A PDF opens in the browser, everything else is stored."""
    kind = name.rpartition(".")[2]
    response = Response(data, mimetype=KINDS[kind])
    shown = "inline" if kind == "pdf" else "attachment"
    response.headers["Content-Disposition"] = f'{shown}; filename="{name}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


def csv_file(name: str, rows: Iterable[Sequence[object]]) -> Response:
    """Return rows as a CSV file for a spreadsheet."""
    return file(tables.comma_separated(rows), f"{name}.csv")
