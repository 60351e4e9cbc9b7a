"""A question for EU DSS: may a number-first permit without seal be certified with DocMDP P=1 and still be archived?

Archiving appends a DSS dictionary, a document time-stamp and, years later, another one.

signing/ does not make those levels, so pyHanko appends them here, each in a call of its own.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import pikepdf
from pikepdf import Dictionary, Name
from pyhanko.keys import load_cert_from_pemder
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import InvisSigSettings
from pyhanko.sign.signers import PdfTimeStamper
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko.sign.validation import add_validation_info
from pyhanko_certvalidator import ValidationContext

from signing import Backend, HttpTimestamper, QrCode, SignatureSpec, sign
from signing.model import Permission
from tests.conformance.pki import authority, revocation_lists, time_stamping

FIELD = "ttd_kepala"
URL = "HTTPS://IZIN.EXAMPLE.GO.ID/V/0123456789ABCDEF"


@dataclass(frozen=True)
class Variant:
    """What the head's certification permits and which fields it locks; without action there is no FieldMDP."""

    name: str
    permission: Permission
    action: str | None = None

    @property
    def words(self) -> str:
        return f"P={self.permission}, " + (f"FieldMDP {self.action}" if self.action else "no FieldMDP")


VARIANTS = (
    Variant("p1", 1),
    Variant("p1-all", 1, "All"),
    Variant("p2-all", 2, "All"),
)


@dataclass(frozen=True)
class Step:
    """One update of the archived document: its file name's part and what EU DSS calls the level then."""

    name: str
    dss: str
    time_stamps: int
    self_contained: bool = True


STEPS = (
    Step("signed", "PAdES-BASELINE-T", 0, self_contained=False),
    Step("dss", "PAdES-BASELINE-LT", 0),
    Step("archived", "PAdES-BASELINE-LTA", 1),
    Step("renewed", "PAdES-BASELINE-LTA", 2),
)


def name_of(variant: Variant, step: Step) -> str:
    return f"permission-{variant.name}-{step.name}.pdf"


def make(final: bytes, key: Backend, keys: Path, out: Path) -> None:
    """Sign the final of a number-first permit in both ways, and archive each: one file per step in `out`."""
    tsa = authority(keys)
    for variant in VARIANTS:
        for step, pdf in zip(STEPS, _archived(_locked(final, variant), variant, key, keys, tsa), strict=True):
            (out / name_of(variant, step)).write_bytes(pdf)


def _locked(final: bytes, variant: Variant) -> bytes:
    """The prepared paper with another lock in its one signature field."""
    with pikepdf.open(io.BytesIO(final)) as document:
        [field] = document.Root.AcroForm.Fields
        assert field.T == FIELD
        del field.Lock
        if variant.action:
            lock = Dictionary(Type=Name.SigFieldLock, Action=Name("/" + variant.action), P=variant.permission)
            field.Lock = document.make_indirect(lock)
        out = io.BytesIO()
        document.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate, deterministic_id=True)
        return out.getvalue()


def _archived(prepared: bytes, variant: Variant, key: Backend, keys: Path, tsa: DummyTimeStamper):
    spec = SignatureSpec(FIELD, "Penerbitan izin", "Rokan Hilir", True, variant.permission, QrCode(URL))
    with time_stamping(keys) as url:
        pdf = sign(prepared, key, spec, timestamper=HttpTimestamper(url)).pdf
    yield pdf
    context = _context(keys)
    pdf = _validation_data(pdf, context)
    yield pdf
    place = InvisSigSettings(box_out_of_bounds=True)
    stamper = PdfTimeStamper(tsa, "arsip_1", invis_settings=place)
    pdf = stamper.timestamp_pdf(_writer(pdf), "sha256", validation_context=context).getvalue()
    yield pdf
    stamper = PdfTimeStamper(tsa, "arsip_2", invis_settings=place)
    out = io.BytesIO()
    stamper.update_archival_timestamp_chain(PdfFileReader(io.BytesIO(pdf)), _context(keys), output=out)
    yield out.getvalue()


def _validation_data(pdf: bytes, context: ValidationContext) -> bytes:
    out = io.BytesIO()
    [signature] = PdfFileReader(io.BytesIO(pdf)).embedded_regular_signatures
    add_validation_info(signature, context, output=out)
    return out.getvalue()


def _writer(pdf: bytes) -> IncrementalPdfFileWriter:
    return IncrementalPdfFileWriter(io.BytesIO(pdf))


def _context(keys: Path) -> ValidationContext:
    """What is needed to collect: the anchor, the issuing CA, lists made after the signature; nothing is fetched."""
    root, issuing = (load_cert_from_pemder(str(keys / f"{name}.pem")) for name in ("root", "issuing"))
    lists = [path.read_bytes() for path in revocation_lists(keys, keys / "crl")]
    return ValidationContext(
        trust_roots=[root], other_certs=[issuing], crls=lists, allow_fetching=False, revocation_mode="require"
    )
