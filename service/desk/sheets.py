"""Rows of text from an uploaded CSV or XLSX, read as what they may be: hostile. Values only; nothing is computed or followed."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from typing import Any, Final

from service.desk.tables import DANGEROUS
from service.errors import Fault, Invalid

MOST_BYTES = 2_000_000
MOST_ROWS = 500
MOST_COLUMNS = 100
LONGEST_CELL = 1_000
MOST_UNPACKED, MOST_PARTS = 20_000_000, 200
"""What a workbook may hold unpacked; a bomb is refused by its own directory and never unpacked."""
POINTER = "/berkas"
NUMBER: Final = "\x00number"
FORMULA: Final = "\x00formula"
"""Cells that stand for no text: a number, which a spreadsheet rounds after fifteen digits, and a formula."""
_ZIP = b"PK\x03\x04"
# Entities that multiply (CWE-776) and files of the host (CWE-611) begin with a declaration, which no spreadsheet writes.
_DECLARED = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)


def read(data: bytes) -> list[list[str]]:
    """Return the rows with anything in them, header first, each cell as clean text.

    Raises Invalid: sheet_empty, sheet_too_large, sheet_rows, sheet_columns, sheet_unreadable, sheet_encoding.
    """
    if not data.strip():
        raise _fault("sheet_empty")
    if len(data) > MOST_BYTES:
        raise _fault("sheet_too_large", limit=str(MOST_BYTES // 1_000_000))
    rows = list(_bounded(_workbook(data) if data.startswith(_ZIP) else _text(data)))
    if not rows:
        raise _fault("sheet_empty")
    return rows


def _bounded(rows: Iterable[list[str]]) -> Iterator[list[str]]:
    kept = 0
    for row in rows:
        while row and not row[-1]:
            row.pop()
        if not row:
            continue
        kept += 1
        if kept > MOST_ROWS + 1:
            raise _fault("sheet_rows", limit=str(MOST_ROWS))
        if len(row) > MOST_COLUMNS:
            raise _fault("sheet_columns", limit=str(MOST_COLUMNS))
        yield row


def _text(data: bytes) -> Iterator[list[str]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _fault("sheet_encoding") from None
    if "\x00" in text:
        raise _fault("sheet_unreadable")
    first = text.lstrip().partition("\n")[0]
    delimiter = max(";,\t", key=first.count)
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
            yield [_cell(value) for value in row]
    except csv.Error:
        raise _fault("sheet_unreadable") from None


def _workbook(data: bytes) -> Iterator[list[str]]:
    from openpyxl import load_workbook

    _refuse_bomb(data)
    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=False, keep_links=False)
        sheet = book.worksheets[0]
        rows = sheet.iter_rows(max_row=10 * MOST_ROWS, max_col=MOST_COLUMNS + 1)
        found = [[_typed(cell.value, cell.data_type) for cell in row] for row in rows]
        book.close()
    except Exception:  # noqa: BLE001 - a hostile workbook breaks the reader in many ways; its message may quote it
        raise _fault("sheet_unreadable") from None
    yield from found


def _refuse_bomb(data: bytes) -> None:
    """Refuse what unpacks to too much, and XML that declares entities of its own."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            listed = parts.infolist()
            if len(listed) > MOST_PARTS or sum(one.file_size for one in listed) > MOST_UNPACKED:
                raise _fault("sheet_too_large", limit=str(MOST_BYTES // 1_000_000))
            if any(_declares(parts.read(one)) for one in listed):  # reads no more than the directory says
                raise _fault("sheet_unreadable")
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError, RuntimeError, MemoryError):
        raise _fault("sheet_unreadable") from None


def _declares(part: bytes) -> bool:
    """Tell whether XML declares entities, or hides in another encoding whether it does."""
    return _DECLARED.search(part) is not None or part.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00<" in part[:8]


def _typed(value: Any, kind: str) -> str:
    """Return a cell's text; of a date what a form would carry."""
    if kind == "f":
        return FORMULA
    if isinstance(value, date):
        whole_day = not isinstance(value, datetime) or value.time() == time()
        return value.strftime("%Y-%m-%d") if whole_day else value.strftime("%Y-%m-%dT%H:%M")
    if isinstance(value, bool):
        return "ya" if value else "tidak"
    if isinstance(value, int | float):
        return NUMBER + (str(int(value)) if value == int(value) else str(value))
    return "" if value is None else _cell(str(value))


def _cell(text: str) -> str:
    """A text that a spreadsheet would take for a formula is none of ours, and nobody's name; our own apostrophe goes again."""
    text = text.strip()
    if text.startswith("'") and text[1:].startswith(DANGEROUS):
        text = text[1:]
    if text.startswith(("=", "@")):
        return FORMULA
    return text[: LONGEST_CELL + 1]


def _fault(code: str, **params: str) -> Invalid:
    return Invalid(faults=(Fault(POINTER, code, params),))
