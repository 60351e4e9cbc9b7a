"""Annotations, fields and signatures over what was signed (EAA, SSA)."""

from __future__ import annotations

import io

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigFieldSpec, append_signature_field

from tests.foreign.attacks.tools import (
    ATTACKS,
    annotate,
    attack,
    drawing,
    first_page,
    numbers,
    signed_anyway,
    update,
    words,
)
from tests.foreign.modes import written


def _mark_over(writer, subtype, more):
    box = (50, 490, 250, 520)
    kind = {
        "/Type": pdf_name("/Annot"),
        "/Subtype": pdf_name(subtype),
        "/Rect": numbers(box),
        "/F": generic.NumberObject(4),
    }
    entries = {pdf_name(key): value for key, value in kind.items()}
    annotate(writer, entries | more | {pdf_name("/AP"): drawing(writer, box)})


@update
def text_over_the_page(writer):
    _mark_over(writer, "/FreeText", {pdf_name("/Contents"): words("Rp 900.000")})


@update
def stamp_over_the_page(writer):
    _mark_over(writer, "/Stamp", {})


@update
def link_added(writer):
    action = generic.DictionaryObject(
        {pdf_name("/S"): pdf_name("/URI"), pdf_name("/URI"): words("https://example.com")}
    )
    kind = {
        "/Type": pdf_name("/Annot"),
        "/Subtype": pdf_name("/Link"),
        "/Rect": numbers((0, 0, 420, 595)),
        "/A": action,
    }
    annotate(writer, {pdf_name(key): value for key, value in kind.items()})


def _add_field(writer, extra):
    box = (50, 490, 250, 520)
    kind = {
        "/Type": pdf_name("/Annot"),
        "/Subtype": pdf_name("/Widget"),
        "/T": words("tambahan"),
        "/Rect": numbers(box),
    }
    widget = generic.DictionaryObject({pdf_name(key): value for key, value in {**kind, **extra}.items()})
    widget[pdf_name("/AP")] = drawing(writer, box)
    reference = writer.add_object(widget)
    form = writer.root["/AcroForm"]
    form["/Fields"].append(reference)
    writer.update_container(form["/Fields"])
    page = first_page(writer)
    if "/Annots" not in page.get_object():
        page.get_object()[pdf_name("/Annots")] = generic.ArrayObject()
    page.get_object()["/Annots"].append(reference)
    writer.update_container(page.get_object()["/Annots"])
    writer.mark_update(page)


@update
def text_field_over_the_page(writer):
    _add_field(writer, {"/FT": pdf_name("/Tx"), "/V": words("Rp 900.000")})


@update
def empty_signature_field_over_the_page(writer):
    _add_field(writer, {"/FT": pdf_name("/Sig")})


@attack
def signature_over_the_page(pdf):
    """SSA: somebody signs, in a field whose white look hides the sum."""
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf), strict=False)
    append_signature_field(writer, SigFieldSpec("tambahan", box=(50, 490, 250, 520)))
    fields = writer.root["/AcroForm"]["/Fields"]
    widget = next(one for one in fields if one.get_object()["/T"] == "tambahan")
    widget.get_object()[pdf_name("/AP")] = drawing(writer, (50, 490, 250, 520))
    writer.mark_update(widget)
    return signed_anyway(written(writer), "tambahan")


@attack
def changed_then_signed_by_another(pdf):
    return signed_anyway(ATTACKS["content_replaced"](pdf))


def _hidden_field(writer, value):
    """A signature field that nobody sees, with a value that nobody put there by signing."""
    field = generic.DictionaryObject({pdf_name("/FT"): pdf_name("/Sig"), pdf_name("/T"): words("tambahan")})
    field[pdf_name("/V")] = value
    form = writer.root["/AcroForm"]
    form["/Fields"].append(writer.add_object(field))
    writer.update_container(form["/Fields"])


@update
def field_signed_by_nothing(writer):
    _hidden_field(writer, writer.add_object(generic.DictionaryObject({pdf_name("/Type"): pdf_name("/Annot")})))


@update
def field_signed_by_an_old_signature(writer):
    fields = [one.get_object() for one in writer.root["/AcroForm"]["/Fields"]]
    signed = next((one for one in fields if "/V" in one and isinstance(one["/V"], generic.DictionaryObject)), None)
    if signed is None or "/ByteRange" not in signed["/V"]:
        return False
    _hidden_field(writer, signed.raw_get("/V"))
    return True
