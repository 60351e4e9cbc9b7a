"""The list of attacks, and what they are made with."""

from __future__ import annotations

import functools
import io
import re

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.content import RawContent
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import BoxConstraints
from pyhanko.sign.signers import PdfSigner

from tests.foreign.modes import sign, signer, written

_RANGE = re.compile(rb"/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*\]")

ATTACKS = {}


def attack(make):
    ATTACKS[make.__name__] = make
    return make


def update(change):
    """An attack that writes one honest-looking update."""

    @functools.wraps(change)
    def make(pdf: bytes) -> bytes | None:
        writer = IncrementalPdfFileWriter(io.BytesIO(pdf), strict=False)
        if change(writer) is False:
            return None
        return written(writer)

    ATTACKS[change.__name__] = make
    return make


def first_page(writer):
    return writer.find_page_for_modification(0)[0]


def numbers(given):
    return generic.ArrayObject(map(generic.NumberObject, given))


def words(text):
    return generic.TextStringObject(text)


def drawing(writer, box, commands=b"1 1 1 rg 0 0 900 900 re f"):
    form = RawContent(commands, box=BoxConstraints(box[2] - box[0], box[3] - box[1])).as_form_xobject()
    return generic.DictionaryObject({pdf_name("/N"): writer.add_object(form)})


def annotate(writer, entries):
    reference = first_page(writer)
    page = reference.get_object()
    if "/Annots" not in page:
        page[pdf_name("/Annots")] = generic.ArrayObject()
    page["/Annots"].append(writer.add_object(generic.DictionaryObject(entries)))
    writer.update_container(page["/Annots"])
    writer.mark_update(reference)


def signed_anyway(pdf, name=None):
    """Sign also where the certification forbids it."""
    forbids = PdfSigner._enforce_certification_constraints
    PdfSigner._enforce_certification_constraints = lambda *_: None
    try:
        return sign(pdf, name or "penyerang", who=signer("p256", "Penyerang"))
    finally:
        PdfSigner._enforce_certification_constraints = forbids


def last_range(pdf):
    """The range that reaches furthest: that of the last signature."""
    return max(_RANGE.finditer(pdf), key=lambda found: int(found[3]) + int(found[4]))
