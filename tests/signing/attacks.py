"""The attack corpus: each takes a genuine run and returns a forged file. Sources: pdf-insecurity.org (USF, ISA, SWA,
shadow attacks, EAA/SSA) and what the number-after flow adds of its own."""

from __future__ import annotations

import io
import re
from unittest import mock

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.sign.fields import SigFieldSpec, append_signature_field
from pyhanko.sign.signers import PdfSigner

from signing import Frame, SignatureSpec, fill_and_seal, sign
from tests.signing.world import VALUES, writer, written

_RANGE = re.compile(rb"/ByteRange \[\d+ \d+ \d+ \d+\] *")
_CONTENTS = re.compile(rb"/Contents <[0-9A-F]+>")


def field(update, name):
    for reference in update.root["/AcroForm"]["/Fields"]:
        if reference.get_object()["/T"] == name:
            return reference
    raise KeyError(name)


def signed_anyway(pdf, key, name):
    """Sign also where the certification forbids it, as a forger's program would."""
    with mock.patch.object(PdfSigner, "_enforce_certification_constraints"):
        return sign(pdf, key, SignatureSpec(name, "", "", appearance=Frame())).pdf


# ---- incremental saving


def isa_page_text(run, **_):
    update = writer(run.final)
    stream = generic.StreamObject(stream_data=b"1 0 0 rg 50 50 90 90 re f")
    update.add_stream_to_page(0, update.add_object(stream))
    return written(update)


def isa_annotation(run, **_):
    update = writer(run.final)
    page = update.prev.root["/Pages"]["/Kids"].raw_get(0)
    note = generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/Annot"),
            pdf_name("/Subtype"): pdf_name("/FreeText"),
            pdf_name("/Rect"): generic.ArrayObject(map(generic.NumberObject, (10, 10, 200, 200))),
            pdf_name("/Contents"): generic.TextStringObject("Berlaku sampai 2099"),
        }
    )
    page.get_object()["/Annots"].append(update.add_object(note))
    update.update_container(page.get_object()["/Annots"])
    update.mark_update(page)
    return written(update)


def isa_number_changed(run, **_):
    update = writer(run.final)
    reference = field(update, "nomor_register")
    reference.get_object()["/V"] = generic.TextStringObject("503.440/999/DPMPTSP/2026")
    update.mark_update(reference)
    return written(update)


def isa_new_signature_field(run, **_):
    update = writer(run.final)
    append_signature_field(update, SigFieldSpec("tambahan"))
    return written(update)


# ---- bytes that no PDF needs


def garbage_after_eof(run, **_):
    return run.final + b"\n% Berlaku selamanya\n"


def loose_object_after_eof(run, **_):
    return run.final + b"999 0 obj\n<< /Type /Page >>\nendobj\n"


def second_startxref(run, **_):
    return run.final + run.final[-40:][run.final[-40:].index(b"startxref") :]


def junk_before_header(run, **_):
    return b"junk\n" + run.final


# ---- signature wrapping


def swa_moved_tail(run, **_):
    """The signed tail moves to the end of the file; its old place behind a shortened hole gets other content."""
    pdf = run.final
    match = list(_RANGE.finditer(pdf))[-1]
    gap, resume, rest = (int(number) for number in re.findall(rb"\d+", match[0])[1:])
    tail = pdf[resume:]
    evil = tail.replace(b"/Reason (Segel elektronik)", b"/Reason (Izin tanpa batas!)")
    moved = len(pdf)
    forged = b"/ByteRange [0 %d %d %d]" % (gap, moved, rest)
    evil = evil.replace(match[0], forged.ljust(len(match[0])), 1)
    return pdf[:resume] + evil + tail


def swa_hole_widened(run, **_):
    """The hole grows over the start of the signed tail."""
    match = list(_RANGE.finditer(run.final))[-1]
    gap, resume, rest = (int(number) for number in re.findall(rb"\d+", match[0])[1:])
    forged = b"/ByteRange [0 %d %d %d]" % (gap, resume + 10, rest - 10)
    return run.final.replace(match[0], forged.ljust(len(match[0])))


# ---- universal signature forgery


def _range(text: bytes):
    def attack(run, **_):
        match = list(_RANGE.finditer(run.final))[-1]
        return run.final.replace(match[0], text.ljust(len(match[0])))

    return attack


def _contents(text: bytes):
    def attack(run, **_):
        match = list(_CONTENTS.finditer(run.final))[-1]
        return run.final[: match.start()] + text.ljust(len(match[0])) + run.final[match.end() :]

    return attack


def usf_contents_zeros(run, **_):
    match = list(_CONTENTS.finditer(run.final))[-1]
    zeros = b"/Contents <" + b"0" * (len(match[0]) - 12) + b">"
    return run.final[: match.start()] + zeros + run.final[match.end() :]


# ---- shadow attacks: replace what is drawn, not what is said


def shadow_hide_and_replace(run, **_):
    update = writer(run.final)
    page = update.prev.root["/Pages"]["/Kids"][0]
    stream = update.add_object(generic.StreamObject(stream_data=b"BT ET"))
    page[pdf_name("/Contents")] = stream
    update.mark_update(update.prev.root["/Pages"]["/Kids"].raw_get(0))
    return written(update)


def shadow_font(run, **_):
    """The field font gets other widths: what the seal's number looks like changes."""
    update = writer(run.final)
    reference = update.root["/AcroForm"]["/DR"]["/Font"].raw_get("/FieldFont")
    reference.get_object()[pdf_name("/FirstChar")] = generic.NumberObject(33)
    update.mark_update(reference)
    return written(update)


