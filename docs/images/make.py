"""Turns signed permits into the pictures of the documentation: `python -m docs.images.make NAME=FILE.pdf ...`.

Writes NAME.png for each, and permits.png with all of them side by side.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from PIL import Image, ImageOps

from service.document.preview import preview

HERE = Path(__file__).parent
EDGE, GAP, GROUND = (205, 205, 205), 28, (240, 240, 240)


def sheet(pages: list[Image.Image], height: int = 760) -> Image.Image:
    """Set the pages side by side on a light ground, at their true relative sizes."""
    scale = height / max(page.height for page in pages)
    small = [
        page.resize((round(page.width * scale), round(page.height * scale)), Image.Resampling.LANCZOS) for page in pages
    ]
    ground = Image.new("RGB", (sum(page.width + GAP for page in small) + GAP, height + 2 * GAP), GROUND)
    left = GAP
    for page in small:
        ground.paste(page, (left, GAP))
        left += page.width + GAP
    return ground


def main(arguments: list[str]) -> None:
    """Render each file's first page with a hairline around it."""
    pages = []
    for argument in arguments:
        name, _, path = argument.partition("=")
        page = Image.open(io.BytesIO(preview(Path(path).read_bytes(), mark="", dpi=110)))
        pages.append(ImageOps.expand(page, 1, EDGE))
        pages[-1].quantize(64).save(HERE / f"{name}.png", optimize=True)
    sheet(pages).quantize(128).save(HERE / "permits.png", optimize=True)


if __name__ == "__main__":
    main(sys.argv[1:])
