"""Signs: PAdES B-B and B-T, as append-only updates. Composes with pyHanko; the key itself never comes near it."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.content import AppearanceContent
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import BoxConstraints
from pyhanko.pdf_utils.writer import BasePdfFileWriter
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.signers.constants import ESIC_EXTENSION_1
from pyhanko.sign.signers.pdf_byterange import PreparedByteRangeDigest
from pyhanko.sign.signers.pdf_signer import PdfSignatureMetadata, PdfSigner
from pyhanko.stamp import BaseStampStyle

from signing.appearance import draw, extent
from signing.backends import Backend
from signing.cms import Identity, container, reserve, signed_attributes
from signing.errors import SigningFailed, translated
from signing.filling import PlainUpdate, box_of, field_references, fill_in
from signing.model import Appearance, Level, SignatureSpec, Signed
from signing.reading import QuickReader
from signing.timestamp import Timestamper

_PERMISSIONS: Final = {1: MDPPerm.NO_CHANGES, 2: MDPPerm.FILL_FORMS, 3: MDPPerm.ANNOTATE}


def sign(
    pdf: bytes,
    key: Backend,
    spec: SignatureSpec,
    *,
    timestamper: Timestamper | None = None,
    at: datetime | None = None,
) -> Signed:
    """Sign in the prepared field `spec.field`; the output begins with `pdf`, byte for byte.

    `at` is the claimed signing time (now, unless given). With a `timestamper` the level is B-T, without B-B; there is
    no silent downgrade. Raises SigningFailed, TimestampFailed. Source: ETSI EN 319 142-1.
    """
    return fill_and_seal(pdf, {}, key, spec, timestamper=timestamper, at=at)


def fill_and_seal(
    pdf: bytes,
    values: Mapping[str, str],
    key: Backend,
    spec: SignatureSpec,
    *,
    timestamper: Timestamper | None = None,
    at: datetime | None = None,
) -> Signed:
    """Fill text fields and sign in one update, so that no file exists that is filled and not sealed.

    Raises ValueUnfit before anything is signed, otherwise as `sign`.
    """
    composed = compose(pdf, values, key, spec, timestamped=timestamper is not None, at=at)
    with translated(SigningFailed, "compose_failed"):
        return composed.complete(key.sign_attributes(composed.attributes), timestamper)


@dataclass(frozen=True, slots=True)
class Composed:
    """A document that lacks nothing but its signature: `attributes` are what the key has to sign."""

    attributes: bytes = field(repr=False)
    _identity: Identity = field(repr=False)
    _prepared: PreparedByteRangeDigest = field(repr=False)
    _output: io.BytesIO = field(repr=False)
    _certificate_sha256: str
    _at: datetime

    def complete(self, signature: bytes, timestamper: Timestamper | None = None) -> Signed:
        """Put the key's signature in. Raises TimestampFailed, SigningFailed."""
        with translated(SigningFailed, "compose_failed"):
            self._prepared.fill_with_cms(
                self._output, container(self._identity, self.attributes, signature, timestamper)
            )
            level: Level = "B-T" if timestamper else "B-B"
            return Signed(self._output.getvalue(), level, self._certificate_sha256, self._at)


def compose(
    pdf: bytes,
    values: Mapping[str, str],
    key: Backend,
    spec: SignatureSpec,
    *,
    timestamped: bool = False,
    at: datetime | None = None,
) -> Composed:
    """Do everything of `fill_and_seal` but the signature, for keys that sign many at once. Raises ValueUnfit, SigningFailed."""
    at = (at or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)
    identity = Identity.of(key)
    with translated(SigningFailed, "compose_failed"):
        writer = PlainUpdate.from_reader(QuickReader(io.BytesIO(pdf)))
        _check(writer, key, spec)
        fill_in(writer, values)
        room = reserve(identity, timestamped=timestamped)
        prepared, output = _compose(writer, identity, spec, room, at)
        attributes = signed_attributes(identity, prepared.document_digest)
        return Composed(attributes, identity, prepared, output, key.certificate_sha256, at)


class _Composer(PdfSigner):
    """Declares the PAdES extension and no other.

    For ECDSA pyHanko would declare ISO/TS 32002 too and raise the document to PDF 2.0, which ends PDF/A-3. PAdES allows
    ECDSA in PDF 1.7 by itself (ETSI EN 319 142-1, 4.1).
    """

    def register_extensions(self, pdf_out: BasePdfFileWriter, *, md_algorithm: str) -> None:  # noqa: ARG002  # pyHanko's
        pdf_out.register_extension(ESIC_EXTENSION_1)


class _Drawn(AppearanceContent):
    """A drawing in the same box and the same form as the empty one that the preparation left."""

    def __init__(self, writer: BasePdfFileWriter, box: BoxConstraints, look: Appearance, rect: Sequence[float]) -> None:
        super().__init__(writer, box)
        self._look, self._rect = look, rect

    def render(self) -> bytes:
        return draw(self._look, *extent(self._rect))

    def as_form_xobject(self) -> generic.StreamObject:
        stream = super().as_form_xobject()
        stream["/BBox"] = box_of(self._rect)
        stream.compress()
        return stream


class _Style(BaseStampStyle):
    def __init__(self, look: Appearance, rect: Sequence[float]) -> None:
        super().__init__()
        object.__setattr__(self, "drawing", (look, rect))

    def create_stamp(
        self,
        writer: BasePdfFileWriter,
        box: BoxConstraints,
        text_params: dict[str, Any],  # noqa: ARG002  # pyHanko's signature
    ) -> Any:
        return _Drawn(writer, box, *self.drawing)  # type: ignore[attr-defined]  # set in __init__; the base is frozen


def _compose(
    writer: IncrementalPdfFileWriter, identity: Identity, spec: SignatureSpec, reserved: int, at: datetime
) -> tuple[PreparedByteRangeDigest, io.BytesIO]:
    """Everything but the signature itself: the update with a hole of `reserved` hex digits, and its digest."""
    rect = [float(edge) for edge in field_references(writer, "/Sig")[spec.field].get_object()["/Rect"]]
    composer = _Composer(
        PdfSignatureMetadata(
            field_name=spec.field,
            certify=spec.certify,
            docmdp_permissions=_PERMISSIONS[spec.permission],
            subfilter=SigSeedSubFilter.PADES,
            md_algorithm=identity.digest,
            reason=spec.reason,
            location=spec.location,
        ),
        identity.placeholder,
        stamp_style=_Style(spec.appearance, rect),
    )
    session = composer.init_signing_session(writer, existing_fields_only=True)
    session.system_time = at
    document = session.prepare_tbs_document(None, bytes_reserved=reserved)
    output = io.BytesIO()
    prepared, _ = document.digest_tbs_document(output=output)
    return prepared, output


def _check(writer: IncrementalPdfFileWriter, key: Backend, spec: SignatureSpec) -> None:
    references = field_references(writer, "/Sig")
    if spec.field not in references:
        raise SigningFailed("field_missing", spec.field)
    if "/V" in references[spec.field].get_object():
        raise SigningFailed("field_filled", spec.field)
    if spec.certify and not key.capabilities.certify:
        raise SigningFailed("spec_invalid", "the back-end can't certify")
    if spec.certify and any("/V" in reference.get_object() for reference in references.values()):
        raise SigningFailed("spec_invalid", "a certification is the first signature or none")
