"""Whether two revisions look the same, drawn by pdfium, but for boxes that may differ; and whether a later box hides something."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ctypes import byref, c_int
from typing import Any, Final

import pypdfium2
import pypdfium2.raw as pdfium
from PIL import Image, ImageChops

from signing.laterchanges import Box
from signing.samegraph import TooMuch

_SCALE: Final = 1.0
"""Pixels per point: 72 dpi shows a changed digit."""
_LARGEST: Final = 2_000_000
_MOST_PIXELS: Final = 60_000_000
_MOST_AT_ONCE: Final = 20_000_000
_COARSEST: Final = 0.35
_VISIBLE: Final = 48
_DARK, _LIGHT = 110, 170
_HIDDEN: Final = 12
"""So many pixels that were dark and are light no more are a mark that was hidden, fewer an edge."""
_BESIDE: Final = 2
_WHITE: Final = 255

Pixels = tuple[int, int, int, int]


class Looks:
    """Draws revisions of one file; remembers the last one drawn, which is the next one to compare with."""

    def __init__(self) -> None:
        """Nothing is drawn yet."""
        self._left = _MOST_PIXELS
        self._scale = 0.0
        self._drawn: tuple[int, list[Image.Image]] = (-1, [])

    def differ(
        self, pdf: bytes, ends: tuple[int, int], filled: Mapping[int, list[Box]], added: Mapping[int, list[Box]]
    ) -> set[str]:
        """Compare `pdf[:end]` at two ends: `look` if anything outside `filled` differs, `hidden` if `added` covers a mark.

        Raises TooMuch for more pages than a verdict is worth, and ValueError or PdfiumError for what can't be drawn.
        """
        before = self._drawn[1] if self._drawn[0] == ends[0] else self._draw(pdf[: ends[0]])[0]
        after, devices = self._draw(pdf[: ends[1]], [*filled, *added], {**filled}, {**added})
        self._drawn = (ends[1], after)
        if [one.size for one in before] != [one.size for one in after]:
            return {"look"}
        found = set()
        for number, (one, other) in enumerate(zip(before, after, strict=True)):
            fill, add = devices.get(number, ([], []))
            if any(_hides(one.crop(box), other.crop(box)) for box in add):
                found.add("hidden")
            if _differ(one, other, fill):
                found.add("look")
        return found

    def _draw(
        self,
        pdf: bytes,
        pages: Iterable[int] = (),
        filled: Mapping[int, list[Box]] | None = None,
        added: Mapping[int, list[Box]] | None = None,
    ) -> tuple[list[Image.Image], dict[int, tuple[list[Pixels], list[Pixels]]]]:
        wanted, pictures, boxes = set(pages), [], {}
        document = pypdfium2.PdfDocument(pdf)
        try:
            document.init_forms()
            self._scale = self._scale or _fitting(document)
            for number in range(len(document)):
                page = document[number]
                width, height = page.get_size()
                scale = min(self._scale, (_LARGEST / max(1.0, width * height)) ** 0.5)
                self._left -= int(width * height * scale**2)
                if self._left < 0:
                    raise TooMuch("too many pages")
                picture = page.render(scale=scale, may_draw_forms=True, grayscale=True).to_pil().convert("L")
                pictures.append(picture)
                if number in wanted:
                    here = [
                        [_pixels(page, picture.size, box) for box in (some or {}).get(number, [])]
                        for some in (filled, added)
                    ]
                    boxes[number] = (here[0], here[1])
        finally:
            document.close()
        return pictures, boxes


def _fitting(document: pypdfium2.PdfDocument) -> float:
    """Pixels per point: fewer for long documents, whose pages are then only compared coarsely."""
    area = sum(page_size[0] * page_size[1] for page_size in map(document.get_page_size, range(len(document))))
    return float(max(_COARSEST, min(_SCALE, (_MOST_AT_ONCE / max(1.0, area)) ** 0.5)))


def _pixels(page: Any, size: tuple[int, int], box: Box) -> Pixels:
    """A box in points as pixels, whatever the page's crop and rotation; a little wider, for edges."""
    corners = []
    for x, y in (box[:2], box[2:]):
        across, down = c_int(), c_int()
        pdfium.FPDF_PageToDevice(page, 0, 0, *size, 0, x, y, byref(across), byref(down))
        corners.append((across.value, down.value))
    (x1, y1), (x2, y2) = corners
    return (
        max(0, min(x1, x2) - _BESIDE),
        max(0, min(y1, y2) - _BESIDE),
        min(size[0], max(x1, x2) + _BESIDE),
        min(size[1], max(y1, y2) + _BESIDE),
    )


def _differ(one: Image.Image, other: Image.Image, boxes: list[Pixels]) -> bool:
    difference = ImageChops.difference(one, other)
    for box in boxes:
        if box[0] < box[2] and box[1] < box[3]:
            difference.paste(0, box)
    return any(difference.histogram()[_VISIBLE:])


def _hides(one: Image.Image, other: Image.Image) -> bool:
    """Whether marks that were there before are gone."""
    if not one.width or not one.height:
        return False
    was = one.point(lambda value: _WHITE if value < _DARK else 0)
    light = other.point(lambda value: _WHITE if value > _LIGHT else 0)
    return ImageChops.multiply(was, light).histogram()[_WHITE] > _HIDDEN
