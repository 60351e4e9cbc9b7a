"""Incremental saving (ISA): content changed or exchanged in an honest-looking update."""

from __future__ import annotations

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name

from tests.foreign.attacks.tools import (
    first_page,
    numbers,
    update,
)


@update
def text_added(writer):
    stream = generic.StreamObject(stream_data=b"q 1 0 0 rg 50 480 90 12 re f Q")
    writer.add_stream_to_page(0, writer.add_object(stream))


@update
def content_replaced(writer):
    reference = first_page(writer)
    stream = generic.StreamObject(stream_data=b"BT ET")
    reference.get_object()[pdf_name("/Contents")] = writer.add_object(stream)
    writer.mark_update(reference)


@update
def content_stream_overwritten(writer):
    """The page's own content object gets other bytes under its old number."""
    held = first_page(writer).get_object().raw_get("/Contents")
    target = held if isinstance(held, generic.IndirectObject) else held[0]
    if isinstance(target.get_object(), generic.ArrayObject):
        target = target.get_object()[0]
    stream = generic.StreamObject(stream_data=b"BT /F1 14 Tf 50 500 Td (Rp 900.000) Tj ET")
    writer.objects[target.generation, target.idnum] = stream


@update
def page_added(writer):
    page = generic.DictionaryObject(
        {pdf_name("/Type"): pdf_name("/Page"), pdf_name("/MediaBox"): numbers((0, 0, 9, 9))}
    )
    tree = writer.root.raw_get("/Pages")
    page[pdf_name("/Parent")] = tree
    node = tree.get_object()
    node["/Kids"].append(writer.add_object(page))
    node[pdf_name("/Count")] = generic.NumberObject(int(node["/Count"]) + 1)
    writer.mark_update(tree)


@update
def page_cropped(writer):
    reference = first_page(writer)
    reference.get_object()[pdf_name("/CropBox")] = numbers((0, 0, 300, 480))
    writer.mark_update(reference)


@update
def page_turned(writer):
    reference = first_page(writer)
    reference.get_object()[pdf_name("/Rotate")] = generic.NumberObject(180)
    writer.mark_update(reference)


@update
def font_exchanged(writer):
    reference = first_page(writer)
    resources = reference.get_object()["/Resources"]
    if "/Font" not in resources:
        return False
    name = next(iter(resources["/Font"]))
    font = {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Symbol"}
    other = generic.DictionaryObject({pdf_name(key): pdf_name(value) for key, value in font.items()})
    resources["/Font"][pdf_name(name)] = writer.add_object(other)
    writer.update_container(resources["/Font"])
    return writer.mark_update(reference)
