"""Embedded documents: a genuine permit within a forged one, or a signature over bytes that nobody is shown."""

from __future__ import annotations

import re

from tests.verification.attacks.effects import attachments, sight
from tests.verification.attacks.genuine import Run
from tests.verification.attacks.registry import attack
from tests.verification.attacks.tools import (
    CONTENTS,
    RED,
    as_stream,
    catalog,
    changed,
    ended,
    last_range,
    objects_at,
    pdf,
    put,
    stream,
    table,
)

GROUP = "embedded documents"


def _document(front: bytes, extra: bytes = b"", form: bytes = b"", **more: bytes) -> bytes:
    """A small forged document whose first object is `front`'s stream; `form` goes into the catalog."""
    head = b"%PDF-1.7\n"
    objects = {
        1: as_stream(front, extra),
        2: b"<< /Type /Catalog /Pages 3 0 R %s >>" % form,
        3: b"<< /Type /Pages /Count 1 /Kids [4 0 R] >>",
        4: b"<< /Type /Page /Parent 3 0 R /MediaBox [0 0 595 842] /Contents 5 0 R /Annots [6 0 R] >>",
        5: as_stream(RED),
        6: more.get("box", b"<< /Type /Annot /Subtype /Link /Rect [0 0 0 0] >>"),
        7: more.get("signature", b"null"),
    }
    out, places = objects_at(head, objects)
    rows = table(places).removeprefix(b"xref\n")
    section = b"xref\n0 1\n0000000000 65535 f \n" + rows + b"trailer\n<< /Size 8 /Root 2 0 R >>\n"
    return ended(out + section, len(out))


@attack(GROUP, sight)
def permit_attached_to_a_forgery(run: Run) -> bytes:
    """A forged page with the genuine permit as its attachment."""
    names = (
        b"/Names << /EmbeddedFiles << /Names [(izin.pdf) << /Type /Filespec /F (izin.pdf) /EF << /F 1 0 R >> >>] >> >>"
    )
    return _document(run.final, b"/Type /EmbeddedFile", names)


@attack(GROUP, sight)
def permit_unpacked_in_a_portfolio(run: Run) -> bytes:
    """The same as a portfolio that opens with the attachment."""
    names = (
        b"/Collection << /View /H /D (izin.pdf) >> /Names << /EmbeddedFiles << /Names [(izin.pdf) << /Type /Filespec "
    )
    return _document(run.final, b"/Type /EmbeddedFile", names + b"/F (izin.pdf) /EF << /F 1 0 R >> >>] >> >>")


def _pointing(run: Run, ranges: bytes) -> bytes:
    """A forged page whose signature is the permit's own, with a range that leads into the attached permit."""
    field = b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (%s) /Rect [0 0 0 0] /V 7 0 R >>" % run.last_field.encode()
    contents = list(CONTENTS.finditer(run.final))[-1][0]
    sub = re.findall(rb"/SubFilter (/\S+)", run.final)[-1]
    signature = b"<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter %s %s /ByteRange [%s] >>" % (sub, contents, ranges)
    form = b"/AcroForm << /SigFlags 3 /Fields [6 0 R] >>"
    return _document(run.final, b"/Type /EmbeddedFile", form, box=field, signature=signature)


@attack(GROUP, sight)
def signature_over_the_attachment(run: Run) -> bytes:
    """A signature that holds, over the genuine permit in the file's attachment."""
    start = _pointing(run, b"0 0 0 0").index(run.final)
    _, gap, resume, rest = last_range(run.final)
    return _pointing(run, b"%d %d %d %d" % (start, gap, start + resume, rest))


@attack(GROUP, sight)
def signature_over_the_attachment_from_zero(run: Run) -> bytes:
    """The same with a third, empty part that begins at zero."""
    start = _pointing(run, b"0 0 0 0").index(run.final)
    _, gap, resume, rest = last_range(run.final)
    return _pointing(run, b"0 0 %d %d %d %d" % (start, gap, start + resume, rest))


@attack(GROUP, sight)
def permit_first_then_another_document(run: Run) -> bytes:
    """The genuine permit is the file's beginning, as its signature says; the document that is shown comes behind."""
    base, forged = run.final, _document(b"")
    offset = len(base)
    moved = re.sub(rb"(\d{10}) 00000 n", lambda row: b"%010d 00000 n" % (int(row[1]) + offset), forged)
    section = int(re.findall(rb"startxref\n(\d+)", forged)[-1]) + offset
    return base + re.sub(rb"startxref\n\d+", b"startxref\n%d" % section, moved)


@attack(GROUP, attachments, stamped=True)
def data_of_the_permit_exchanged(run: Run) -> bytes:
    """The attached JSON says something else than the page."""

    def change(update):
        file = update.root["/AF"][0]
        put(
            file,
            EF={"/F": stream(update, b'{"nama": "Orang Lain"}', Type="/EmbeddedFile", Subtype="/application#2Fjson")},
        )
        update.update_container(file)

    return changed(run.final, change)


@attack(GROUP, attachments, stamped=True)
def second_file_under_the_same_name(run: Run) -> bytes:
    """The name tree leads to another file than /AF does."""

    def change(update):
        file = {"/Type": "/Filespec", "/F": "izin.json", "/UF": "izin.json", "/EF": {"/F": stream(update, b"{}")}}
        put(update.root["/Names"], EmbeddedFiles={"/Names": ["izin.json", update.add_object(pdf(file))]})
        update.update_container(update.root["/Names"])

    return changed(run.final, change)


@attack(GROUP, attachments, stamped=True)
def one_more_attachment(run: Run) -> bytes:
    """One more attached file: an appendix that the office never wrote."""

    def change(update):
        file = {
            "/Type": "/Filespec",
            "/F": "lampiran.pdf",
            "/UF": "lampiran.pdf",
            "/EF": {"/F": stream(update, b"%PDF-")},
        }
        made = update.add_object(pdf(file))
        put(catalog(update), AF=[*update.root["/AF"], made])
        put(update.root["/Names"], EmbeddedFiles={"/Names": ["lampiran.pdf", made]})
        update.update_container(update.root["/Names"])

    return changed(run.final, change)
