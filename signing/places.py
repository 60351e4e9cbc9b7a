"""Where a signature is to show in a prepared document: in its field, or at the place that was kept for a service's own field."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any, Final

import pikepdf
from pikepdf import Array, Dictionary, String

from signing.errors import SigningFailed, translated

Place = tuple[int, tuple[float, float, float, float]]
"""Page from 1, box in points from the page's lower left corner."""

_OWNER: Final = "/Teken"
_NO_TIME: Final = "D:20000101000000Z"


def place_of(pdf: bytes, field: str) -> Place:
    """Return where `field` is, or was to be. Raises SigningFailed field_missing."""
    with translated(SigningFailed, "pdf_unreadable"), pikepdf.open(io.BytesIO(pdf)) as document:
        for number, page in enumerate(document.pages, 1):
            for one in page.obj.get("/Annots", []):
                if str(one.get("/T", "")) == field:
                    return number, _box(one.Rect)
        kept = document.Root.get("/PieceInfo", Dictionary()).get(_OWNER, Dictionary()).get("/Private", Dictionary())
        if f"/{field}" in kept:
            first, *rect = (float(edge) for edge in kept[f"/{field}"])
            return int(first), _box(rect)
    raise SigningFailed("field_missing", field)


def keep_places(document: pikepdf.Pdf, places: Iterable[tuple[str, int, Any]]) -> None:
    """Write (name, page from 1, rectangle) into the catalogue, for no viewer to see (ISO 32000-2, 14.5)."""
    kept = Dictionary({f"/{name}": Array([page, *(edge for edge in rect)]) for name, page, rect in places})
    piece = Dictionary(LastModified=String(_NO_TIME), Private=kept)
    document.Root.PieceInfo = Dictionary({_OWNER: piece})


def _box(rect: Any) -> tuple[float, float, float, float]:
    left, bottom, right, top = (float(edge) for edge in rect)
    return left, bottom, right, top
