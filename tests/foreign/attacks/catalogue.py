"""What the catalogue says: scripts, layers, forms, files, another root."""

from __future__ import annotations

import io

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from tests.foreign.attacks.tools import (
    attack,
    update,
    words,
)
from tests.foreign.modes import written


@update
def script_on_opening(writer):
    script = generic.DictionaryObject({pdf_name("/S"): pdf_name("/JavaScript"), pdf_name("/JS"): words("app.alert(1)")})
    writer.root[pdf_name("/OpenAction")] = writer.add_object(script)
    writer.update_root()


@update
def layers_switched(writer):
    group = generic.DictionaryObject({pdf_name("/Type"): pdf_name("/OCG"), pdf_name("/Name"): words("x")})
    groups = generic.ArrayObject([writer.add_object(group)])
    off = generic.DictionaryObject({pdf_name("/OFF"): groups})
    writer.root[pdf_name("/OCProperties")] = generic.DictionaryObject({pdf_name("/OCGs"): groups, pdf_name("/D"): off})
    writer.update_root()


@update
def file_embedded(writer):
    names = generic.ArrayObject([words("a"), writer.add_object(generic.DictionaryObject())])
    tree = generic.DictionaryObject({pdf_name("/Names"): names})
    writer.root[pdf_name("/Names")] = generic.DictionaryObject({pdf_name("/EmbeddedFiles"): tree})
    writer.update_root()


@update
def form_became_xfa(writer):
    form = writer.root["/AcroForm"]
    form[pdf_name("/XFA")] = writer.add_object(generic.StreamObject(stream_data=b"<xdp/>"))
    writer.update_container(form)
    writer.update_root()


@update
def form_taken_away(writer):
    del writer.root["/AcroForm"]
    writer.update_root()


@update
def fields_taken_away(writer):
    form = writer.root["/AcroForm"]
    form[pdf_name("/Fields")] = generic.ArrayObject()
    writer.update_container(form)
    writer.update_root()


@update
def fields_in_another_order(writer):
    form = writer.root["/AcroForm"]
    fields = form["/Fields"]
    if len(fields) == 1:
        return False
    form[pdf_name("/Fields")] = generic.ArrayObject(reversed(fields))
    writer.update_container(form)
    writer.update_root()
    return True


@update
def box_listed_twice(writer):
    page = writer.root["/Pages"]["/Kids"][0].get_object()
    boxes = page.get("/Annots", generic.ArrayObject())
    if not boxes:
        return False
    page[pdf_name("/Annots")] = generic.ArrayObject([*boxes, boxes.raw_get(0)])
    writer.update_container(page)
    return True


@update
def signature_taken_away(writer):
    for reference in writer.root["/AcroForm"]["/Fields"]:
        field = reference.get_object()
        if "/V" not in field:
            return False
        del field["/V"]
        writer.mark_update(reference)
    return True


@update
def signed_field_given_kids(writer):
    for reference in writer.root["/AcroForm"]["/Fields"]:
        field = reference.get_object()
        if "/V" not in field or "/Kids" in field:
            return False
        field[pdf_name("/Kids")] = generic.ArrayObject()
        writer.mark_update(reference)
    return True


@update
def language_exchanged(writer):
    writer.root[pdf_name("/Lang")] = generic.TextStringObject("xx")
    writer.update_root()


@update
def another_root(writer):
    pages = generic.DictionaryObject(
        {pdf_name("/Type"): pdf_name("/Pages"), pdf_name("/Count"): generic.NumberObject(0)}
    )
    pages[pdf_name("/Kids")] = generic.ArrayObject()
    root = generic.DictionaryObject({pdf_name("/Type"): pdf_name("/Catalog")})
    root[pdf_name("/Pages")] = writer.add_object(pages)
    root[pdf_name("/AcroForm")] = writer.root.raw_get("/AcroForm")
    writer._root = writer.add_object(root)


@attack
def key_said_twice(pdf):
    """Either value of such a key may be taken, and here it is the same one."""
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf), strict=False)
    writer.root[pdf_name("/Aages")] = writer.root.raw_get("/Pages")
    writer.update_root()
    return written(writer).replace(b"/Aages", b"/Pages")


@update
def page_tree_with_a_hollow_node(writer):
    kinds = {"/Type": pdf_name("/Pages"), "/Count": generic.NumberObject(1), "/Kids": generic.ArrayObject()}
    hollow = generic.DictionaryObject({pdf_name(key): value for key, value in kinds.items()})
    pages = writer.root["/Pages"]
    pages["/Kids"].append(writer.add_object(hollow))
    writer.update_container(pages["/Kids"])


@update
def page_tree_with_another_root(writer):
    """It holds the same pages and lacks its type, which some readers put back."""
    pages = generic.DictionaryObject({pdf_name(key): writer.root["/Pages"].raw_get(key) for key in ("/Count", "/Kids")})
    writer.root[pdf_name("/Pages")] = writer.add_object(pages)
    writer.update_root()
