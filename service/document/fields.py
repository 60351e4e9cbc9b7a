"""From a typeset page to the bytes that are signed: its markers become the procedure's form fields."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from service.document.glyphs import fonts_of
from service.document.locks import head_lock, seal_lock
from service.document.markers import HEAD, LATER, SEAL
from service.document.typeset import Typeset
from signing import FieldSpec, prepare_fields

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from service.document.page import Page
    from service.document.typeset import Typesetter
    from service.sop.model import Procedure

SIZES = "_shared/type.toml"


def final(
    typesetter: Typesetter, procedure: Procedure, page: Page, *, photo: bytes | None, timestamp: datetime
) -> Typeset:
    """Typeset a page and prepare its fields. Equal input gives equal bytes.

    Raises DoesNotFit, TypesettingFailed, and signing's PreparationFailed where the template's markers are wrong.
    """
    typeset = typesetter.typeset(page, photo=photo, timestamp=timestamp)
    return Typeset(prepare(typeset, typesetter.files, procedure, page), typeset.pages, typeset.density)


def prepare(typeset: Typeset, files: Mapping[str, bytes], procedure: Procedure, page: Page) -> bytes:
    """Turn the markers into fields, with text in the page's own family and size."""
    family = page["paper"]["font"]
    return prepare_fields(
        typeset.pdf,
        field_specs(procedure, page),
        font=field_font(files, family),
        size=text_size(files, family, typeset.density),
    )


def field_specs(procedure: Procedure, page: Page) -> tuple[FieldSpec, ...]:
    """Return the fields of a procedure, with what each signature freezes (docs/ISSUANCE.md)."""
    labels, outside = page["fields"], page["outside"]
    later = () if procedure.number_first else LATER
    specs = [FieldSpec(name, "text", labels[name]) for name in later]
    specs.append(FieldSpec(HEAD, "signature", labels[HEAD], head_lock(procedure)))
    if procedure.sealed:
        specs.append(FieldSpec(SEAL, "signature", labels[SEAL], seal_lock(procedure)))
    return tuple(FieldSpec(one.name, "place", one.label) if one.name in outside else one for one in specs)


def text_size(files: Mapping[str, bytes], family: str, density: int) -> float:
    """Return the type size in points that permit.typ uses."""
    return float(tomllib.loads(files[SIZES].decode())["sizes"][family][density])


def field_font(files: Mapping[str, bytes], family: str) -> bytes:
    """Return the family's regular weight: the fields are written in the page's own letters."""
    fonts = fonts_of(files, family)
    return next(data for name, data in fonts.items() if "bold" not in name)
