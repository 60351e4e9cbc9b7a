"""Reads back what our appearances draw: the text of a filled field, the modules of a QR code, a page as drawn."""

from __future__ import annotations

from typing import Any, Final

import pikepdf
import pypdfium2

from signing.appearance import QUIET_ZONE
from signing.errors import ProofFailed

_VALUE: Final = ["BMC", "q", "BT", "Tf", "g", "Td", "Tj", "ET", "Q", "EMC"]
_PATHS_ONLY: Final = {"BMC", "EMC", "q", "Q", "cm", "w", "G", "g", "re", "f", "S"}


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
    left, bottom, right, top = (float(edge) for edge in stream.BBox)
    x, y, size = float(drawn["Td"][0]), float(drawn["Td"][1]), float(drawn["Tf"][1])
    if float(drawn["g"][0]) or not (left <= x < right and bottom <= y < y + size / 2 < top):
        raise ProofFailed("proof_values", f"{field.T}: not visible")
    return bytes(drawn["Tj"][0]).decode("cp1252")


def prove_paths_only(field: pikepdf.Object) -> None:
    """A signature's appearance holds path operators and no resource. Raises ProofFailed proof_qr."""
    stream = field.AP.N
    strangers = {operator for operator, _ in _steps(stream)} - _PATHS_ONLY
    if strangers or len(stream.get("/Resources", {})) or list(field.AP.keys()) != ["/N"]:
        raise ProofFailed("proof_qr", f"{field.T}: more than paths {sorted(strangers)}")


def drawn_modules(field: pikepdf.Object) -> tuple[bytes, ...]:
    """The QR code that a signature's appearance draws: rows of modules, 1 = dark, without the quiet zone.

    Raises ProofFailed proof_qr: anything but one black path in whole modules on a white square inside the box.
    """
    steps = _steps(field.AP.N)
    operators = [operator for operator, _ in steps]
    if operators[:7] != ["BMC", "q", "cm", "g", "re", "f", "g"] or operators[-3:] != ["f", "Q", "EMC"]:
        raise ProofFailed("proof_qr", "no QR code")
    if set(operators[7:-3]) != {"re"} or (float(steps[3][1][0]), float(steps[6][1][0])) != (1, 0):
        raise ProofFailed("proof_qr", "no QR code")
    across = _square(field.AP.N.BBox, steps[2][1], steps[4][1])
    grid = [bytearray(across) for _ in range(across)]
    for _, numbers in steps[7:-3]:
        x, y, width, height = (int(number) for number in numbers)
        if height != 1 or width < 1 or not (x >= 0 and x + width <= across and 0 <= y < across):
            raise ProofFailed("proof_qr", "a module outside the square")
        grid[across - 1 - y][x : x + width] = b"\1" * width
    rows = [bytes(row[QUIET_ZONE:-QUIET_ZONE]) for row in grid[QUIET_ZONE:-QUIET_ZONE]]
    if sum(map(sum, grid)) != sum(map(sum, rows)):
        raise ProofFailed("proof_qr", "quiet zone")
    return tuple(rows)


def _square(box: Any, matrix: list[Any], white: list[Any]) -> int:
    """Modules across the white square, which must lie upright inside `box`."""
    left, low, right, high = (float(edge) for edge in box)
    scale, skew_a, skew_b, scale_y, x, y = (float(number) for number in matrix)
    across = int(white[2])
    upright = scale == scale_y and scale > 0 and not skew_a and not skew_b
    whole = [int(number) for number in white] == [0, 0, across, across]
    room = scale * across - 0.1
    inside = (
        min(left, right) <= x and x + room <= max(left, right) and min(low, high) <= y and y + room <= max(low, high)
    )
    if not (upright and whole and inside):
        raise ProofFailed("proof_qr", "not an upright square inside its box")
    return across


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
    return text


def plain(text: str) -> str:
    """A text without its white space, which a page breaks as it likes."""
    return "".join(text.split())
