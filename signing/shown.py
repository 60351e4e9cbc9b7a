"""Finds a text on a page by reading the page's own operators: quick, and sure only where a page is as our typesetter writes it.

Whoever gets no yes here asks a whole PDF reader (`drawing.page_text`), which takes ten times as long.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import pikepdf
from pikepdf import Name

_NUMBER: Final = rb"-?\d+(?:\.\d+)?"
_KERNING: Final = re.compile(rb"\)NUM\(".replace(b"NUM", _NUMBER))
_NO_KERNING: Final = re.compile(rb"\\\)NUM\(".replace(b"NUM", _NUMBER))
_LINE: Final = re.compile(
    rb"BT 0 Tr/\w+ (NUM) Tf 1 0 0 -1 0 0 Tm\[\(((?:[^()\\]|\\.)*)\)\]TJ\n".replace(b"NUM", _NUMBER), re.DOTALL
)
"""One line of text without its kerning: drawn (not invisible), in one font, upright once the `cm` before it has turned it over."""
_ESCAPE: Final = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_ESCAPED: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_WRITTEN: Final = {meant[0]: b"\\" + letter for letter, meant in _ESCAPED.items()} | {
    byte: b"\\%c" % byte for byte in b"()\\"
}
_MEANT: Final = (
    {bytes((byte,)): bytes((byte,)) for byte in range(256)}
    | _ESCAPED
    | {b"%03o" % code: bytes((code & 0xFF,)) for code in range(0o1000)}
)
_NO_OPERATOR: Final = re.compile(rb"\((?:[^()\\]|\\.)*\)|<[0-9A-Fa-f\s]*>|/[^\s/\[\]<>()]+", re.DOTALL)
_CLOSED: Final = re.compile(rb"q[^qQ]*Q")
_MATRIX: Final = re.compile(rb"((?:[-+.\d]+\s+){6})cm")
_LETTER: Final = re.compile(rb"<([0-9A-Fa-f]{4})> <([0-9A-Fa-f]{4})>\n")
_INLINE_IMAGE: Final = re.compile(rb"\bBI\b")
_CONTROLS: Final = 0x20
_SMALLEST: Final = 4.0
"""Points: what is smaller isn't shown."""

