"""Tables that go out: CSV and XLSX that open rightly in an Indonesian Excel, and in which no cell is a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection)."""
NARROWEST, WIDEST = 14, 40
_BOM = "\ufeff"


def comma_separated(rows: Iterable[Sequence[object]]) -> bytes:
    """Return rows as CSV: UTF-8 with BOM, semicolons as an Indonesian Excel expects, every text harmless."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return (_BOM + out.getvalue()).encode()


def workbook(rows: Sequence[Sequence[object]], *, spare: int = 0) -> bytes:
    """Return rows as XLSX, header first. Every cell is text, in `spare` empty rows below too: nothing is computed, nothing is rounded."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    made, bold = Workbook(write_only=True), Font(bold=True)
    sheet = made.create_sheet()
    sheet.freeze_panes = "A2"
    for place, column in enumerate(zip(*rows, strict=True), 1):
        longest = max(len(_text(cell)) for cell in column)
        sheet.column_dimensions[get_column_letter(place)].width = min(max(longest, NARROWEST), WIDEST)
    for line, row in enumerate([*rows, *([[None] * len(rows[0])] * spare)]):
        cells = [WriteOnlyCell(sheet, value=cell if cell is None else str(cell)) for cell in row]
        for cell in cells:
            cell.number_format = "@"
            if cell.value is not None:
                cell.data_type = "s"
            if line == 0:
                cell.font = bold
        sheet.append(cells)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def _text(cell: object) -> str:
    return "" if cell is None else str(cell)


def _harmless(cell: object) -> object:
    """Return a cell that no spreadsheet runs: a text that looks like a formula gets an apostrophe in front."""
    if isinstance(cell, str) and cell.lstrip(" ").startswith(DANGEROUS):
        return "'" + cell
    return _text(cell)
