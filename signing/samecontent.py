"""Two files show the same, say the same, carry the same and do the same, but for one signature's own box."""

from __future__ import annotations

import hashlib
import io
from typing import Any, Final

import pikepdf
import pypdfium2
from PIL import Image, ImageChops

from signing.appearance import qr_modules
from signing.backends.documents import Look
from signing.backends.picture import picture
from signing.drawing import plain
from signing.errors import ProofFailed
from signing.model import QrCode

_SCALE: Final = 1.5
"""Pixels per point: 108 dpi shows a dot that a reader would see."""
_VISIBLE: Final = 40
_BESIDE: Final = 2
"""Pixels around the ordered box that its edge may touch."""
_HALF, _INK, _DOT, _STRANGE = 127, 200, 7, 0.01
_WHITE: Final = 255
_FORM_MAY_HAVE: Final = {"/Fields", "/SigFlags", "/DR", "/DA"}
_CATALOGUE_MAY_GAIN: Final = {"/AcroForm", "/DSS", "/Extensions", "/Metadata", "/Version", "/Perms"}


def prove_same_content(sent: bytes, returned: bytes, field: str, look: Look | None) -> None:
    """Compare pages (size, text, look), attachments and behaviour; inside the look's box only what was ordered shows.

    Raises ProofFailed returned_content.
    """
    with pikepdf.open(io.BytesIO(sent)) as one, pikepdf.open(io.BytesIO(returned)) as other:
        if _attachments(one) != _attachments(other):
            raise ProofFailed("returned_content", "attachments")
        if _behaviour(one) != _behaviour(other) or set(other.Root.AcroForm.keys()) - _FORM_MAY_HAVE:
            raise ProofFailed("returned_content", "behaviour")
        if _annotations(one, field) != _annotations(other, field):
            raise ProofFailed("returned_content", "annotations")
    _prove_same_pages(sent, returned, look)


def _attachments(document: pikepdf.Pdf) -> dict[str, str]:
    return {
        name: hashlib.sha256(spec.get_file().read_bytes()).hexdigest() for name, spec in document.attachments.items()
    }


def _behaviour(document: pikepdf.Pdf) -> tuple[Any, ...]:
    """What the catalogue makes a viewer do: scripts, layers, open actions; by the keys that are there."""
    names = set(document.Root.get("/Names", pikepdf.Dictionary()).keys())
    actions = sum("/AA" in page.obj for page in document.pages)
    return frozenset(set(document.Root.keys()) - _CATALOGUE_MAY_GAIN), frozenset(names), actions


def _annotations(document: pikepdf.Pdf, field: str) -> set[tuple[Any, ...]]:
    """Every annotation but the new signature's: what it is, where it is, and whether it acts."""
    return {
        (
            number,
            *(str(one.get(key, "")) for key in ("/Subtype", "/T")),
            tuple(map(float, one.Rect)),
            "/A" in one,
            "/AA" in one,
        )
        for number, page in enumerate(document.pages)
        for one in page.obj.get("/Annots", [])
        if str(one.get("/T", "")) != field
    }


def _prove_same_pages(sent: bytes, returned: bytes, look: Look | None) -> None:
    one, other = pypdfium2.PdfDocument(sent), pypdfium2.PdfDocument(returned)
    try:
        if len(one) != len(other):
            raise ProofFailed("returned_content", "pages")
        for document in (one, other):
            document.init_forms()
        for number in range(len(one)):
            _prove_same_page(one[number], other[number], number + 1, look)
    finally:
        one.close()
        other.close()


def _prove_same_page(one: Any, other: Any, number: int, look: Look | None) -> None:
    if one.get_size() != other.get_size() or one.get_rotation() != other.get_rotation():
        raise ProofFailed("returned_content", f"size of page {number}")
    if plain(one.get_textpage().get_text_bounded()) != plain(other.get_textpage().get_text_bounded()):
        raise ProofFailed("returned_content", f"text of page {number}")
    before, after = (page.render(scale=_SCALE, may_draw_forms=True).to_pil().convert("L") for page in (one, other))
    if look is not None and look.page == number:
        height = float(other.get_height())
        box = _pixels(look, height, beside=_BESIDE)
        _prove_look(after.crop(_pixels(look, height)), look)  # without what the page shows beside it
        for image in (before, after):
            image.paste(_WHITE, box)
    if _share(before, after, over=_VISIBLE):
        raise ProofFailed("returned_content", f"look of page {number}")


def _prove_look(shown: Image.Image, look: Look) -> None:
    """The box shows what was ordered, whatever margin the service leaves.

    A QR code is compared module by module. Codes of one version differ in 27 modules of 841 at least, 3 %, because of their
    error correction: within 1 % there is no other code, and a module may be lost to scaling.
    """
    drawn, wanted = _inked(shown), _inked(Image.open(io.BytesIO(picture(look))).convert("L"))
    if wanted is None or drawn is None:
        raise ProofFailed("returned_content", "no look")
    if isinstance(look.appearance, QrCode):
        share = _strange_modules(drawn, qr_modules(look.appearance.url))
    else:
        share = _share(wanted.resize(drawn.size), drawn, over=_HALF)
    if share > _STRANGE:
        raise ProofFailed("returned_content", "look of the signature")


def _strange_modules(drawn: Image.Image, rows: tuple[bytes, ...]) -> float:
    """The share of modules whose middle is not as dark as it should be."""
    across = len(rows) * _DOT
    dots = drawn.resize((across, across)).tobytes()
    middles = [
        [dots[(y * _DOT + _DOT // 2) * across + x * _DOT + _DOT // 2] for x in range(len(rows))]
        for y in range(len(rows))
    ]
    strange = sum(
        bool(dark) != (dot <= _HALF)
        for row, line in zip(rows, middles, strict=True)
        for dark, dot in zip(row, line, strict=True)
    )
    return strange / len(rows) ** 2


def _inked(image: Image.Image) -> Image.Image | None:
    """The part that isn't white."""
    box = image.point(lambda value: 255 if value < _INK else 0).getbbox()
    return image.crop(box) if box else None


def _share(one: Image.Image, other: Image.Image, *, over: int) -> float:
    """The share of pixels that differ by more than `over` grey levels."""
    differing = ImageChops.difference(one, other).point(lambda value: 255 if value > over else 0)
    return differing.histogram()[255] / (one.width * one.height)


def _pixels(look: Look, height: float, *, beside: int = 0) -> tuple[int, int, int, int]:
    left, bottom, right, top = look.box
    return (
        int(left * _SCALE) - beside,
        int((height - top) * _SCALE) - beside,
        int(right * _SCALE) + 1 + beside,
        int((height - bottom) * _SCALE) + 1 + beside,
    )
