"""Bytes that no PDF needs, before and behind."""

from __future__ import annotations

from tests.foreign.attacks.tools import (
    attack,
)


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
