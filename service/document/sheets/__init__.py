"""Sheets that are no permits: a pick-up ticket, pages of the register book. Typeset like permits, kept nowhere, signed by nobody."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import segno
import typst

from service.document.typeset import FONTS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

STANDARDS: list[typst.PDFStandard] = ["a-2b"]


def ticket(templates: Path, given: Mapping[str, Any], code: str, *, timestamp: datetime) -> bytes:
    """Return the A6 ticket with `code` also as a QR symbol, which counters scan."""
    symbol = segno.make(code, error="m", micro=False).svg_inline(border=2, omitsize=True)
    drawing = symbol.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return _typeset(templates, "ticket", given, timestamp, {"symbol.svg": drawing.encode()})


def book(templates: Path, given: Mapping[str, Any], *, timestamp: datetime) -> bytes:
    """Return the register book's pages, landscape, with a number on each."""
    return _typeset(templates, "book", given, timestamp, {})


def _typeset(
    templates: Path, name: str, given: Mapping[str, Any], timestamp: datetime, more: Mapping[str, bytes]
) -> bytes:
    source = resources.files(__package__).joinpath(f"{name}.typ").read_bytes()
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(templates / FONTS)])
    compiler = typst.Compiler(None, root=str(templates), font_paths=fonts, ignore_system_fonts=True)
    files = {"main.typ": source, "given.json": json.dumps(given, ensure_ascii=False).encode(), **more}
    pdf = compiler.compile(input=files, pdf_standards=STANDARDS, timestamp=timestamp.replace(microsecond=0))  # type: ignore[type-var]  # as in typeset
    assert isinstance(pdf, bytes)
    return pdf
