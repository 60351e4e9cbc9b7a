"""Fits a value into its text field and writes it there, as an append-only update. `/V` and the drawn appearance come from one value."""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pikepdf
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from signing.appearance import extent
from signing.errors import ValueUnfit, translated
from signing.fieldfont import RESOURCE

PADDING: Final = 2.0
"""Points left free at either side."""
BASELINE: Final = 0.2
"""Height of the baseline above the box's lower edge, in type sizes: `box(baseline: 0.2em)` in the template."""
SMALLEST: Final = 0.75
"""A long value may shrink to this part of the field's type size, then it is refused."""
_SIZE: Final = re.compile(rb"(\d+(?:\.\d+)?) Tf")


@dataclass(frozen=True, slots=True)
class Metrics:
    """Font metrics as the document itself carries them: 1/1000 em from code `first`, and the type size in points."""

    first: int
    widths: tuple[int, ...]
    size: float


@dataclass(frozen=True, slots=True)
class Line:
    """A fitted value: WinAnsi bytes, type size and baseline in points."""

    codes: bytes
    size: float
    baseline: float


def fit(name: str, value: str, metrics: Metrics, rect: Sequence[float]) -> Line:
    """Fit `value` into a field of `rect` points, shrinking a little where needed.

    Raises ValueUnfit: value_alphabet (also for an empty value), value_too_long. Never cuts, never replaces.
    """
    try:
        codes = value.encode("cp1252")
    except UnicodeEncodeError:
        raise ValueUnfit("value_alphabet", name) from None
    advances = [_advance(code, metrics) for code in codes]
    if not advances or not all(advances) or value != value.strip():
        raise ValueUnfit("value_alphabet", name)
    left, bottom, right, top = rect
    width = sum(advances) / 1000
    size = min(metrics.size, (right - left - 2 * PADDING) / width)
    if size < SMALLEST * metrics.size or size > top - bottom:
        raise ValueUnfit("value_too_long", name)
    return Line(codes, size, BASELINE * metrics.size)


def fits(prepared_pdf: bytes, values: Mapping[str, str]) -> None:
    """Check, before anything is signed, that `values` can be filled into a prepared document.

    Raises ValueUnfit: field_missing, field_filled, value_alphabet, value_too_long.
    """
    with translated(ValueUnfit, "pdf_unreadable"), pikepdf.open(io.BytesIO(prepared_pdf)) as document:
        form = document.Root.get("/AcroForm", pikepdf.Dictionary())
        fields = {str(field.T): field for field in form.get("/Fields", []) if field.get("/FT") == pikepdf.Name.Tx}
        _check_names(values, fields)
        metrics = _metrics(form.DR.Font[RESOURCE], bytes(form.DA)) if values else Metrics(0, (), 0)
        for name, value in values.items():
            if "/V" in fields[name]:
                raise ValueUnfit("field_filled", name)
            fit(name, value, metrics, [float(edge) for edge in fields[name].Rect])


class PlainUpdate(IncrementalPdfFileWriter):
    """An update that leaves the metadata alone: what is proven stays small, and a signature carries its own time."""

    def _update_meta(self) -> None:
        pass

    def identify(self, revision: bytes) -> None:
        """Name this revision by its content (ISO 32000-2, 14.4); a random name otherwise."""
        self._document_id[1] = generic.ByteStringObject(revision)


def fill(pdf: bytes, values: Mapping[str, str]) -> bytes:
    """Fill text fields in one update behind `pdf`, which the output begins with. The same input gives the same bytes.

    Raises ValueUnfit as `fits`.
    """
    if not values:
        return pdf
    with translated(ValueUnfit, "pdf_unreadable"):
        writer = PlainUpdate(io.BytesIO(pdf))
        fill_in(writer, values)
        writer.identify(hashlib.sha256(pdf + json.dumps(dict(values)).encode()).digest()[:16])
        out = io.BytesIO()
        writer.write(out)
        return out.getvalue()


def fill_in(writer: IncrementalPdfFileWriter, values: Mapping[str, str]) -> None:
    """Fill text fields in the writer's update: one small stream each, no font. Raises as `fits`."""
    if not values:
        return
    references = field_references(writer, "/Tx")
    _check_names(values, references)
    form = writer.root["/AcroForm"]
    font = form["/DR"]["/Font"].raw_get(RESOURCE)
    metrics = _metrics(font.get_object(), str(form["/DA"]).encode())
    for name, value in values.items():
        field = references[name].get_object()
        if "/V" in field:
            raise ValueUnfit("field_filled", name)
        rect = [float(edge) for edge in field["/Rect"]]
        line = fit(name, value, metrics, rect)
        field["/V"] = generic.TextStringObject(value)
        field["/AP"] = generic.DictionaryObject({pdf_name("/N"): _appearance(writer, line, rect, font)})
        writer.mark_update(references[name])


def field_references(writer: IncrementalPdfFileWriter, kind: str) -> dict[str, generic.IndirectObject]:
    """The document's fields of one kind (`/Tx` or `/Sig`) by name. Ours are flat: a field is its own widget."""
    if "/AcroForm" not in writer.root:
        return {}
    found = {}
    for reference in writer.root["/AcroForm"]["/Fields"]:
        field = reference.get_object()
        if field.get("/FT") == kind:
            found[str(field["/T"])] = reference
    return found


def _appearance(
    writer: IncrementalPdfFileWriter, line: Line, rect: Sequence[float], font: generic.IndirectObject
) -> generic.IndirectObject:
    escaped = re.sub(rb"([\\()])", rb"\\\1", line.codes)
    drawing = b"/Tx BMC q BT %s %.3f Tf 0 g %.3f %.3f Td (%s) Tj ET Q EMC" % (
        RESOURCE.encode(),
        line.size,
        PADDING,
        line.baseline,
        escaped,
    )
    own_font = generic.IndirectObject(font.idnum, font.generation, writer)
    fonts = generic.DictionaryObject({pdf_name(RESOURCE): own_font})
    entries = {
        pdf_name("/Type"): pdf_name("/XObject"),
        pdf_name("/Subtype"): pdf_name("/Form"),
        pdf_name("/BBox"): box_of(rect),
        pdf_name("/Resources"): generic.DictionaryObject({pdf_name("/Font"): fonts}),
    }
    stream = generic.StreamObject(entries, stream_data=drawing)
    stream.compress()  # as the empty one was
    return writer.add_object(stream)


def box_of(rect: Sequence[float]) -> generic.ArrayObject:
    """The /BBox of what is drawn into a field of `rect`."""
    return generic.ArrayObject([generic.FloatObject(edge) for edge in (0, 0, *extent(rect))])


def _metrics(font: Any, default_appearance: bytes) -> Metrics:  # a font dictionary of either library
    size = _SIZE.search(default_appearance)
    if size is None:
        raise ValueUnfit("field_missing", "the form has no default appearance")
    return Metrics(int(font["/FirstChar"]), tuple(int(width) for width in font["/Widths"]), float(size[1]))


def _advance(code: int, metrics: Metrics) -> int:
    index = code - metrics.first
    return metrics.widths[index] if 0 <= index < len(metrics.widths) else 0


def _check_names(values: Mapping[str, str], fields: Mapping[str, object]) -> None:
    strangers = sorted(set(values) - set(fields))
    if strangers:
        raise ValueUnfit("field_missing", ", ".join(strangers))
