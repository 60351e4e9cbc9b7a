"""Which characters of a page its fonts can't show: found before anything is typeset, never replaced in silence."""

from __future__ import annotations

import io
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from fontTools.ttLib import TTFont

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from service.document.page import Page

UNPRINTED = frozenset({"attachment", "meta", "paper", "language", "labels", "fields", "outside", "max_pages", "emblem"})
"""Parts of a page that no reader sees in its font."""
INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Controls, direction marks and the like: refused even where a font has a glyph, since they change what is read."""


def missing_glyphs(page: Page, files: Mapping[str, bytes]) -> list[tuple[str, str]]:
    """Return (JSON pointer into the page, character) for every printed character that a weight of the font lacks."""
    known = coverage(tuple(fonts_of(files, page["paper"]["font"]).values()))
    return [
        (pointer, char)
        for pointer, text in texts(page)
        for char in sorted(set(text))
        if unicodedata.category(char) in INVISIBLE or ord(char) not in known
    ]


def fonts_of(files: Mapping[str, bytes], family: str) -> dict[str, bytes]:
    """Return the vendored fonts of a family by path."""
    fonts = {name: data for name, data in files.items() if name.endswith((".otf", ".ttf"))}
    return {name: data for name, data in sorted(fonts.items()) if family_of(data) == family}


@lru_cache(64)
def family_of(font: bytes) -> str:
    """Return the typographic family name, or the plain one where the font has no other."""
    names = TTFont(io.BytesIO(font), lazy=True)["name"]
    return str(names.getDebugName(16) or names.getDebugName(1))


@lru_cache(16)
def coverage(fonts: tuple[bytes, ...]) -> frozenset[int]:
    """Return the code points that all of these fonts can show."""
    covered = [frozenset(TTFont(io.BytesIO(font), lazy=True).getBestCmap()) for font in fonts]
    return frozenset.intersection(*covered) if covered else frozenset()


def fact_pointers(page: Page) -> dict[str, str]:
    """Map a page's own pointers to the case's: `/facts/3/1` is `/applicant/alamat`."""
    facts = {f"/facts/{row}/1": "/" + path.replace(".", "/") for row, (_, _, path) in enumerate(page["facts"])}
    return {**facts, "/name": "/applicant/nama"}


def texts(value: Any, pointer: str = "") -> Iterator[tuple[str, str]]:
    """Walk the printed strings of a page."""
    if isinstance(value, str):
        yield pointer, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            if pointer or key not in UNPRINTED:
                yield from texts(inner, f"{pointer}/{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from texts(inner, f"{pointer}/{index}")
