"""What an official reads before signing: a picture of the exact bytes, crossed by a mark that only the picture has."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import TypeAlias

import pypdfium2
from PIL import Image, ImageDraw, ImageFont

MARK_GREY, MARK_ALPHA, MARK_ANGLE = (120, 120, 120), 60, 52
FRAME_FILL, FRAME_LINE = (255, 214, 0, 60), (176, 112, 0, 255)
COLOURS = 64
Box: TypeAlias = tuple[float, float, float, float]
_pdfium = threading.Lock()  # PDFium is not safe for threads


def preview(pdf: bytes, *, mark: str, page: int = 0, dpi: int = 110) -> bytes:
    """Return one page as PNG with `mark` across it; an empty mark leaves the page as it is."""
    out = io.BytesIO()
    _marked(_rendered(pdf, page, dpi), mark).save(out, "PNG", optimize=False, compress_level=6)
    return out.getvalue()


def picture(pdf: bytes, *, page: int, width: int, mark: str = "", frames: Sequence[str] = ()) -> bytes:
    """Return one page, `width` pixels wide, as a PNG small enough for a phone; each of the texts `frames` gets a frame where it stands."""
    with _opened(pdf) as document:
        scale = width / document[page].get_width()
        boxes = [box for text in frames for box in _places(document[page], text, scale)]
    sheet = _marked(_rendered(pdf, page, scale * 72), mark)
    _draw(sheet, boxes, width)
    out = io.BytesIO()
    small = sheet.quantize(COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    small.save(out, "PNG", compress_level=6)
    return out.getvalue()


def page_count(pdf: bytes) -> int:
    """Return the number of pages."""
    with _opened(pdf) as document:
        return len(document)


@contextmanager
def _opened(pdf: bytes) -> Iterator[pypdfium2.PdfDocument]:
    with _pdfium:
        document = pypdfium2.PdfDocument(pdf)
        try:
            yield document
        finally:
            document.close()


def _rendered(pdf: bytes, page: int, dpi: float) -> Image.Image:
    with _opened(pdf) as document:
        document.init_forms()
        shown: Image.Image = document[page].render(scale=dpi / 72).to_pil().convert("RGB")
    return shown


def _marked(sheet: Image.Image, mark: str) -> Image.Image:
    if mark:
        sheet.paste(MARK_GREY, (0, 0, *sheet.size), _mark(mark, sheet.size))
    return sheet


def _places(page: pypdfium2.PdfPage, text: str, scale: float) -> list[Box]:
    """Find where a text stands, one box per line of it, in pixels from the top left."""
    words, height = page.get_textpage(), page.get_height()
    found = words.search(text, match_case=True, match_whole_word=True).get_next()
    rects = [words.get_rect(index) for index in range(words.count_rects(*found))] if found else []
    return [(x0 * scale, (height - y1) * scale, x1 * scale, (height - y0) * scale) for x0, y0, x1, y1 in rects]


def _draw(sheet: Image.Image, boxes: Sequence[Box], width: int) -> None:
    pen, room = ImageDraw.Draw(sheet, "RGBA"), width / 300
    for x0, y0, x1, y1 in boxes:
        frame = (x0 - room, y0 - room, x1 + room, y1 + room)
        pen.rectangle(frame, fill=FRAME_FILL, outline=FRAME_LINE, width=max(1, width // 600))


@lru_cache(maxsize=8)
def _mark(words: str, size: tuple[int, int]) -> Image.Image:
    """Draw the words once, large and slanted, as a mask; at a quarter of the size, since soft edges do and turning costs."""
    width, height = size[0] // 4, size[1] // 4
    font = ImageFont.load_default(size=width / 4)
    side = 2 * max(width, height)
    sheet = Image.new("L", (side, side), 0)
    ImageDraw.Draw(sheet).text((side // 2, side // 2), words, font=font, fill=MARK_ALPHA, anchor="mm")
    turned = sheet.rotate(MARK_ANGLE, Image.Resampling.BICUBIC)
    left, top = (side - width) // 2, (side - height) // 2
    return turned.crop((left, top, left + width, top + height)).resize(size, Image.Resampling.BICUBIC)