Matrix = tuple[float, float, float, float, float, float]
_NOWHERE: Final[Matrix] = (0, 0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class _Font:
    """Two-byte codes by letter, as a string holds them, and letters by code; widths by code in 1/1000 of the type size, 1000 for none."""

    written: dict[str, bytes]
    letters: dict[bytes, str]
    widths: dict[bytes, float]


def is_shown(document: pikepdf.Pdf, text: str) -> bool:
    """Tell whether a page surely shows `text` in one line, white space aside. No means: not found this way."""
    words = " ".join(text.split())
    return bool(words) and any(_shows(page.obj, words) for page in document.pages)


def _shows(page: pikepdf.Object, words: str) -> bool:
    contents = page.get("/Contents")
    if not isinstance(contents, pikepdf.Stream) or set(page.keys()) & {"/Rotate", "/CropBox", "/UserUnit"}:
        return False
    content, resources = contents.read_bytes(), page.Resources
    if "/Properties" in resources:
        return False  # optional content
    fonts = ((name[1:].encode(), _font(entry)) for name, entry in resources.Font.items())
    return any(font and _is_in(content, name, font, words, page.MediaBox) for name, font in fonts)


def _font(font: pikepdf.Object) -> _Font | None:
    if font.get("/Subtype") != Name.Type0 or font.get("/Encoding") != Name("/Identity-H") or "/ToUnicode" not in font:
        return None
    return _read_font(font.ToUnicode.read_bytes(), font.DescendantFonts[0].W.unparse())


@lru_cache(maxsize=32)
def _read_font(table: bytes, widths: bytes) -> _Font:
    if b"beginbfrange" in table:
        return _Font({}, {}, {})
    letters = {bytes.fromhex(code.decode()): chr(int(letter, 16)) for code, letter in _LETTER.findall(table)}
    row = [] if b"[" in widths[1:-1] else widths[1:-1].split()
    runs = zip(map(int, row[::3]), map(int, row[1::3]), map(float, row[2::3]), strict=True)
    wide = {code.to_bytes(2, "big"): width for first, last, width in runs for code in range(first, last + 1)}
    return _Font({letter: _escaped(code) for code, letter in letters.items()}, letters, wide)


def _escaped(code: bytes) -> bytes:
    return b"".join(_WRITTEN.get(byte) or (b"%c" if byte >= _CONTROLS else b"\\%03o") % byte for byte in code)


def _is_in(content: bytes, name: bytes, font: _Font, words: str, box: pikepdf.Object) -> bool:
    """Look for the words as they would be written in this font; then read that line in earnest."""
    letters = [font.written[letter] for letter in words if letter in font.written]
    found = next(_lines(content, name, letters), None) if len(letters) == len(words) else None
    if found is None:
        return False
    at, line = found
    codes = _ESCAPE.sub(_unescaped, line[2])
    pairs = [codes[start : start + 2] for start in range(0, len(codes), 2)]
    width = sum(font.widths.get(pair, 1000) for pair in pairs) / 1000
    read = "".join(font.letters.get(pair, "\0") for pair in pairs)
    return words in read and _is_inside(content[:at], float(line[1]), width, box)


def _lines(content: bytes, name: bytes, letters: list[bytes]) -> Iterator[tuple[int, re.Match[bytes]]]:
    """The lines of one font that hold these letters once their kerning is taken out, and where they begin."""
    written, needed = b"".join(letters), set(letters)
    head = b"BT 0 Tr/%s " % name
    at = content.find(head)
    while at >= 0:
        end = content.find(b"]TJ\n", at) + len(b"]TJ\n")
        raw = content[at:end]
        if all(letter in raw for letter in needed) and not _NO_KERNING.search(raw):  # an escaped bracket might close
            plain = _KERNING.sub(b"", raw)
            line = _LINE.fullmatch(plain) if written in plain else None
            if line:
                yield at, line
        at = content.find(head, at + 1)


def _unescaped(found: re.Match[bytes]) -> bytes:
    return _MEANT[found[1]]


def _is_inside(before: bytes, size: float, width: float, box: pikepdf.Object) -> bool:
    """Tell whether a line that `before` leads up to stands upright, readable and whole on the page."""
    x_scale, skew_a, skew_b, y_scale, x, y = _matrix(before)
    left, bottom, right, top = (float(edge) for edge in box)
    upright = x_scale > 0 > y_scale and not skew_a and not skew_b
    readable = min(x_scale, -y_scale) * size >= _SMALLEST
    height = -y_scale * size
    return (
        upright
        and readable
        and left <= x
        and x + width * size * x_scale <= right
        and bottom + height <= y <= top - height
    )


@lru_cache(maxsize=16)  # permits of one kind begin alike
def _matrix(before: bytes) -> Matrix:
    """The matrix after these operators: those of all `cm` that no Q has ended; none if they can't be told from text or pictures."""
    if b"BI" in before and _INLINE_IMAGE.search(before):
        return _NOWHERE
    rest, closed = _NO_OPERATOR.sub(b"", before), 1
    while closed:
        rest, closed = _CLOSED.subn(b"", rest)
    matrix: Matrix = (1, 0, 0, 1, 0, 0)
    rows = _MATRIX.findall(rest)
    if len(rows) != rest.count(b"cm") or b"(" in rest or b")" in rest:
        return _NOWHERE
    for row in rows:
        a, b, c, d, e, f = (float(number) for number in row.split())
        p, q, r, s, t, u = matrix
        matrix = (a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s, e * p + f * r + t, e * q + f * s + u)
    return matrix
