"""Reads back what our appearances draw: the text of a filled field, the modules of a QR code, a page as drawn."""

from __future__ import annotations

import re
from functools import lru_cache, reduce
from operator import or_
from typing import Any, Final

import pikepdf
import pypdfium2

from signing.appearance import QUIET_ZONE
from signing.errors import ProofFailed
from signing.filling import BASELINE, PADDING, SMALLEST

_VALUE: Final = ["BMC", "q", "BT", "Tf", "g", "Td", "Tj", "ET", "Q", "EMC"]
_NEAR: Final = 0.01
"""Points: what rounding to thousandths leaves."""
_PATHS_ONLY: Final = frozenset(b"/Artifact BMC EMC q Q cm w G g re f S".split())
_NUMERAL: Final = re.compile(rb"-?\d{1,9}(?:\.\d{1,9})?")
_QR: Final = re.compile(
    rb"/Artifact BMC q (?P<scale>NUM) 0 0 (?P<scale_y>NUM) (?P<x>NUM) (?P<y>NUM) cm "
    rb"1 g 0 0 (?P<across>INT) (?P<up>INT) re f 0 g\n(?P<runs>[\d re\n]+) f Q EMC".replace(b"INT", rb"\d{1,4}").replace(
        b"NUM", _NUMERAL.pattern
    )
)
"""A white square, and on it one black path in whole modules: read as it is written, so that no other way to write it passes."""
_RUN: Final = re.compile(rb"(\d{1,4}) (\d{1,4}) (\d{1,4}) 1 re")
_MOST_RUNS: Final = 8192
_FEWEST_MODULES: Final = 21
_LINE_END_HYPHEN: Final = "\x02"
"""What pdfium says for a hyphen that ends a line: it takes it for that of a divided word."""
_MODULES: Final = bytes.maketrans(b"01", b"\0\1")


def drawn_value(field: pikepdf.Object, font: pikepdf.Object, resource: str) -> str:
    """The text that a filled field shows: black, one line, in the document's own field font, inside the box."""
    stream = field.AP.N
    steps = _steps(stream)
    if [operator for operator, _ in steps] != _VALUE or list(field.AP.keys()) != ["/N"]:
        raise ProofFailed("proof_values", f"{field.T}: not one line of text")
    drawn = dict(steps)
    fonts = stream.Resources.Font
    if str(drawn["Tf"][0]) != resource or fonts[resource].objgen != font.objgen or list(fonts.keys()) != [resource]:
        raise ProofFailed("proof_values", f"{field.T}: other font")
    _prove_look(field, font, drawn)
    return bytes(drawn["Tj"][0]).decode("cp1252")


def _prove_look(field: pikepdf.Object, font: pikepdf.Object, drawn: dict[str, list[Any]]) -> None:
    """Black, from the left edge, on the page's own baseline, in its own size or hardly smaller, and whole inside the box."""
    left, bottom, right, top = (float(edge) for edge in field.AP.N.BBox)
    x, y, size = float(drawn["Td"][0]), float(drawn["Td"][1]), float(drawn["Tf"][1])
    wanted = float(bytes(field.DA).split(b" Tf")[0].split()[-1])
    codes, first, widths = bytes(drawn["Tj"][0]), int(font.FirstChar), font.Widths
    end = x + sum(int(widths[code - first]) for code in codes) * size / 1000
    placed = abs(x - left - PADDING) < _NEAR and abs(y - bottom - BASELINE * wanted) < _NEAR
    sized = SMALLEST * wanted - _NEAR < size < wanted + _NEAR and y + size / 2 < top
    if float(drawn["g"][0]) or not (placed and sized and end < right - PADDING + _NEAR):
        raise ProofFailed("proof_values", f"{field.T}: not as it should look")


def prove_paths_only(field: pikepdf.Object) -> None:
    """A signature's appearance holds path operators and no resource. Raises ProofFailed proof_qr."""
    stream = field.AP.N
    _prove_alone(field, stream)
    words = {word for word in set(stream.read_bytes().split()) if not _NUMERAL.fullmatch(word)}
    strangers = sorted(words - _PATHS_ONLY)
    if strangers:
        raise ProofFailed("proof_qr", f"{field.T}: more than paths {strangers}")


