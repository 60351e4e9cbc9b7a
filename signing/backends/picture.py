"""An appearance as a PNG, for services that take pictures only. Such a look is not vector, so PDF/A is the service's to keep."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw

from signing.appearance import QUIET_ZONE, qr_modules
from signing.backends.documents import Look
from signing.errors import SigningFailed
from signing.model import QrCode

_GREY, _WHITE, _BLACK = 153, 255, 0


def picture(look: Look | None) -> bytes:
    """A PNG with one pixel per point of the look's box, because a service may go by pixels and ignore width and height.

    Without a look, one white pixel: a service may insist on a picture even for an invisible signature.
    """
    width, height = (1, 1) if look is None else size(look)
    image = Image.new("L", (width, height), _WHITE)
    if look is not None and isinstance(look.appearance, QrCode):
        _draw_qr(image, look.appearance.url)
    elif look is not None:
        ImageDraw.Draw(image).rectangle((1, 1, width - 2, height - 2), outline=_GREY)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def size(look: Look) -> tuple[int, int]:
    """Width and height of the box in whole points. Raises SigningFailed spec_invalid for an empty box."""
    left, bottom, right, top = look.box
    width, height = round(right - left), round(top - bottom)
    if width < 1 or height < 1 or look.page < 1:
        raise SigningFailed("spec_invalid", "the look has no box")
    return width, height


def _draw_qr(image: Image.Image, url: str) -> None:
    """Whole pixels per module, at least one; what is left over is margin."""
    rows = qr_modules(url)
    across = len(rows) + 2 * QUIET_ZONE
    scale = min(image.size) // across
    if scale < 1:
        raise SigningFailed("qr_unfit", "the box is too small for the code")
    code = Image.new("L", (across, across), _WHITE)
    for y, row in enumerate(rows):
        for x, dark in enumerate(row):
            if dark:
                code.putpixel((x + QUIET_ZONE, y + QUIET_ZONE), _BLACK)
    code = code.resize((across * scale, across * scale), Image.Resampling.NEAREST)
    image.paste(code, ((image.width - code.width) // 2, (image.height - code.height) // 2))
