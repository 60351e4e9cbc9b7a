"""Manipulations of anybody's signed file: each takes the bytes and returns forged ones, or None where it finds no hold.

Sources: pdf-insecurity.org (USF, ISA, SWA, shadow attacks, EAA and SSA). None knows who wrote the file.
"""

from __future__ import annotations

import functools
import io
import re

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.content import RawContent
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import BoxConstraints
from pyhanko.sign.fields import SigFieldSpec, append_signature_field
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


def _page(writer):
    return writer.find_page_for_modification(0)[0]


def _array(numbers):
    return generic.ArrayObject(map(generic.NumberObject, numbers))


def _text(text):
    return generic.TextStringObject(text)


def _drawing(writer, box, commands=b"1 1 1 rg 0 0 900 900 re f"):
    form = RawContent(commands, box=BoxConstraints(box[2] - box[0], box[3] - box[1])).as_form_xobject()
    return generic.DictionaryObject({pdf_name("/N"): writer.add_object(form)})


def _annotate(writer, entries):
    reference = _page(writer)
    page = reference.get_object()
    if "/Annots" not in page:
        page[pdf_name("/Annots")] = generic.ArrayObject()
    page["/Annots"].append(writer.add_object(generic.DictionaryObject(entries)))
    writer.update_container(page["/Annots"])
    writer.mark_update(reference)


# ---- incremental saving


@update
def text_added(writer):
    stream = generic.StreamObject(stream_data=b"q 1 0 0 rg 50 480 90 12 re f Q")
    writer.add_stream_to_page(0, writer.add_object(stream))


@update
def content_replaced(writer):
    reference = _page(writer)
    stream = generic.StreamObject(stream_data=b"BT ET")
    reference.get_object()[pdf_name("/Contents")] = writer.add_object(stream)
    writer.mark_update(reference)


@update
def content_stream_overwritten(writer):
    """The page's own content object gets other bytes under its old number."""
    held = _page(writer).get_object().raw_get("/Contents")
    target = held if isinstance(held, generic.IndirectObject) else held[0]
    if isinstance(target.get_object(), generic.ArrayObject):
        target = target.get_object()[0]
    stream = generic.StreamObject(stream_data=b"BT /F1 14 Tf 50 500 Td (Rp 900.000) Tj ET")
    writer.objects[target.generation, target.idnum] = stream


@update
def page_added(writer):
    page = generic.DictionaryObject({pdf_name("/Type"): pdf_name("/Page"), pdf_name("/MediaBox"): _array((0, 0, 9, 9))})
    tree = writer.root.raw_get("/Pages")
    page[pdf_name("/Parent")] = tree
    node = tree.get_object()
    node["/Kids"].append(writer.add_object(page))
    node[pdf_name("/Count")] = generic.NumberObject(int(node["/Count"]) + 1)
    writer.mark_update(tree)


@update
def page_cropped(writer):
    reference = _page(writer)
    reference.get_object()[pdf_name("/CropBox")] = _array((0, 0, 300, 480))
    writer.mark_update(reference)


@update
def page_turned(writer):
    reference = _page(writer)
    reference.get_object()[pdf_name("/Rotate")] = generic.NumberObject(180)
    writer.mark_update(reference)


