"""What became of a document after each of its signatures, by readers that owe nothing to each other.

qpdf (through pikepdf, which repairs nothing here) says what changed, pdfium shows whether it looks the same, and both must see the
document that pyHanko sees. Finds changes that no signature permits, and doubts that nobody could dispel.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Any, Final

import pikepdf
import pypdfium2
from pyhanko.pdf_utils.reader import PdfFileReader

from signing.behind import bytes_behind
from signing.formtree import nodes
from signing.laterchanges import Allowed, later_changes
from signing.samegraph import TooMuch
from signing.samelook import Looks

_MOST_PAGES: Final = 5000
_MOST_REVISIONS: Final = 64
_RANGE: Final = b"/ByteRange"
_EOF: Final = re.compile(rb"%%EOF")
_LINE_END: Final = 4
_EMPTY: Final = b" \t\r\n\f\0"


@dataclass(frozen=True, slots=True)
class Signed:
    """One signature: where it ends, its byte range, and what it allows afterwards."""

    end: int
    byte_range: tuple[int, ...]
    permission: int | None
    locked: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class After:
    """`changes` make the file another one; `doubts` are reasons not to say that it is the same."""

    changes: frozenset[str] = frozenset()
    doubts: frozenset[str] = frozenset()
    embedded_files: int = 0
    scripts: bool = False


def after_signing(pdf: bytes, reader: PdfFileReader, signed: Sequence[Signed]) -> After:
    """Compare each signed revision with the next, and the last with the whole file. Raises nothing that a file provokes."""
    try:
        whole = _open(pdf)
    except (pikepdf.PdfError, ValueError):
        harmless = pdf.count(_RANGE) == len(signed) and (not signed or _is_whole(pdf, signed))
        return After(doubts=frozenset() if harmless else frozenset({"readers"}))
    with whole:
        carried = len(whole.attachments), _scripted(whole)
        if not signed and _RANGE not in pdf:
            return After(frozenset(), frozenset(), *carried)
        changes, doubts = set[str](), set[str]()
        if not _is_whole(pdf, signed) and not _agree(whole, reader):
            doubts.add("readers")
        if pdf.count(_RANGE) > len(signed):
            _look_for_lost(pdf, whole, signed, changes, doubts)
        if signed:
            behind = bytes_behind(pdf, min(one.end for one in signed), reader)
            if behind in {"bytes", "odd"}:
                (changes if behind == "bytes" else doubts).add("bytes_behind")
            _compare(pdf, signed, changes, doubts)
        return After(frozenset(changes), frozenset(doubts), *carried)


def _is_whole(pdf: bytes, signed: Sequence[Signed]) -> bool:
    """Whether one signature alone covers the whole file: however odd its form is, it is what the signer saw and signed."""
    return len(signed) == 1 and not pdf[signed[0].end :].strip(_EMPTY)


def _scripted(whole: pikepdf.Pdf) -> bool:
    """Whether opening the document runs a script."""
    action = whole.Root.get("/OpenAction")
    return "/JavaScript" in whole.Root.get("/Names", {}) or (
        isinstance(action, pikepdf.Dictionary) and action.get("/S") == "/JavaScript"
    )


def _look_for_lost(
    pdf: bytes, whole: pikepdf.Pdf, signed: Sequence[Signed], changes: set[str], doubts: set[str]
) -> None:
    """There are more byte ranges than signatures: an earlier revision may have had one that a later one took away."""
    known = {one.byte_range for one in signed}
    for end in islice((found.end() for found in _EOF.finditer(pdf)), _MOST_REVISIONS):
        try:
            with _open(pdf[:end]) as revision:
                if {_range(node.value) for node in nodes(revision) if node.is_signed} - known:
                    changes.add("signature_missing")
        except (pikepdf.PdfError, ValueError, TypeError, KeyError, AttributeError):
            continue
    in_form = {node.dictionary.objgen for node in nodes(whole)}
    for page in whole.pages:
        for widget in page.obj.get("/Annots", ()):
            if widget.get("/FT") == "/Sig" and "/V" in widget and widget.objgen not in in_form:
                doubts.add("stray_signature")


def _compare(pdf: bytes, signed: Sequence[Signed], changes: set[str], doubts: set[str]) -> None:
    ends = _ends(pdf, {one.end for one in signed})
    looks, twice = Looks(), 0
    before = _revision(pdf, ends[0], signed, changes)
    for start, end in pairwise(ends):
        after = _revision(pdf, end, signed, changes) if before else None
        if before is None or after is None:
            return
        try:
            found = later_changes(before, after, _allowed(signed, start))
            changes |= found.changes
            doubts |= found.doubts
            twice, had_twice = _said_twice(after), twice + _said_twice(before)
            if twice > had_twice:
                doubts.add("readers")
            if not found.changes:
                doubts |= looks.differ(pdf, (start, end), found.filled, found.added)
        except TooMuch:
            doubts.add("too_much")
        except (pikepdf.PdfError, pypdfium2.PdfiumError, ValueError, TypeError, KeyError, AttributeError):
            doubts.add("readers")
        before.close()
        before = after
    before.close() if before else None


def _ends(pdf: bytes, signed: set[int]) -> list[int]:
    """Where revisions end from the first signature on: at the signatures, at updates between them, and with the file."""
    first, last = min(signed), max(signed)
    between = {found.end() for found in islice(_EOF.finditer(pdf, first), _MOST_REVISIONS)}
    near = {end + blank for end in signed for blank in range(-_LINE_END, 1)}
    whole = {len(pdf)} if pdf[last:].strip(_EMPTY) else set[int]()
    between = {end for end in between - near if pdf[end:].strip(_EMPTY) and _is_revision(pdf[:end])}
    return sorted(signed | between | whole)


def _said_twice(document: pikepdf.Pdf) -> int:
    """How many dictionaries, of those read since this was last asked, give one key two values: readers choose either."""
    return sum("duplicated key" in one for one in document.get_warnings())


def _is_revision(pdf: bytes) -> bool:
    try:
        _open(pdf).close()
    except (pikepdf.PdfError, ValueError):
        return False
    return True


def _revision(pdf: bytes, end: int, signed: Sequence[Signed], changes: set[str]) -> pikepdf.Pdf | None:
    """The document as it stood at `end`, which must hold the signatures that end there."""
    try:
        revision = _open(pdf[:end])
        there = {_range(node.value) for node in nodes(revision) if node.is_signed}
    except (pikepdf.PdfError, ValueError, TypeError):
        changes.add("coverage")
        return None
    if not {one.byte_range for one in signed if one.end == end} <= there:
        changes.add("coverage")
    return revision


def _range(value: Any) -> tuple[int, ...]:
    return tuple(int(number) for number in value.get("/ByteRange", ()))


def _allowed(signed: Sequence[Signed], end: int) -> Allowed:
    """What all signatures up to here permit together."""
    so_far = [one for one in signed if one.end <= end]
    permissions = [one.permission for one in so_far if one.permission is not None]
    return Allowed(min(permissions, default=None), lambda name: any(one.locked(name) for one in so_far))


def _open(pdf: bytes) -> pikepdf.Pdf:
    return pikepdf.open(io.BytesIO(pdf), attempt_recovery=False, suppress_warnings=True)


def _agree(whole: pikepdf.Pdf, reader: PdfFileReader) -> bool:
    """Whether qpdf and pyHanko see the same catalogue, pages and form fields."""
    try:
        root = reader.root_ref
        fields = {(node.name, node.dictionary.objgen) for node in nodes(whole) if not node.widget}
        pages = [page.obj.objgen for page in whole.pages]
        return (
            whole.Root.objgen == (root.idnum, root.generation) and pages == _pages(reader) and fields == _fields(reader)
        )
    except (pikepdf.PdfError, ValueError, TypeError, KeyError, AttributeError):
        return False


def _pages(reader: PdfFileReader) -> list[tuple[int, int]]:
    found, waiting = list[tuple[int, int]](), [reader.root.raw_get("/Pages")]
    while waiting:
        reference = waiting.pop()
        node: Any = reference.get_object()
        if "/Kids" in node:
            waiting.extend(reversed(list(node["/Kids"])))
        else:
            found.append((reference.idnum, reference.generation))
        if len(found) + len(waiting) > _MOST_PAGES:
            raise ValueError("too many pages")
    return found


def _fields(reader: PdfFileReader) -> set[tuple[str, tuple[int, int]]]:
    found = set[tuple[str, tuple[int, int]]]()
    if "/AcroForm" not in reader.root or "/Fields" not in reader.root["/AcroForm"]:
        return found
    waiting = [("", field) for field in reader.root["/AcroForm"]["/Fields"]]
    while waiting:
        above, raw = waiting.pop()
        field: Any = raw.get_object()
        if not (above and "/T" not in field):
            above = ".".join(filter(None, (above, str(field["/T"]) if "/T" in field else "")))
            found.add((above, (raw.idnum, raw.generation) if hasattr(raw, "idnum") else (0, 0)))
        waiting.extend((above, kid) for kid in _kids(field))
    return found


def _kids(field: Any) -> Any:
    return field["/Kids"] if "/Kids" in field else ()  # noqa: SIM401  # pyHanko's get() doesn't follow a reference
