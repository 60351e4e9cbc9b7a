"""Where a page waits for form fields: markers are links to `x-field:<name>` around empty boxes (docs/OFFICES.md)."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pikepdf

if TYPE_CHECKING:
    from service.sop.model import Procedure

SCHEME = "x-field:"
HEAD, SEAL = "ttd_kepala", "segel"
LATER = ("nomor_register", "tanggal_terbit", "berlaku_sampai")
"""Filled in after the head's signature where the number comes last."""

Rect = tuple[float, float, float, float]


def expected_fields(procedure: Procedure) -> tuple[str, ...]:
    """Return the names of the fields that a procedure needs: each once, no other."""
    return (*(() if procedure.number_first else LATER), HEAD, *((SEAL,) if procedure.sealed else ()))


def markers(pdf: bytes) -> tuple[str, ...]:
    """Return the markers' names in page order; a name that occurs twice is listed twice."""
    return tuple(name for name, _, _ in places(pdf))


def places(pdf: bytes, scheme: str = SCHEME) -> list[tuple[str, int, Rect]]:
    """Return (name, page index, rectangle in points) of every link whose address starts with `scheme`."""
    found = []
    with pikepdf.open(io.BytesIO(pdf)) as document:
        for number, page in enumerate(document.pages):
            for link in page.obj.get("/Annots", []):
                uri = str(link.A.get("/URI", "")) if "/A" in link else ""
                if uri.startswith(scheme):
                    left, bottom, right, top = (float(edge) for edge in link.Rect)
                    found.append((uri.removeprefix(scheme), number, (left, bottom, right, top)))
    return found
