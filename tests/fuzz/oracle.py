"""What may be said of a changed file, and what makes a change none."""

from __future__ import annotations

import io
import re
from decimal import Decimal
from typing import Final

import pikepdf

from service.verification import Verdict
from tests.fuzz.house import Seed

GOOD: Final = {Verdict.IDENTICAL, Verdict.AUTHENTIC, Verdict.SUPERSEDED}
_RANGE: Final = re.compile(rb"/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*\]")
_ROOT: Final = (-1, 0)
_FREE: Final = {
    "signature": {"/Contents"},
    "catalogue": {"/DSS", "/Extensions", "/Metadata", "/Version", "/MarkInfo"},
    "form": {"/SigFlags", "/NeedAppearances", "/DA", "/DR", "/Q"},
    "field": {"/Ff", "/P", "/Type"},
    "page": {"/LastModified", "/PieceInfo", "/Tabs", "/Parent"},
}
"""What any program may write behind a signature and no page shows; and what a signature itself is."""
_OF_NOTHING: Final = {"/Length"}
_INHERITED: Final = ("/Resources", "/MediaBox", "/CropBox", "/Rotate")
_OF_A_TREE: Final = {"/Kids", *_INHERITED}


def is_finding(seed: Seed, changed: bytes, verdict: Verdict) -> bool:
    """Whether `verdict` praises a file that is not what was signed.

    Never for a file of ours. For a stranger's there is one excuse: every signed byte is as it was, and so is every object of
    the document. Then only what nobody signed differs, such as a certificate that nobody needs in a signature's own bag.
    """
    if verdict in GOOD:
        return True
    return verdict is Verdict.FOREIGN and not (seed.kind == "foreign" and says_the_same(seed.pdf, changed))


def says_the_same(before: bytes, after: bytes) -> bool:
    """Whether both have the same signed bytes at the same places, and qpdf, without mending anything, the same document."""
    spans = [tuple(map(int, found.groups())) for found in _RANGE.finditer(before)]
    same = all(before[a : a + b] == after[a : a + b] and before[c : c + d] == after[c : c + d] for a, b, c, d in spans)
    try:
        return same and _document(before) == _document(after)
    except (pikepdf.PdfError, ValueError, TypeError, AttributeError, RecursionError):
        return False


def _document(pdf: bytes) -> dict[tuple[int, int], object]:
    """Every object that can be reached from the catalogue, without what may be added and is shown on no page."""
    with pikepdf.open(io.BytesIO(pdf), attempt_recovery=False) as document:
        waiting: list[pikepdf.Object] = []
        found: dict[tuple[int, int], object] = {_ROOT: _plain(document.Root, waiting)}
        while waiting:
            one = waiting.pop()
            if one.objgen not in found:
                found[one.objgen] = _plain(one, waiting)
        return found


def _plain(one: pikepdf.Object, waiting: list[pikepdf.Object]) -> object:
    if isinstance(one, pikepdf.Stream):
        return (_pairs(one, _OF_NOTHING, waiting), one.read_raw_bytes())
    if isinstance(one, pikepdf.Dictionary):
        role = _role(one)
        free = set(one.keys()) - _OF_A_TREE if role == "tree" else _FREE.get(role, set()) | _OF_NOTHING
        above = tuple(_value(_inherited(one, key), waiting) for key in _INHERITED) if role == "page" else ()
        return (_pairs(one, free, waiting), above)
    if isinstance(one, pikepdf.Array):
        return tuple(_value(value, waiting) for value in one)
    return one.unparse()


def _inherited(page: pikepdf.Object, key: str) -> object:
    for _ in range(20):
        if key in page:
            break
        page = page.get("/Parent", pikepdf.Dictionary())
    return page.get(key)


def _role(one: pikepdf.Object) -> str:
    marks = (
        ("/Kids", "tree" if "/Count" in one else ""),
        ("/ByteRange", "signature"),
        ("/Pages", "catalogue"),
        ("/Fields", "form"),
        ("/FT", "field"),
    )
    if one.get("/Type") == "/Page":
        return "page"
    return next((role for key, role in marks if role and key in one), "")


def _pairs(one: pikepdf.Object, free: set[str], waiting: list[pikepdf.Object]) -> object:
    """Entries whose value is null are as good as absent (ISO 32000-2, 7.3.9)."""
    kept = ((key, value) for key, value in one.items() if key not in free and value is not None)
    return tuple(sorted(((key, _value(value, waiting)) for key, value in kept), key=lambda pair: pair[0]))


def _value(value: object, waiting: list[pikepdf.Object]) -> object:
    if not isinstance(value, pikepdf.Object):
        number = isinstance(value, int | Decimal) and not isinstance(value, bool)
        return ("number" if number else type(value).__name__, value)
    if value.is_indirect and not _is_leaf(value):
        waiting.append(value)
        return value.objgen
    return _plain(value, waiting)


def _is_leaf(value: pikepdf.Object) -> bool:
    """Whether nothing stands below it: then it says the same in its place as under a number of its own."""
    if isinstance(value, pikepdf.Stream):
        return False
    below = value.values() if isinstance(value, pikepdf.Dictionary) else value
    holds = isinstance(value, pikepdf.Dictionary | pikepdf.Array)
    return not holds or not any(isinstance(one, pikepdf.Dictionary | pikepdf.Array | pikepdf.Stream) for one in below)
