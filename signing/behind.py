"""Accounts for the bytes behind a signature: whole updates that every reader sees alike, or bytes that one may read and others not."""

from __future__ import annotations

import re
from typing import Final, Literal

from pyhanko.pdf_utils.generic import Reference
from pyhanko.pdf_utils.reader import PdfFileReader

_BLANK: Final = re.compile(rb"(?:[\s\0]|%(?!%EOF)[^\r\n]*)*")
_EMPTY: Final = b" \t\r\n\f\0"
_OBJECT: Final = re.compile(rb"(\d{1,10})\s+(\d{1,5})\s+obj\b")
_TABLE: Final = re.compile(rb"xref\b.{0,4000000}?trailer\b", re.DOTALL)
_END: Final = re.compile(rb"startxref\s+(\d{1,12})\s+%%EOF")
_LAST: Final = re.compile(rb"startxref\s+(\d{1,12})\s+%%EOF\s*\Z")
_DICTIONARY_ENDS: Final = b"startxref"

Behind = Literal["nothing", "updates", "odd", "bytes"]


def bytes_behind(pdf: bytes, end: int, reader: PdfFileReader) -> Behind:
    """Say what `pdf[end:]` is: nothing (white space), `updates`, updates with something `odd` in between, or mere `bytes`.

    A reader that repairs files takes objects that no cross-reference names; so may a reader that looks for the last
    `%%EOF` elsewhere. Honest writers leave neither.
    """
    rest = pdf[end:].strip(_EMPTY)
    if not rest:
        return "nothing"
    last = _LAST.search(pdf.rstrip(_EMPTY), max(end, len(pdf) - 2048))
    sections = _sections(reader)
    if not last or not any(end <= section < last.start() for section in sections):
        return "bytes"
    if int(last[1]) != reader.last_startxref or int(last[1]) < end:
        return "odd"
    return "updates" if _accounted(pdf, end, reader, sections) else "odd"


def _sections(reader: PdfFileReader) -> set[int]:
    """Where the cross-reference sections of all revisions begin."""
    return {int(reader.xrefs.get_startxref_for_revision(number)) for number in range(reader.xrefs.total_revisions)}


def _accounted(pdf: bytes, at: int, reader: PdfFileReader, sections: set[int]) -> bool:
    fresh = False
    while True:
        blank = at
        at = _BLANK.match(pdf, at).end()  # type: ignore[union-attr]  # matches the empty string too
        if at >= len(pdf):
            return True
        if found := _OBJECT.match(pdf, at):
            places = sections | _places(reader, int(found[1]), int(found[2]))
            if not any(blank <= place <= at for place in places):
                return False
            at, fresh = _after_object(pdf, found.end()), True
        elif found := _TABLE.match(pdf, at):
            at, fresh = pdf.find(_DICTIONARY_ENDS, found.end()), True
        elif fresh and (found := _END.match(pdf, at)):
            at, fresh = found.end(), False
        else:
            return False
        if at < 0:
            return False


def _places(reader: PdfFileReader, number: int, generation: int) -> set[int]:
    """Where any revision says that this object is."""
    reference = Reference(number, generation, reader)
    found = set()
    for revision in range(reader.xrefs.total_revisions):
        try:
            place = reader.xrefs.get_historical_ref(reference, revision)
        except KeyError:
            continue
        if isinstance(place, int):
            found.add(place)
    return found


def _after_object(pdf: bytes, at: int) -> int:
    """Behind `endobj`; that of an embedded object leaves a rest which is then not accounted for."""
    found = pdf.find(b"endobj", at)
    return found + len(b"endobj") if found >= 0 else -1
