"""What an official reads before signing: a picture of the exact bytes, crossed by a mark that only the picture has."""

from __future__ import annotations

import io
import threading

import pypdfium2
from PIL import Image, ImageDraw, ImageFont

MARK_GREY, MARK_ALPHA, MARK_ANGLE = (120, 120, 120), 60, 52
_pdfium = threading.Lock()  # PDFium is not safe for threads


def preview(pdf: bytes, *, mark: str, page: int = 0, dpi: int = 110) -> bytes:
    """Return one page as PNG with `mark` across it; an empty mark leaves the page as it is."""
    picture = _rendered(pdf, page, dpi)
    if mark:
        picture = Image.alpha_composite(picture.convert("RGBA"), _mark(mark, picture.size)).convert("RGB")
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=False, compress_level=6)
    return out.getvalue()


def page_count(pdf: bytes) -> int:
    """Return the number of pages."""
    with _pdfium:
        document = pypdfium2.PdfDocument(pdf)
        try:
            return len(document)
        finally:
            document.close()


def _rendered(pdf: bytes, page: int, dpi: int) -> Image.Image:
    with _pdfium:
        document = pypdfium2.PdfDocument(pdf)
        try:
            document.init_forms()
            picture: Image.Image = document[page].render(scale=dpi / 72).to_pil().convert("RGB")
        finally:
            document.close()
    return picture


def _mark(words: str, size: tuple[int, int]) -> Image.Image:
    """Draw the words once, large and slanted, on a transparent sheet."""
    font = ImageFont.load_default(size=size[0] / 4)
    sheet = Image.new("RGBA", (max(size) * 2, max(size) * 2), (0, 0, 0, 0))
    middle = sheet.width // 2
    ImageDraw.Draw(sheet).text((middle, middle), words, font=font, fill=(*MARK_GREY, MARK_ALPHA), anchor="mm")
    turned = sheet.rotate(MARK_ANGLE, Image.Resampling.BICUBIC)
    left, top = middle - size[0] // 2, middle - size[1] // 2
    return turned.crop((left, top, left + size[0], top + size[1]))
