"""Signatures as a tolerant reader lists them, for files of makers that keep the letter of ISO 32000 less well than pyHanko asks.

Tolerance is for the form only: digest, signature value and coverage are judged as ever, and what became of the document is judged
by readers that repair nothing (signing/aftersigning.py).
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Final

from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm, enumerate_sig_fields
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

_SHA1_IN_THE_FORMAT = {"/adbe.pkcs7.sha1", "/adbe.x509.rsa_sha1"}
_XREF: Final = re.compile(rb"/XRef\b")
_MOST_XREFS: Final = 256
_LONGEST: Final = 8192
_COUNTS: Final = re.compile(rb"/(?:Index|Size)\s*\[?([\d\s]*)")


class TolerantSignature(EmbeddedPdfSignature):
    """Takes a DocMDP permission that is none for what ISO 32000-2, table 257 says then: the default, 2."""

    @property
    def docmdp_level(self) -> MDPPerm | None:
        """The permission; a certification that names none permits forms and signatures."""
        try:
            return super().docmdp_level
        except SignatureValidationError:
            return MDPPerm.FILL_FORMS

    def _enforce_hybrid_xref_policy(self) -> None:
        """Hybrid files are read as their own cross-reference streams say; qpdf and pdfium must agree with that."""


def listed(reader: PdfFileReader) -> list[EmbeddedPdfSignature]:
    """Return all signatures in the order of signing; tolerantly, if the reader is."""
    if reader.strict:
        return list(reader.embedded_signatures)
    found = [
        TolerantSignature(reader, field.get_object(), name)
        for name, _, field in enumerate_sig_fields(reader, filled_status=True)
    ]
    return sorted(found, key=lambda one: one.signed_revision)


def counts_too_many(pdf: bytes) -> bool:
    """Whether a cross-reference stream counts more objects than the file has bytes: a tolerant reader goes through them all."""
    dictionaries = (_dictionary(pdf, found.start()) for found in islice(_XREF.finditer(pdf), _MOST_XREFS))
    counts = (number for one in dictionaries for found in _COUNTS.finditer(one) for number in found[1].split())
    return any(int(number) > len(pdf) for number in counts)


def _dictionary(pdf: bytes, at: int) -> bytes:
    """What stands around this place, from the object's head to its stream."""
    head, stream = pdf.rfind(b"obj", max(0, at - _LONGEST), at), pdf.find(b"stream", at, at + _LONGEST)
    return pdf[head if head >= 0 else max(0, at - _LONGEST) : stream if stream >= 0 else at + _LONGEST]


def weak_formats(signatures: list[EmbeddedPdfSignature]) -> bool:
    """Whether a signature's very format rests on SHA-1."""
    return any(one.sig_object.get("/SubFilter") in _SHA1_IN_THE_FORMAT for one in signatures)
