"""pyHanko as a maker, in the many ways of signing that ISO 32000 and PAdES allow."""

from __future__ import annotations

import functools
import io
from datetime import UTC, datetime, timedelta

import pikepdf
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.content import RawContent
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import BoxConstraints
from pyhanko.sign import fields, signers
from pyhanko.sign.fields import FieldMDPAction, FieldMDPSpec, MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko.sign.validation import DocumentSecurityStore
from pyhanko_certvalidator.registry import SimpleCertificateStore

BOX = (60, 60, 200, 120)
_CONTENT = b"BT /F1 14 Tf 50 500 Td (Perjanjian contoh: Rp 100.000) Tj ET"
_KEYS = {
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
}


@functools.cache
def _identity(kind: str, name: str = "Budi Contoh", *, stamps: bool = False):
    key = _KEYS[kind]()
    someone = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(someone).issuer_name(someone).public_key(key.public_key())
    builder = builder.serial_number(7).not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(3650))
    if stamps:
        usage = x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.TIME_STAMPING])
        builder = builder.add_extension(usage, critical=True)
    else:
        builder = builder.add_extension(x509.KeyUsage(*(True, True), *(False,) * 7), critical=True)
    digest = None if kind == "ed25519" else hashes.SHA256()
    certificate = asn1_x509.Certificate.load(builder.sign(key, digest).public_bytes(Encoding.DER))
    plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return certificate, asn1_keys.PrivateKeyInfo.load(plain)


def signer(kind: str = "p256", name: str = "Budi Contoh", *, pss: bool = False) -> signers.SimpleSigner:
    certificate, key = _identity(kind, name)
    return signers.SimpleSigner(certificate, key, SimpleCertificateStore(), prefer_pss=pss)


@functools.cache
def stamper() -> DummyTimeStamper:
    certificate, key = _identity("rsa", "Stempel Waktu Contoh", stamps=True)
    return DummyTimeStamper(certificate, key)


@functools.cache
def base(version: str = "1.7", *, streams: bool = True, linear: bool = False, form: bool = False) -> bytes:
    """A page of text, with a text field if wanted, as qpdf writes it."""
    document = pikepdf.new()
    page = document.add_blank_page(page_size=(420, 595))
    font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
    fonts = pikepdf.Dictionary(F1=document.make_indirect(font))
    page.obj.Resources = pikepdf.Dictionary(Font=fonts)
    page.obj.Contents = document.make_stream(_CONTENT)
    if form:
        widget = document.make_indirect(
            pikepdf.Dictionary(
                Type=pikepdf.Name.Annot,
                Subtype=pikepdf.Name.Widget,
                FT=pikepdf.Name.Tx,
                T="nama",
                DA="/F1 12 Tf 0 g",
                Rect=[50, 400, 250, 420],
                F=4,
            )
        )
        page.obj.Annots = [widget]
        document.Root.AcroForm = pikepdf.Dictionary(
            Fields=[widget], DR=pikepdf.Dictionary(Font=fonts), DA="/F1 12 Tf 0 g"
        )
    out = io.BytesIO()
    mode = pikepdf.ObjectStreamMode.generate if streams else pikepdf.ObjectStreamMode.disable
    document.save(out, force_version=version, object_stream_mode=mode, linearize=linear, static_id=True)
    return out.getvalue()


def sign(pdf: bytes, name: str = "Tanda", *, who: signers.SimpleSigner | None = None, box=None, stamp=False, **how):
    """Sign in a field that may be new."""
    spec = SigFieldSpec(
        name, box=box, **{key: how.pop(key) for key in ("field_mdp_spec", "combine_annotation") if key in how}
    )
    how.setdefault("md_algorithm", "sha256")
    meta = signers.PdfSignatureMetadata(name, **how)
    made = signers.PdfSigner(
        meta, who or signer(), timestamper=stamper() if stamp else None, new_field_spec=spec
    ).sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf), strict=False))
    return made.getvalue()


def filled(pdf: bytes, value: str = "Sari") -> bytes:
    """Fill the text field, with a drawing of the value, as form fillers do."""
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf), strict=False)
    reference = next(one for one in writer.root["/AcroForm"]["/Fields"] if one.get_object()["/T"] == "nama")
    widget = reference.get_object()
    widget[pdf_name("/V")] = generic.TextStringObject(value)
    drawing = RawContent(f"BT 0 g {len(value)} 5 Td ET 0 0 30 9 re f".encode(), box=BoxConstraints(200, 20))
    look = generic.DictionaryObject({pdf_name("/N"): writer.add_object(drawing.as_form_xobject())})
    widget[pdf_name("/AP")] = look
    writer.mark_update(reference)
    return written(writer)