@update
def font_exchanged(writer):
    reference = _page(writer)
    resources = reference.get_object()["/Resources"]
    if "/Font" not in resources:
        return False
    name = next(iter(resources["/Font"]))
    font = {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Symbol"}
    other = generic.DictionaryObject({pdf_name(key): pdf_name(value) for key, value in font.items()})
    resources["/Font"][pdf_name(name)] = writer.add_object(other)
    writer.update_container(resources["/Font"])
    return writer.mark_update(reference)


# ---- annotations and fields (EAA, SSA)


@update
def text_over_the_page(writer):
    box = (50, 490, 250, 520)
    kind = {
        "/Type": pdf_name("/Annot"),
        "/Subtype": pdf_name("/FreeText"),
        "/Rect": _array(box),
        "/F": generic.NumberObject(4),
    }
    entries = {pdf_name(key): value for key, value in kind.items()}
    _annotate(writer, entries | {pdf_name("/Contents"): _text("Rp 900.000"), pdf_name("/AP"): _drawing(writer, box)})


@update
def stamp_over_the_page(writer):
    box = (50, 490, 250, 520)
    kind = {
        "/Type": pdf_name("/Annot"),
        "/Subtype": pdf_name("/Stamp"),
        "/Rect": _array(box),
        "/F": generic.NumberObject(4),
    }
    entries = {pdf_name(key): value for key, value in kind.items()}
    _annotate(writer, entries | {pdf_name("/AP"): _drawing(writer, box)})


@update
def link_added(writer):
    action = generic.DictionaryObject(
        {pdf_name("/S"): pdf_name("/URI"), pdf_name("/URI"): _text("https://example.com")}
    )
    kind = {"/Type": pdf_name("/Annot"), "/Subtype": pdf_name("/Link"), "/Rect": _array((0, 0, 420, 595)), "/A": action}
    _annotate(writer, {pdf_name(key): value for key, value in kind.items()})


def _add_field(writer, extra):
    box = (50, 490, 250, 520)
    kind = {"/Type": pdf_name("/Annot"), "/Subtype": pdf_name("/Widget"), "/T": _text("tambahan"), "/Rect": _array(box)}
    widget = generic.DictionaryObject({pdf_name(key): value for key, value in {**kind, **extra}.items()})
    widget[pdf_name("/AP")] = _drawing(writer, box)
    reference = writer.add_object(widget)
    form = writer.root["/AcroForm"]
    form["/Fields"].append(reference)
    writer.update_container(form["/Fields"])
    page = _page(writer)
    if "/Annots" not in page.get_object():
        page.get_object()[pdf_name("/Annots")] = generic.ArrayObject()
    page.get_object()["/Annots"].append(reference)
    writer.update_container(page.get_object()["/Annots"])
    writer.mark_update(page)


@update
def text_field_over_the_page(writer):
    _add_field(writer, {"/FT": pdf_name("/Tx"), "/V": _text("Rp 900.000")})


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
    widget.get_object()[pdf_name("/AP")] = _drawing(writer, (50, 490, 250, 520))
    writer.mark_update(widget)
    return _signed_anyway(written(writer), "tambahan")


def _signed_anyway(pdf, name=None):
    """Sign also where the certification forbids it."""
    forbids = PdfSigner._enforce_certification_constraints
    PdfSigner._enforce_certification_constraints = lambda *_: None
    try:
        return sign(pdf, name or "penyerang", who=signer("p256", "Penyerang"))
    finally:
        PdfSigner._enforce_certification_constraints = forbids


@attack
def changed_then_signed_by_another(pdf):
    return _signed_anyway(ATTACKS["content_replaced"](pdf))


# ---- the catalogue


@update
def script_on_opening(writer):
    script = generic.DictionaryObject({pdf_name("/S"): pdf_name("/JavaScript"), pdf_name("/JS"): _text("app.alert(1)")})
    writer.root[pdf_name("/OpenAction")] = writer.add_object(script)
    writer.update_root()


@update
def layers_switched(writer):
    group = generic.DictionaryObject({pdf_name("/Type"): pdf_name("/OCG"), pdf_name("/Name"): _text("x")})
    groups = generic.ArrayObject([writer.add_object(group)])
    off = generic.DictionaryObject({pdf_name("/OFF"): groups})
    writer.root[pdf_name("/OCProperties")] = generic.DictionaryObject({pdf_name("/OCGs"): groups, pdf_name("/D"): off})
    writer.update_root()


@update
def file_embedded(writer):
    names = generic.ArrayObject([_text("a"), writer.add_object(generic.DictionaryObject())])
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


# ---- bytes that no PDF needs


@attack
def bytes_behind(pdf):
    return pdf + b"\n% Berlaku selamanya\n"


@attack
def bytes_and_end_behind(pdf):
    return pdf + b"\nBerlaku selamanya\n%%EOF\n"


@attack
def object_behind(pdf):
    return pdf + b"\n4 0 obj\n<< /Type /Page >>\nendobj\n"


@attack
def end_repeated(pdf):
    return pdf + b"\n" + pdf[pdf.rindex(b"startxref") :]


@attack
def document_behind(pdf):
    """A whole other document, as two readers may choose."""
    return pdf + b"\n" + (b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n")


@attack
def junk_before(pdf):
    return b"junk\n" + pdf


@attack
def bit_turned(pdf):
    at = pdf.index(b"/ByteRange") // 2
    return pdf[:at] + bytes([pdf[at] ^ 1]) + pdf[at + 1 :]


# ---- ranges and values (USF, SWA)


def _last_range(pdf):
    """The range that reaches furthest: that of the last signature."""
    return max(_RANGE.finditer(pdf), key=lambda found: int(found[3]) + int(found[4]))


def _with_range(name, text):
    def make(pdf):
        found = _last_range(pdf)
        text_now = text(*map(int, found.groups())) if callable(text) else text
        room = len(found[0]) + len(re.match(rb" *", pdf[found.end() :])[0])
        if len(text_now) > room:
            return None
        return pdf[: found.start()] + text_now.ljust(room) + pdf[found.start() + room :]

    ATTACKS[name] = make


_with_range("range_null", b"/ByteRange null")
_with_range("range_empty", b"/ByteRange []")
_with_range("range_of_nothing", b"/ByteRange [0 0 0 0]")
_with_range("range_negative", b"/ByteRange [0 -1 9 9]")
_with_range("range_missing", b"/XyteRange [0 1 1 1]")
_with_range("range_not_from_start", lambda a, b, c, d: b"/ByteRange [9 %d %d %d]" % (b - 9, c, d))
_with_range("range_wider", lambda a, b, c, d: b"/ByteRange [0 %d %d %d]" % (b, c + 10, d - 10))
_with_range("range_of_six", lambda a, b, c, d: b"/ByteRange [0 %d %d %d 0 0]" % (b, c, d))
_with_range("range_shorter", lambda a, b, c, d: b"/ByteRange [0 %d %d %d]" % (b, c, d - 20))


def _with_value(name, change):
    def make(pdf):
        _, before, resume, _ = map(int, _last_range(pdf).groups())
        value = change(pdf[before:resume])
        return pdf[:before] + value.ljust(resume - before) + pdf[resume:]

    ATTACKS[name] = make


_with_value("value_of_zeros", lambda value: b"<" + b"0" * (len(value) - 2) + b">")
_with_value("value_empty", lambda value: b"<>")
_with_value("value_null", lambda value: b"null")
_with_value("value_with_something_behind", lambda value: value[:-9] + b"41414141>")
_with_value("value_shorter", lambda value: value[: len(value) // 4 * 2] + b">")


@attack
def tail_moved(pdf):
    """SWA: the signed tail moves to the end; in its old place stands other content."""
    found = _last_range(pdf)
    _, before, resume, rest = map(int, found.groups())
    tail = pdf[resume : resume + rest]
    forged = b"/ByteRange [0 %d %d %d]" % (before, len(pdf), rest)
    room = len(found[0]) + len(re.match(rb" *", pdf[found.end() :])[0])
    if len(forged) > room:
        return None
    head = pdf[: found.start()] + forged.ljust(room) + pdf[found.start() + room : resume]
    return head + tail.replace(b"Setuju", b"Tolak!") + tail


@attack
def value_of_another_document(pdf):
    """A good signature over something else, copied into the hole."""
    other = _signed_anyway(ATTACKS["content_replaced"](pdf))
    value = other[slice(*map(int, _last_range(other).groups()[1:3]))].strip(b"<>").rstrip(b"0")
    _, before, resume, _ = map(int, _last_range(pdf).groups())
    room = resume - before - 2
    return pdf[:before] + b"<" + value.ljust(room, b"0")[:room] + b">" + pdf[resume:]
