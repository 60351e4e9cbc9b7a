"""Papers with one fault each. A judge that lets them pass is no judge: its other verdicts would be worth nothing."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import pikepdf
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner

from signing import ARCHIVE_FIELDS


@dataclass(frozen=True)
class Broken:
    """What is wrong, with which paper, who must object, and in which words EU DSS does; `context` is what DSS is told."""

    name: str
    words: str
    paper: str
    objects: frozenset[str]
    dss_says: str = ""
    spoil: Callable[[bytes, SimpleSigner], bytes] = lambda pdf, _: pdf
    context: str = "usual"


def _another_byte(pdf: bytes, _: SimpleSigner) -> bytes:
    """Another letter in the reason of the last signature: the file opens as before."""
    at = pdf.rindex(b"/Reason (") + len(b"/Reason (")
    return pdf[:at] + bytes([pdf[at] ^ 1]) + pdf[at + 1 :]


def _untagged(pdf: bytes, _: SimpleSigner) -> bytes:
    with pikepdf.open(io.BytesIO(pdf)) as document:
        del document.Root.StructTreeRoot
        out = io.BytesIO()
        document.save(out)
        return out.getvalue()


def _no_xref(pdf: bytes, _: SimpleSigner) -> bytes:
    return pdf[: pdf.rindex(b"startxref")]


def _larger_page(pdf: bytes, _: SimpleSigner) -> bytes:
    """An update with other content on the page, as a forger would append it."""
    update = IncrementalPdfFileWriter(io.BytesIO(pdf))
    content = update.add_object(generic.StreamObject(stream_data=b"q 1 0 0 rg 100 100 300 300 re f Q"))
    update.add_stream_to_page(0, content)
    out = io.BytesIO()
    update.write(out)
    return out.getvalue()


def _other_number(pdf: bytes, _: SimpleSigner) -> bytes:
    update = IncrementalPdfFileWriter(io.BytesIO(pdf))
    for reference in update.root["/AcroForm"]["/Fields"]:
        field = reference.get_object()
        if field["/T"] == "nomor_register":
            field["/V"] = generic.TextStringObject("500.16.7.2/9999/SIK-PM/I/DPMPTSP/2026")
            update.mark_update(reference)
    out = io.BytesIO()
    update.write(out)
    return out.getvalue()


class _Careless(PdfSigner):
    """Signs also where the certification forbids it, as a forger's program would."""

    def _enforce_certification_constraints(self, reader) -> None:
        pass


def _signed_again(pdf: bytes, stranger: SimpleSigner, field: str = "tambahan") -> bytes:
    metadata = PdfSignatureMetadata(field, subfilter=SigSeedSubFilter.PADES, md_algorithm="sha256")
    return _Careless(metadata, stranger).sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf))).getvalue()


def _in_archive(pdf: bytes, stranger: SimpleSigner) -> bytes:
    """An ordinary signature under a name that the locks leave out."""
    return _signed_again(pdf, stranger, ARCHIVE_FIELDS[0])


HEAD, SEALED = "000-head-rsa2048-B-T.pdf", "002-sealed-rsa2048-B-T.pdf"
P1 = "000-archived-rsa2048-B-LTA.pdf"
PAGES, SIGNED, DSS = frozenset({"3a", "ua1"}), frozenset({"dss", "pdfsig"}), frozenset({"dss"})
BROKEN = (
    Broken("untagged", "the structure tree is gone", "000-final.pdf", PAGES, spoil=_untagged),
    Broken("xref", "the end of the file is lost", HEAD, frozenset({"qpdf"}), spoil=_no_xref),
    Broken("byte", "one signed byte is another", HEAD, SIGNED, "HASH_FAILURE", _another_byte),
    Broken("page-head", "other page content after the head", HEAD, SIGNED, "Visual difference", _larger_page),
    Broken("page-seal", "other page content after the seal", SEALED, SIGNED, "Visual difference", _larger_page),
    Broken("number", "another number after the seal", SEALED, SIGNED, "restricted by /SigFieldLock", _other_number),
    Broken("again-p1", "one more signature after P=1", P1, DSS, "restricted by /DocMDP", _signed_again),
    Broken("again-seal", "one more signature after the seal", SEALED, DSS, "restricted by /FieldMDP", _signed_again),
    Broken(
        "again-archive",
        "the same under the name of an archive's time-stamp",
        SEALED,
        DSS,
        "restricted by /SigFieldLock",
        _in_archive,
    ),
    Broken("root", "another root is trusted", HEAD, DSS, "NO_CERTIFICATE_CHAIN_FOUND", context="stranger"),
    Broken("revoked", "the head's certificate is revoked", HEAD, DSS, "REVOKED_NO_POE", context="revoked"),
    Broken("no-lists", "no revocation data", HEAD, DSS, "No revocation data found", context="no lists"),
    Broken("level", "B-B is claimed to be B-T", "000-head-p256-B-B.pdf", DSS, "level PAdES-BASELINE-B"),
)


def file_name(one: Broken) -> str:
    return f"broken-{one.name}.pdf"