def shadow_seal_look(run, **_):
    update = writer(run.final)
    look = field(update, run.expected.signatures[-1].field).get_object()["/AP"].raw_get("/N")
    look.get_object()._data = b"0 g 0 0 50 50 re f"
    look.get_object()._encoded_data = None
    update.mark_update(look)
    return written(update)


# ---- the number-after flow's own


def seal_stripped(run, **_):
    return run.head


def number_filled_without_seal(run, **_):
    from signing.filling import fill_in

    update = writer(run.head)
    fill_in(update, {**VALUES, "nomor_register": "503.440/999/DPMPTSP/2026"})
    return written(update)


def sealed_by_another(run, pki, **_):
    """Somebody of the same PKI, whom nobody asked, seals with another number."""
    forged = {**run.flow.values}
    if forged:
        forged["nomor_register"] = "503.440/999/DPMPTSP/2026"
    return fill_and_seal(run.head, forged, pki.key("orang-lain"), run.flow.seal_spec).pdf


def sealed_by_impostor(run, impostor, **_):
    """Another CA with our names."""
    return fill_and_seal(run.head, run.flow.values, impostor.key("segel"), run.flow.seal_spec).pdf


def all_by_impostor(run, impostor, **_):
    """A complete forgery: the same document, every signature by another CA with our names."""
    head = sign(run.preview, impostor.key("kepala"), run.flow.head_spec).pdf
    return fill_and_seal(head, run.flow.values, impostor.key("segel"), run.flow.seal_spec).pdf


def filled_outside_the_lock(run, pki, **_):
    """A field that the head's signature locks is filled afterwards, with a perfectly good seal on top."""
    update = writer(run.head)
    reference = field(update, "ttd_kepala")
    reference.get_object()[pdf_name("/TU")] = generic.TextStringObject("Diubah")
    update.mark_update(reference)
    return sign(written(update), pki.key("segel"), run.flow.seal_spec).pdf


def extra_field_and_signature(run, pki, **_):
    update = writer(run.head)
    append_signature_field(update, SigFieldSpec("tambahan", box=(10, 10, 60, 60)))
    return signed_anyway(written(update), pki.key("orang-lain"), "tambahan")


def stranger_in_archive_field(run, pki, **_):
    """An ordinary signature under a name that every lock leaves out: the seal's P=1 forbids it nevertheless."""
    update = writer(run.final)
    append_signature_field(update, SigFieldSpec("arsip_1"))
    return signed_anyway(written(update), pki.key("orang-lain"), "arsip_1")


def text_in_archive_field(run, **_):
    """A visible text under such a name."""
    update = writer(run.final)
    page = update.root["/Pages"]["/Kids"].raw_get(0)
    drawing = generic.StreamObject(stream_data=b"1 0 0 rg 0 0 99 99 re f")
    drawing[pdf_name("/Subtype")] = pdf_name("/Form")
    drawing[pdf_name("/BBox")] = generic.ArrayObject(map(generic.NumberObject, (0, 0, 99, 99)))
    box = generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/Annot"),
            pdf_name("/Subtype"): pdf_name("/Widget"),
            pdf_name("/FT"): pdf_name("/Tx"),
            pdf_name("/T"): generic.TextStringObject("arsip_1"),
            pdf_name("/V"): generic.TextStringObject("Berlaku sampai 2099"),
            pdf_name("/Rect"): generic.ArrayObject(map(generic.NumberObject, (10, 10, 109, 109))),
            pdf_name("/AP"): generic.DictionaryObject({pdf_name("/N"): update.add_object(drawing)}),
        }
    )
    widget = update.add_object(box)
    for holder, key in ((update.root["/AcroForm"], "/Fields"), (page.get_object(), "/Annots")):
        holder[key].append(widget)
        update.update_container(holder[key])
    return written(update)


def rewritten(run, **_):
    """Saved anew by another program: every byte moves."""
    import pikepdf

    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(run.final)) as document:
        document.save(out)
    return out.getvalue()


CORPUS = {
    attack.__name__: attack
    for attack in (
        isa_page_text,
        isa_annotation,
        isa_number_changed,
        isa_new_signature_field,
        garbage_after_eof,
        loose_object_after_eof,
        second_startxref,
        junk_before_header,
        swa_moved_tail,
        swa_hole_widened,
        usf_contents_zeros,
        shadow_hide_and_replace,
        shadow_font,
        shadow_seal_look,
        seal_stripped,
        number_filled_without_seal,
        sealed_by_another,
        sealed_by_impostor,
        all_by_impostor,
        filled_outside_the_lock,
        extra_field_and_signature,
        stranger_in_archive_field,
        text_in_archive_field,
        rewritten,
    )
} | {
    "usf_range_null": _range(b"/ByteRange null"),
    "usf_range_empty": _range(b"/ByteRange []"),
    "usf_range_negative": _range(b"/ByteRange [0 -1 9 9]"),
    "usf_range_short": _range(b"/ByteRange [0 9]"),
    "usf_range_nothing_covered": _range(b"/ByteRange [0 0 0 0]"),
    "usf_range_missing": _range(b"/XyteRange [0 1 1 1]"),
    "usf_contents_empty": _contents(b"/Contents <>"),
    "usf_contents_null": _contents(b"/Contents null"),
    "usf_contents_missing": _contents(b"/Xontents <>"),
}
