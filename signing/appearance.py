"""What a signature looks like: vector paths only. No font, image or graphics state, so PDF/A and PDF/UA hold."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from math import isqrt
from typing import Any, Final

import zxingcpp

from signing.errors import SigningFailed
from signing.model import Appearance, QrCode

QUIET_ZONE: Final = 4
"""Modules of white around a QR code (ISO/IEC 18004, 6.3.8)."""
_READABLE: Final = re.compile(r"[0-9A-Z $%*+\-./:]{1,300}(?P<fragment>#[A-Z2-7]{1,400})?")
"""QR's alphanumeric mode; a fragment behind it takes one letter in byte mode, and dense modules that a phone still reads."""
_DARK: Final = b"\1" + bytes(255)
_DARK_RUN: Final = re.compile(rb"\x01+")
_FRAME_WIDTH, _FRAME_GREY, _FRAME_INSET = 0.5, 0.6, 1.0


def extent(rect: Sequence[float]) -> tuple[float, float]:
    """Width and height of what is drawn into a field: the same before and after it is filled or signed.

    EU DSS takes a changed /BBox for a change that the earlier signature does not permit.
    """
    left, bottom, right, top = rect
    return round(right - left, 3), round(top - bottom, 3)


def draw(appearance: Appearance, width: float, height: float) -> bytes:
    """Content stream operators for a box of `width` x `height` points, origin at its lower left corner."""
    body = _qr(appearance.url, width, height) if isinstance(appearance, QrCode) else _frame(width, height)
    return b"/Artifact BMC q " + body + b" Q EMC"


@lru_cache(maxsize=64)
def qr_modules(url: str, mask: int | None = None) -> tuple[bytes, ...]:
    """The rows of the QR code for `url`, one byte a module, 1 = dark; without the quiet zone.

    Error level M, or higher where that takes no more modules; always M with a fragment, whose modules are small enough.
    The `mask` is 0 to 7; unless given, the best one, whose choice takes most of the time. Raises SigningFailed qr_unfit:
    a character outside alphanumeric mode would make the code larger and slower to read.
    """
    fit = _READABLE.fullmatch(url)
    if fit is None:
        raise SigningFailed("qr_unfit")
    dark = _encoded(url, "M" if fit["fragment"] else _level(len(url)), mask)
    across = isqrt(len(dark))
    return tuple(dark[start : start + across] for start in range(0, len(dark), across))


@lru_cache(maxsize=64)
def _level(length: int) -> str:
    """The highest error level for so many letters in as many modules as level M takes."""
    modules = {level: len(_encoded("A" * length, level)) for level in "MQH"}
    return next(level for level in "HQM" if modules[level] == modules["M"])


def _encoded(text: str, level: str, mask: int | None = None) -> bytes:
    """One byte a module, row by row, 1 = dark. Without a mask the encoder picks it as ISO/IEC 18004, 7.8.3 has it."""
    masked = {} if mask is None else {"data_mask": mask}
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level=level, **masked)
    image: Any = code.to_image(scale=1, add_quiet_zones=False)
    return memoryview(image).tobytes().translate(_DARK)


def _frame(width: float, height: float) -> bytes:
    inner = (_FRAME_INSET, _FRAME_INSET, width - 2 * _FRAME_INSET, height - 2 * _FRAME_INSET)
    return b"%g w %g G %.3f %.3f %.3f %.3f re S" % (_FRAME_WIDTH, _FRAME_GREY, *inner)


def _qr(url: str, width: float, height: float) -> bytes:
    """One filled path in whole modules, so that neighbouring rows leave no seam in a viewer."""
    rows = qr_modules(url)
    across = len(rows) + 2 * QUIET_ZONE
    scale = min(width, height) / across
    left, bottom = (width - scale * across) / 2, (height - scale * across) / 2
    runs = [
        b"%d %d %d 1 re" % (start + QUIET_ZONE, across - QUIET_ZONE - 1 - line, length)
        for line, row in enumerate(rows)
        for start, length in dark_runs(row)
    ]
    place = b"%.5f 0 0 %.5f %.3f %.3f cm 1 g 0 0 %d %d re f 0 g\n" % (scale, scale, left, bottom, across, across)
    return place + b"\n".join(runs) + b" f"


def dark_runs(row: bytes) -> list[tuple[int, int]]:
    """(start, length) of every run of dark modules in a row."""
    return [(run.start(), run.end() - run.start()) for run in _DARK_RUN.finditer(row)]
