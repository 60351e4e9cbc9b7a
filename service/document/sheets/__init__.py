"""Sheets that are no permits: ticket, receipt, pages of the register book. Typeset like permits, kept nowhere, sealed by nobody."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import segno
import typst
import zxingcpp

from service.document.typeset import FONTS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

STANDARDS: list[typst.PDFStandard] = ["a-2b"]


def ticket(templates: Path, given: Mapping[str, Any], code: str, *, timestamp: datetime) -> bytes:
    """Return the A6 ticket with `code` also as QR and as Code 128: counters have scanners for the one or the other."""
    symbol = segno.make(code, error="m", micro=False).svg_inline(border=2, omitsize=True)
    drawing = symbol.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    bars = zxingcpp.create_barcode(code, zxingcpp.BarcodeFormat.Code128).to_svg()
    return _typeset(templates, "ticket", given, timestamp, {"symbol.svg": drawing.encode(), "bars.svg": bars.encode()})


def receipt(templates: Path, given: Mapping[str, Any], *, timestamp: datetime) -> bytes:
    """Return what one bearer got, with room for two signatures."""
    return _typeset(templates, "receipt", given, timestamp, {})


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
