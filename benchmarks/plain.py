"""The plain way to a signed permit: typst, then pyHanko as its documentation shows, with an embedded font and a QR stamp.

No marker becomes a field, nothing is prepared once for many, nothing is proven: the yardstick. It needs the packages
of plain-requirements.txt.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import typst
from pyhanko.pdf_utils.font.opentype import GlyphAccumulatorFactory
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.text import TextBoxStyle
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko.stamp import QRStampStyle
from pyhanko_certvalidator import ValidationContext

BOX = (300, 90, 540, 170)
TEXT = "Ditandatangani secara elektronik oleh\n%(signer)s\n%(ts)s"


def typeset(root: Path, template: str, page: Mapping[str, Any], at: datetime) -> bytes:
    """Typeset one page, as one call of typst does it."""
    emblem = page["letterhead"]["emblem"]
    own = f"/{Path(template).parts[0]}/{emblem}"
    given = {
        "page": page,
        "density": 0,
        "emblem": own if (root / own[1:]).is_file() else f"/_shared/{emblem}",
        "photo": "",
        "marks": False,
    }
    pdf = typst.compile(
        {"main.typ": f'#include "/{template}"'.encode(), "given/page.json": json.dumps(given).encode()},
        root=str(root),
        font_paths=[str(root / "_shared/fonts")],
        ignore_system_fonts=True,
        pdf_standards=["a-3a", "ua-1"],
        timestamp=at,
    )
    assert isinstance(pdf, bytes)
    return pdf


def open_signer(key: Path, passphrase: bytes) -> SimpleSigner:
    """Load a key as pyHanko's documentation does."""
    signer = SimpleSigner.load_pkcs12(str(key), passphrase=passphrase)
    assert signer is not None, "the PKCS#12 file can be read"
    return signer


def sign_invisibly(pdf: bytes, signer: SimpleSigner, reason: str) -> bytes:
    """Sign in the document's empty field, or a new one without a place, as pyHanko's documentation does it."""
    metadata = PdfSignatureMetadata(field_name="ttd_kepala_dinas", reason=reason, subfilter=SigSeedSubFilter.PADES)
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    signed: bytes = PdfSigner(metadata, signer).sign_pdf(writer).getvalue()
    return signed


def is_signed(pdf: bytes) -> bool:
    """Tell whether the last signature is good and covers the whole file."""
    status = PdfFileReader(io.BytesIO(pdf)).embedded_signatures[-1]
    status.compute_integrity_info()
    found = validate_pdf_signature(status, ValidationContext(trust_roots=[]), skip_diff=True)
    return bool(found.intact and found.valid and status.coverage == SignatureCoverageLevel.ENTIRE_FILE)


def sign(pdf: bytes, signer: SimpleSigner, font: Path, url: str, reason: str) -> bytes:
    """Stamp and sign as pyHanko's documentation does: PAdES B-B, QR and text in an embedded font."""
    style = QRStampStyle(stamp_text=TEXT, text_box_style=TextBoxStyle(font=GlyphAccumulatorFactory(str(font))))
    metadata = PdfSignatureMetadata(field_name="ttd_kepala_dinas", reason=reason, subfilter=SigSeedSubFilter.PADES)
    spec = SigFieldSpec("ttd_kepala_dinas", on_page=0, box=BOX)
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    composer = PdfSigner(metadata, signer, stamp_style=style, new_field_spec=spec)
    signed: bytes = composer.sign_pdf(writer, appearance_text_params={"url": url}).getvalue()
    return signed
