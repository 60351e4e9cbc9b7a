"""Signatures as a tolerant reader lists them, for files of makers that keep the letter of ISO 32000 less well than pyHanko asks.

Tolerance is for the form only: digest, signature value and coverage are judged as ever, and what became of the document is judged
by readers that repair nothing (signing/aftersigning.py).
"""

from __future__ import annotations

from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm, enumerate_sig_fields
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

_SHA1_IN_THE_FORMAT = {"/adbe.pkcs7.sha1", "/adbe.x509.rsa_sha1"}


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


def weak_formats(signatures: list[EmbeddedPdfSignature]) -> bool:
    """Whether a signature's very format rests on SHA-1."""
    return any(one.sig_object.get("/SubFilter") in _SHA1_IN_THE_FORMAT for one in signatures)
