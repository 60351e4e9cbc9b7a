"""Small signed files of other people, made here: each of 3 to 12 kB, so that thousands can be tried in a minute."""

from __future__ import annotations

import io
from datetime import timedelta

import pikepdf
from asn1crypto import keys as asn1keys
from asn1crypto import x509 as asn1x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pikepdf import Array, Dictionary, Name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import InvisSigSettings, MDPPerm, SigFieldSpec, SigSeedSubFilter, append_signature_field
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, PdfTimeStamper, SimpleSigner
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko_certvalidator.registry import SimpleCertificateStore

from tests.signing.authorities import Authorities, Holder, Stamper
from tests.support.office import NOW

_ROOM = 3200
"""Hexadecimal digits kept for a signature: pyHanko's estimate for a time-stamped one would be three quarters of the file."""
_PAGE = b"BT /F1 14 Tf 40 150 Td (Surat perjanjian) Tj 0 -24 Td (Harga: Rp 1.000.000) Tj ET"


def strangers() -> dict[str, bytes]:
    """Signed files by name: two syntaxes, one and two signers, certified, approved, and kept for the long term."""
    pki = Authorities(begin=NOW - timedelta(days=30))
    one, other = pki.signer("Orang Satu"), pki.signer("Orang Dua")
    tsa = Stamper(pki.tsa("TSA"), lambda: NOW)
    table, stream = page(streams=False), page(streams=True)
    certified = signed(table, one, "Satu", certify=MDPPerm.NO_CHANGES)
    approved = signed(stream, one, "Satu")
    return {
        "tabel-disetujui": signed(table, one, "Satu", subfilter=SigSeedSubFilter.ADOBE_PKCS7_DETACHED),
        "tabel-disertifikasi": certified,
        "aliran-disetujui": approved,
        "tabel-dua-orang": signed(signed(table, one, "Satu"), other, "Dua"),
        "aliran-dua-orang": signed(approved, other, "Dua"),
        "aliran-bercap-waktu": signed(stream, one, "Satu", tsa=tsa),
        "tabel-arsip": archived(signed(table, one, "Satu", tsa=tsa), pki, tsa),
        "aliran-arsip": archived(approved, pki, tsa),
    }


def page(*, streams: bool) -> bytes:
    """An unsigned page, its references in a table or, with most objects, in compressed streams."""
    document = pikepdf.new()
    font = document.make_indirect(Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica))
    document.add_blank_page(page_size=(300, 200))
    sheet = document.pages[0].obj
    sheet.Resources = Dictionary(Font=Dictionary(F1=font))
    sheet.Contents = document.make_stream(_PAGE)
    document.Root.AcroForm = document.make_indirect(Dictionary(Fields=Array([]), SigFlags=3))
    out = io.BytesIO()
    mode = pikepdf.ObjectStreamMode.generate if streams else pikepdf.ObjectStreamMode.disable
    document.save(out, object_stream_mode=mode, deterministic_id=True)
    return out.getvalue()


def signed(
    pdf: bytes,
    who: Holder,
    field: str,
    *,
    certify: MDPPerm | None = None,
    subfilter: SigSeedSubFilter = SigSeedSubFilter.PADES,
    tsa: Stamper | None = None,
) -> bytes:
    """Sign in a new field of this name."""
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    append_signature_field(writer, SigFieldSpec(field, box=(40, 20, 140, 60)))
    meta = PdfSignatureMetadata(
        field_name=field,
        md_algorithm="sha256",
        subfilter=subfilter,
        certify=certify is not None,
        docmdp_permissions=certify or MDPPerm.FILL_FORMS,
        name="Orang",
    )
    signer = PdfSigner(meta, _signer(who), timestamper=tsa.authority() if tsa else None)
    room = None if tsa else _ROOM
    return signer.sign_pdf(writer, bytes_reserved=room).getvalue()


def archived(pdf: bytes, pki: Authorities, tsa: Stamper) -> bytes:
    """Add a security store and a document time-stamp over everything."""
    store = IncrementalPdfFileWriter(io.BytesIO(pdf))
    certificates = [asn1x509.Certificate.load(one.der) for one in (pki.root, pki.issuing)]
    DocumentSecurityStore.supply_dss_in_writer(store, sig_contents=None, certs=certificates, crls=[])
    longer = io.BytesIO()
    store.write(longer)
    stamper = PdfTimeStamper(tsa.authority(), field_name="Cap", invis_settings=InvisSigSettings(box_out_of_bounds=True))
    out = stamper.timestamp_pdf(IncrementalPdfFileWriter(longer), "sha256")
    return out.getvalue()


def _signer(who: Holder) -> SimpleSigner:
    der = who.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return SimpleSigner(
        signing_cert=asn1x509.Certificate.load(who.der),
        signing_key=asn1keys.PrivateKeyInfo.load(der),
        cert_registry=SimpleCertificateStore(),
    )
