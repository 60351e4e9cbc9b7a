"""The small world of these tests: three flows over one sample document, with throw-away keys."""

from __future__ import annotations

import functools
import io
from dataclasses import dataclass
from pathlib import Path

import typst
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from PIL import ImageFont

from signing import (
    ARCHIVE_FIELDS,
    Expectation,
    ExpectedSignature,
    FieldSpec,
    Frame,
    Lock,
    Permission,
    Pkcs12Backend,
    QrCode,
    SignatureSpec,
    Trust,
    fill_and_seal,
    open_pkcs12,
    prepare_fields,
    sign,
)

HERE = Path(__file__).parent
URL = "HTTPS://IZIN.EXAMPLE.GO.ID/V/0123456789ABCDEF"
NUMBER = "503.440/001/DPMPTSP/2026"
VALUES = {"nomor_register": NUMBER, "tanggal_terbit": "2 Januari 2026", "berlaku_sampai": "2 Januari 2031"}
HOLDER = "Siti Aminah"
HEAD, SEAL = "ttd_kepala", "segel"


@dataclass(frozen=True)
class Flow:
    """One order of number, signature and seal."""

    name: str
    fields: tuple[FieldSpec, ...]
    values: dict[str, str]
    sealed: bool

    @property
    def head_spec(self) -> SignatureSpec:
        look = Frame() if self.sealed else QrCode(URL)
        return SignatureSpec(HEAD, "Penerbitan izin", "Rokan Hilir", True, self.permission, look)

    @property
    def permission(self) -> Permission:
        return 2 if self.sealed else 1

    @property
    def seal_spec(self) -> SignatureSpec:
        return SignatureSpec(SEAL, "Segel elektronik", "Rokan Hilir", permission=1, appearance=QrCode(URL))


def _text(name: str) -> FieldSpec:
    return FieldSpec(name, "text", f"Isian {name}")


def _head(lock: Lock | None = None) -> FieldSpec:
    return FieldSpec(HEAD, "signature", "Tanda tangan elektronik kepala dinas", lock)


_SEAL = FieldSpec(SEAL, "signature", "Segel elektronik", Lock("exclude", ARCHIVE_FIELDS, permission=1))

FLOWS = {
    "head_only": Flow("head_only", (_head(),), {}, sealed=False),
    "head_seal": Flow("head_seal", (_head(Lock("exclude", (SEAL, *ARCHIVE_FIELDS))), _SEAL), {}, sealed=True),
    "number_after": Flow(
        "number_after",
        (*map(_text, VALUES), _head(Lock("exclude", (*VALUES, SEAL, *ARCHIVE_FIELDS))), _SEAL),
        VALUES,
        sealed=True,
    ),
}


@functools.cache
def font() -> bytes:
    """Pillow's built-in TrueType font (Aileron, CC0): there on every machine."""
    stream = ImageFont.load_default(10).path
    stream.seek(0)
    return stream.read()


@functools.cache
def opentype() -> bytes:
    """The same font with CFF outlines, made here so that no font file is needed."""
    from fontTools.agl import UV2AGL
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.t2CharStringPen import T2CharStringPen
    from fontTools.ttLib import TTFont

    source = TTFont(io.BytesIO(font()))
    outlines, letters = source.getGlyphSet(), range(32, 127)
    cmap = {code: UV2AGL[code] for code in letters}
    origin = {".notdef": ".notdef"} | {UV2AGL[code]: source.getBestCmap()[code] for code in letters}
    drawn, widths = {}, {}
    for name, old in origin.items():
        widths[name] = (source["hmtx"][old][0], 0)
        pen = T2CharStringPen(widths[name][0], outlines)
        outlines[old].draw(pen)
        drawn[name] = pen.getCharString()
    builder = FontBuilder(1000, isTTF=False)
    builder.setupGlyphOrder(list(origin))
    builder.setupCharacterMap(cmap)
    builder.setupCFF("Sample-CFF", {}, drawn, {})
    builder.setupHorizontalMetrics(widths)
    builder.setupHorizontalHeader(ascent=900, descent=-200)
    builder.setupNameTable({"familyName": "Sample", "styleName": "Regular", "psName": "Sample-CFF"})
    builder.setupOS2()
    builder.setupPost()
    out = io.BytesIO()
    builder.save(out)
    return out.getvalue()


@functools.cache
def typeset(fields: tuple[str, ...], holder: str = HOLDER) -> bytes:
    given = {"fields": ",".join(fields), "number": NUMBER, "holder": holder}
    return typst.compile(str(HERE / "sample.typ"), pdf_standards=["a-3a", "ua-1"], sys_inputs=given)


@functools.cache
def prepared(fields: tuple[FieldSpec, ...], holder: str = HOLDER) -> bytes:
    return prepare_fields(typeset(tuple(field.name for field in fields), holder), fields, font=font())


@dataclass(frozen=True)
class Pki:
    folder: Path

    @functools.lru_cache(maxsize=32)
    def key(self, code: str) -> Pkcs12Backend:
        return open_pkcs12(self.folder / f"{code}.p12", (self.folder / "passphrase").read_bytes().strip())

    @property
    def anchor(self) -> bytes:
        return x509.load_pem_x509_certificate((self.folder / "root.pem").read_bytes()).public_bytes(Encoding.DER)

    @property
    def trust(self) -> Trust:
        return Trust((self.anchor,))


@dataclass(frozen=True)
class Issued:
    """One run of a flow: every state of the document on its way."""

    flow: Flow
    preview: bytes
    head: bytes
    final: bytes
    expected: Expectation


@functools.cache
def issue(name: str, pki: Pki) -> Issued:
    flow = FLOWS[name]
    head, seal = pki.key("kepala"), pki.key("segel")
    preview = prepared(flow.fields)
    signed = sign(preview, head, flow.head_spec).pdf
    final = fill_and_seal(signed, flow.values, seal, flow.seal_spec).pdf if flow.sealed else signed
    signatures = [ExpectedSignature.by(head, HEAD, certify=True, permission=flow.permission)]
    if flow.sealed:
        signatures.append(ExpectedSignature.by(seal, SEAL))
    expected = Expectation(
        preview=preview,
        signatures=tuple(signatures),
        values=flow.values,
        visible=(NUMBER, HOLDER),
        qr_url=URL,
        level="B-B",
    )
    return Issued(flow, preview, signed, final, expected)


def read_qr(pdf: bytes, dpi: int = 150) -> list[str]:
    """What a phone reads from the printed first page."""
    import pypdfium2
    import zxingcpp

    document = pypdfium2.PdfDocument(pdf)
    document.init_forms()
    image = document[0].render(scale=dpi / 72, may_draw_forms=True).to_pil()
    return [found.text for found in zxingcpp.read_barcodes(image)]


def writer(pdf: bytes):
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

    return IncrementalPdfFileWriter(io.BytesIO(pdf))


def written(update) -> bytes:
    out = io.BytesIO()
    update.write(out)
    return out.getvalue()
