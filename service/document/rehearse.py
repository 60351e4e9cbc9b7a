"""Proves, before a number is spent, that the paper can be issued: it fits, it prints, its fields are there.

Finds every reason why not, in one go.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from service.document.errors import DoesNotFit, RehearsalFailed, TypesettingFailed
from service.document.fields import prepare
from service.document.glyphs import fact_pointers, missing_glyphs, texts
from service.document.markers import LATER, expected_fields, markers
from service.errors import Fault
from signing import SigningError, fits

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from service.document.page import Page
    from service.document.typeset import Typeset, Typesetter
    from service.sop.model import PermitType

LONGEST_WORD = 36
"""A longer run without a place to break would leave its column."""


def rehearse(
    typesetter: Typesetter, permit_type: PermitType, page: Page, *, photo: bytes | None, timestamp: datetime
) -> Typeset:
    """Typeset a page (composed without draft mark) as if number and dates were the longest; return that trial.

    Raises RehearsalFailed with a fault for each reason: missing_glyph, long_word (both at the case's own pointer where
    there is one), photo_missing, does_not_fit, typesetting_failed, markers_differ, value_unfit.
    """
    widest = with_longest(page, number_first=permit_type.procedure.number_first)
    faults = [*_glyphs(widest, typesetter), *_long_words(widest), *_photo(permit_type, photo)]
    trial: Typeset | None = None
    try:
        trial = typesetter.typeset(widest, photo=photo, timestamp=timestamp)
        faults += _fields(trial, widest, typesetter, permit_type)
    except (DoesNotFit, TypesettingFailed) as error:
        faults.append(Fault("", error.code, error.params))
    if faults or trial is None:
        raise RehearsalFailed(faults=tuple(faults))
    return trial


def with_longest(page: Page, *, number_first: bool) -> Page:
    """Return the page with the longest number and dates typed in, where they are typed."""
    if not number_first:
        return page
    number, day = page["longest"]["number"], page["longest"]["date"]
    return {**page, "number": number, "valid_to": day, "signature": {**page["signature"], "date": day}}


def _glyphs(page: Page, typesetter: Typesetter) -> Iterator[Fault]:
    known = fact_pointers(page)
    for pointer, char in missing_glyphs(page, typesetter.files):
        name = unicodedata.name(char, "")
        yield Fault(known.get(pointer, pointer), "missing_glyph", {"character": f"U+{ord(char):04X} {name}".strip()})


def _long_words(page: Page) -> Iterator[Fault]:
    known = fact_pointers(page)
    for pointer, text in texts(page):
        if pointer in known and any(len(word) > LONGEST_WORD for word in re.split(r"[\s/-]", text)):
            yield Fault(known[pointer], "long_word", {"longest": str(LONGEST_WORD)})


def _photo(permit_type: PermitType, photo: bytes | None) -> Iterator[Fault]:
    if photo is None and permit_type.photo is not None and permit_type.photo.required:
        yield Fault("/photo", "photo_missing")


def _fields(trial: Typeset, page: Page, typesetter: Typesetter, permit_type: PermitType) -> Iterator[Fault]:
    """Check that the markers are exactly the procedure's, and the longest values fit where they go."""
    found, wanted = markers(trial.pdf), expected_fields(permit_type.procedure)
    if sorted(found) != sorted(wanted):
        yield Fault("", "markers_differ", {"found": " ".join(found), "wanted": " ".join(wanted)})
        return
    longest = (page["longest"]["number"], page["longest"]["date"], page["longest"]["date"])
    values = {} if permit_type.procedure.number_first else dict(zip(LATER, longest, strict=True))
    try:
        fits(prepare(trial, typesetter.files, permit_type.procedure, page), values)
    except SigningError as error:
        yield Fault("", "value_unfit", {"reason": error.code})
