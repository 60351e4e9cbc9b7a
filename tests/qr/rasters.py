"""Sixteen ways in which a printed permit reaches a scanner, at 200 dpi; the same each time (fixed seeds)."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator

import numpy as np
import pypdfium2
from PIL import Image, ImageFilter

DPI = 200
Pixels = np.ndarray


def rendered(pdf: bytes) -> Image.Image:
    """The first page, as a viewer shows it, in grey."""
    document = pypdfium2.PdfDocument(pdf)
    document.init_forms()
    try:
        return document[0].render(scale=DPI / 72, may_draw_forms=True).to_pil().convert("L")
    finally:
        document.close()


def conditions(page: Image.Image, box: tuple[float, float, float, float]) -> Iterator[tuple[str, Image.Image]]:
    """Yield each condition's picture of the page; `box` is where the QR's modules are, in pixels."""
    for name, change in CHANGES.items():
        yield name, change(page, box)


def _jpeg(page: Image.Image, quality: int) -> Image.Image:
    out = io.BytesIO()
    page.save(out, "JPEG", quality=quality)
    return Image.open(out).convert("L")


def _blur(page: Image.Image, sigma: float) -> Image.Image:
    return page.filter(ImageFilter.GaussianBlur(sigma))


def _noise(page: Image.Image, strength: float, seed: int) -> Image.Image:
    pixels = np.asarray(page, np.float32)
    return _picture(pixels + np.random.default_rng(seed).normal(0, strength, pixels.shape))


def _perspective(page: Image.Image, degrees: float) -> Image.Image:
    """Seen from the side: the far edge is shorter."""
    width, height = page.size
    inset = height * math.tan(math.radians(degrees)) / 4
    corners = [(0, 0), (0, height), (width, height), (width, 0)]
    seen = [(0, 0), (0, height), (width * math.cos(math.radians(degrees)), height - inset)]
    seen.append((width * math.cos(math.radians(degrees)), inset))
    return page.transform(
        page.size, Image.Transform.PERSPECTIVE, _coefficients(seen, corners), Image.Resampling.BICUBIC, fillcolor=255
    )


def _coefficients(seen: list[tuple[float, float]], corners: list[tuple[float, float]]) -> list[float]:
    rows = []
    for (x, y), (u, v) in zip(seen, corners, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
    return list(np.linalg.solve(np.array(rows), np.array(corners, float).reshape(8)))


def _stain(page: Image.Image, box: tuple[float, float, float, float], share: float, seed: int) -> Image.Image:
    """A grey-brown drop over a share of the QR's own area, not on a finder pattern."""
    left, top, right, bottom = box
    radius = math.sqrt(share * (right - left) * (bottom - top) / math.pi)
    spread = np.random.default_rng(seed).uniform(-0.06, 0.06, 2)
    middle = (left + right) / 2 + spread[0] * (right - left), (top + bottom) / 2 + spread[1] * (bottom - top)
    pixels = np.asarray(page, np.float32).copy()
    down, across = np.mgrid[0 : pixels.shape[0], 0 : pixels.shape[1]]
    pixels[(across - middle[0]) ** 2 + (down - middle[1]) ** 2 < radius**2] = 90
    return _picture(pixels)


def _faded(page: Image.Image) -> Image.Image:
    """Low contrast, and noise."""
    return _noise(_picture(np.asarray(page, np.float32) * 0.4 + 110), 5, 10)


def _copier(page: Image.Image) -> Image.Image:
    """A photocopy: slightly soft, then black or white."""
    return _blur(page, 0.8).point(lambda value: 255 if value > 150 else 0)


def _shaded(page: Image.Image) -> Image.Image:
    """A shadow across the page, out of focus."""
    pixels = np.asarray(_blur(page, 1), np.float32)
    return _picture(pixels * np.linspace(0.35, 1, pixels.shape[1], dtype=np.float32))


def _at(page: Image.Image, dpi: int) -> Image.Image:
    return page.resize((page.width * dpi // DPI, page.height * dpi // DPI), Image.Resampling.LANCZOS)


def _picture(pixels: Pixels) -> Image.Image:
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


CHANGES: dict[str, Callable[[Image.Image, tuple[float, float, float, float]], Image.Image]] = {
    "clean": lambda page, _: page,
    "JPEG 30": lambda page, _: _jpeg(page, 30),
    "blur 1": lambda page, _: _blur(page, 1),
    "blur 1.5": lambda page, _: _blur(page, 1.5),
    "blur 2": lambda page, _: _blur(page, 2),
    "noise and JPEG": lambda page, _: _jpeg(_noise(page, 15, 6), 50),
    "perspective 25°": lambda page, _: _perspective(page, 25),
    "turned 17°, blurred": lambda page, _: _blur(
        page.rotate(17, Image.Resampling.BICUBIC, expand=True, fillcolor=255), 0.8
    ),
    "stain 4 %": lambda page, box: _stain(page, box, 0.04, 8),
    "stain 8 %": lambda page, box: _stain(page, box, 0.08, 9),
    "low contrast, noise": lambda page, _: _faded(page),
    "photocopy": lambda page, _: _copier(page),
    "shadow, blurred": lambda page, _: _shaded(page),
    "150 dpi": lambda page, _: _at(page, 150),
    "100 dpi": lambda page, _: _at(page, 100),
    "100 dpi, JPEG 35": lambda page, _: _jpeg(_at(page, 100), 35),
}
