"""Signs as an outside service does: in a field of its own making, with a picture. For the simulator and for tests.

No permit is ever signed here: the result is not PDF/A, and nothing of it is promised.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import pikepdf
from PIL import Image
from pyhanko.pdf_utils.images import PdfImage
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import AxisAlignment, InnerScaling, SimpleBoxLayoutRule
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter, enumerate_sig_fields
from pyhanko.sign.signers.pdf_signer import PdfSignatureMetadata, PdfSigner
from pyhanko.stamp import StaticStampStyle

from signing.backends import Backend
from signing.cms import Identity, reserve, signed_data
from signing.errors import SigningFailed, translated
from signing.timestamp import Timestamper

_NOWHERE: Final = (0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG or JPEG, on which page (from 1), in which box (points from the lower left corner)."""

    content: bytes = field(repr=False)
    page: int
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class OutsideSpec:
    """`field` is taken if the document has it, and made otherwise. `at` is the clock of the service."""

    field: str
    picture: Picture | None = None
    reason: str = ""
    location: str = ""
    at: datetime | None = None
    timestamper: Timestamper | None = None


def sign_outside(pdf: bytes, key: Backend, spec: OutsideSpec) -> bytes:
    """Sign with `adbe.pkcs7.detached` in one incremental update. Raises SigningFailed compose_failed."""
    with translated(SigningFailed, "compose_failed"):
        writer = IncrementalPdfFileWriter(io.BytesIO(pdf), strict=False)
        identity = Identity.of(key)
        composer = PdfSigner(
            PdfSignatureMetadata(
                field_name=spec.field,
                md_algorithm=identity.digest,
                subfilter=SigSeedSubFilter.ADOBE_PKCS7_DETACHED,
                reason=spec.reason or None,
                location=spec.location or None,
            ),
            identity.placeholder,
            stamp_style=_stamp(spec.picture),
            new_field_spec=_new_field(spec),
        )
        session = composer.init_signing_session(writer)
        session.system_time = (spec.at or datetime.now(UTC)).replace(microsecond=0)
        output = io.BytesIO()
        room = reserve(identity, timestamped=spec.timestamper is not None)
        prepared, _ = session.prepare_tbs_document(None, room).digest_tbs_document(output=output)
        prepared.fill_with_cms(output, signed_data(identity, key, prepared.document_digest, spec.timestamper))
        return output.getvalue()


def empty_signature_fields(pdf: bytes) -> tuple[str, ...]:
    """The names of fields that wait for a signature."""
    with translated(SigningFailed, "compose_failed"):
        writer = IncrementalPdfFileWriter(io.BytesIO(pdf), strict=False)
        return tuple(name for name, value, _ in enumerate_sig_fields(writer.prev) if value is None)


def rewritten(pdf: bytes) -> bytes:
    """The same document written anew, as a service does that doesn't append."""
    with translated(SigningFailed, "pdf_unreadable"), pikepdf.open(io.BytesIO(pdf)) as document:
        out = io.BytesIO()
        document.save(out, object_stream_mode=pikepdf.ObjectStreamMode.disable)
        return out.getvalue()


def picture_size(content: bytes) -> tuple[int, int]:
    """Width and height in pixels. Raises SigningFailed compose_failed."""
    with translated(SigningFailed, "compose_failed"), Image.open(io.BytesIO(content)) as image:
        return image.size


def _new_field(spec: OutsideSpec) -> SigFieldSpec:
    picture = spec.picture
    left, bottom, right, top = (round(edge) for edge in (picture.box if picture else _NOWHERE))
    return SigFieldSpec(spec.field, on_page=picture.page - 1 if picture else 0, box=(left, bottom, right, top))


def _stamp(picture: Picture | None) -> StaticStampStyle | None:
    if picture is None:
        return None
    image = PdfImage(Image.open(io.BytesIO(picture.content)))
    whole = SimpleBoxLayoutRule(
        AxisAlignment.ALIGN_MID, AxisAlignment.ALIGN_MID, inner_content_scaling=InnerScaling.STRETCH_FILL
    )
    return StaticStampStyle(background=image, background_opacity=1, border_width=0, background_layout=whole)