def drawn_modules(field: pikepdf.Object) -> tuple[bytes, ...]:
    """The QR code that a signature's appearance draws: rows of modules, 1 = dark, without the quiet zone.

    Raises ProofFailed proof_qr: anything but one black path in whole modules on a white square inside the box.
    """
    stream = field.AP.N
    _prove_alone(field, stream)
    drawn = _QR.fullmatch(stream.read_bytes())
    if not drawn:
        raise ProofFailed("proof_qr", "no QR code")
    across = int(drawn["across"])
    _prove_square(stream.BBox, [float(drawn[key]) for key in ("scale", "scale_y", "x", "y")], across)
    if int(drawn["up"]) != across:
        raise ProofFailed("proof_qr", "no square")
    runs = map(_runs(across).__getitem__, drawn["runs"].split(b"\n"))
    grid = format(reduce(or_, runs), f"0{across * across}b").encode().translate(_MODULES)
    inner = range(QUIET_ZONE, across - QUIET_ZONE)
    rows = [grid[line * across + inner.start : line * across + inner.stop] for line in inner]
    if grid.count(1) != b"".join(rows).count(1):
        raise ProofFailed("proof_qr", "quiet zone")
    return tuple(rows)


def mask_of(modules: tuple[bytes, ...]) -> int:
    """The mask that a QR code names (ISO/IEC 18004, 7.9.1). Raises ProofFailed proof_qr: fewer modules than a code has."""
    if len(modules) < _FEWEST_MODULES:
        raise ProofFailed("proof_qr", "no QR code")
    high, middle, low = modules[8][2:5]
    return int((high ^ 1) << 2 | middle << 1 | low ^ 1)


class _Runs(dict[bytes, int]):
    """Runs of dark modules in a square, as numbers of one bit a module: codes of one size are made of the same few thousand."""

    def __init__(self, across: int) -> None:
        super().__init__()
        self._across = across

    def __missing__(self, written: bytes) -> int:
        run, across = _RUN.fullmatch(written), self._across
        if not run:
            raise ProofFailed("proof_qr", "no QR code")
        x, y, width = map(int, run.groups())
        if width < 1 or x + width > across or y >= across:
            raise ProofFailed("proof_qr", "a module outside the square")
        if len(self) >= _MOST_RUNS:
            self.clear()
        dark = self[written] = ((1 << width) - 1) << (across * (y + 1) - x - width)
        return dark


_runs = lru_cache(maxsize=4)(_Runs)


def _prove_alone(field: pikepdf.Object, stream: pikepdf.Object) -> None:
    """It is the field's one appearance and takes nothing from elsewhere."""
    if len(stream.get("/Resources", {})) or list(field.AP.keys()) != ["/N"]:
        raise ProofFailed("proof_qr", f"{field.T}: more than paths")


def _prove_square(box: Any, matrix: list[float], across: int) -> None:
    """The white square lies upright inside `box`."""
    left, low, right, high = (float(edge) for edge in box)
    scale, scale_y, x, y = matrix
    room = scale * across - 0.1
    inside = (
        min(left, right) <= x and x + room <= max(left, right) and min(low, high) <= y and y + room <= max(low, high)
    )
    if scale != scale_y or scale <= 0 or not inside:
        raise ProofFailed("proof_qr", "not an upright square inside its box")


def _steps(stream: pikepdf.Object) -> list[tuple[str, list[Any]]]:
    return [(str(step.operator), list(step.operands)) for step in pikepdf.parse_content_stream(stream)]


def page_text(pdf: bytes, *, fields: bool) -> tuple[str, int]:
    """The text of all pages as drawn, with that of form fields or without, and without white space; and the number of pages."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        if fields:
            _draw_fields(document)
        return plain("".join(_text(document, number) for number in range(len(document)))), len(document)
    finally:
        document.close()


def _draw_fields(document: pypdfium2.PdfDocument) -> None:
    """Make what the fields draw page content, in memory; it is seen once the page is loaded again."""
    document.init_forms()
    for page in document:
        page.flatten()


def _text(document: pypdfium2.PdfDocument, number: int) -> str:
    text: str = document[number].get_textpage().get_text_bounded()
    return text.replace(_LINE_END_HYPHEN, "-")


def plain(text: str) -> str:
    """A text without its white space, which a page breaks as it likes."""
    return "".join(text.split())