def with_store(pdf: bytes) -> bytes:
    """A store with a certificate and an answer, as B-LT has it (the answer is about nobody)."""
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf), strict=False)
    registry = SimpleCertificateStore()
    registry.register(_identity("p256")[0])
    DocumentSecurityStore.supply_dss_in_writer(writer, sig_contents=None, certs=registry)
    return written(writer)


def archived(pdf: bytes) -> bytes:
    """A document time-stamp behind all."""
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf), strict=False)
    return signers.PdfTimeStamper(stamper()).timestamp_pdf(writer, "sha256").getvalue()


def retitled(pdf: bytes) -> bytes:
    """Another program notes that it was here."""
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf), strict=False)
    writer.set_info(writer.add_object(generic.DictionaryObject({pdf_name("/Producer"): generic.TextStringObject("X")})))
    return written(writer)


def empty_field(pdf: bytes, name: str) -> bytes:
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf), strict=False)
    fields.append_signature_field(writer, SigFieldSpec(name, box=(220, 60, 360, 120)))
    return written(writer)


def written(writer: IncrementalPdfFileWriter) -> bytes:
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


_PADES = {"subfilter": SigSeedSubFilter.PADES}
_PREPARED = FieldMDPSpec(FieldMDPAction.EXCLUDE, ["nama", "Kedua"])

MODES = {
    "pkcs7": lambda: sign(base()),
    "cades": lambda: sign(base(), **_PADES),
    "rsa": lambda: sign(base(), who=signer("rsa")),
    "rsa-pss-sha512": lambda: sign(base(), who=signer("rsa", pss=True), md_algorithm="sha512"),
    "p384-sha384": lambda: sign(base(), who=signer("p384"), md_algorithm="sha384", **_PADES),
    "ed25519": lambda: sign(base(), who=signer("ed25519"), md_algorithm="sha512"),
    "sha3": lambda: sign(base(), md_algorithm="sha3_256"),
    "visible": lambda: sign(base(), box=BOX),
    "p1": lambda: sign(base(), certify=True, docmdp_permissions=MDPPerm.NO_CHANGES),
    "p2-filled": lambda: filled(sign(base(form=True), certify=True, docmdp_permissions=MDPPerm.FILL_FORMS)),
    "p3": lambda: sign(base(), certify=True, docmdp_permissions=MDPPerm.ANNOTATE),
    "filled": lambda: filled(sign(base(form=True))),
    "signed-filled-signed": lambda: sign(filled(sign(base(form=True))), "Kedua", box=BOX, who=signer("rsa", "Sari")),
    "separate-widget": lambda: sign(base(), box=BOX, combine_annotation=False),
    "prepared-by-hand": lambda: sign(empty_field(base(), "Kedua"), "Kedua"),
    "three": lambda: sign(sign(sign(base(), box=BOX), "Kedua", box=(220, 60, 360, 120)), "Ketiga"),
    "certified-then-prepared-field": lambda: sign(
        sign(empty_field(base(), "Kedua"), certify=True, docmdp_permissions=MDPPerm.FILL_FORMS), "Kedua"
    ),
    "locked": lambda: sign(filled(sign(empty_field(base(form=True), "Kedua"), field_mdp_spec=_PREPARED)), "Kedua"),
    "nested-name": lambda: sign(base(), "formulir.bagian.tanda"),
    "stamped": lambda: sign(base(), stamp=True, **_PADES),
    "store": lambda: with_store(sign(base(), stamp=True, **_PADES)),
    "archived": lambda: archived(with_store(sign(base(), stamp=True, **_PADES))),
    "archived-p1": lambda: archived(
        with_store(sign(base(), certify=True, docmdp_permissions=MDPPerm.NO_CHANGES, stamp=True, **_PADES))
    ),
    "archived-twice": lambda: archived(archived(with_store(sign(base(), stamp=True, **_PADES)))),
    "retitled": lambda: retitled(sign(base())),
    "pdf-1.4-tables": lambda: sign(base("1.4", streams=False)),
    "pdf-2.0": lambda: sign(base("2.0")),
    "linear": lambda: sign(base(linear=True)),
    "linear-tables-twice": lambda: sign(sign(base("1.4", streams=False, linear=True)), "Kedua", box=BOX),
    "blank-behind": lambda: sign(base()) + b"\r\n\r\n",
}
