"""Sample offices and cases for the document tests. All persons are invented; no office data is read from templates."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time
from functools import cache
from pathlib import Path
from typing import Any

import pypdfium2

from service.document import Page, Signatory, compose, labels_of
from service.document.check import sample_photo
from service.sop.model import (
    Calendar,
    Field,
    FieldKind,
    LegalBasis,
    Office,
    OfficeCode,
    Paper,
    PermitType,
    Photo,
    Procedure,
    Series,
    TypeCode,
    Validity,
)

TEMPLATES = Path(__file__).parents[2] / "templates"


@cache
def files(office: str, permit_type: str) -> dict[str, bytes]:
    folders = [TEMPLATES / "_shared", TEMPLATES / office / permit_type]
    paths = [p for f in folders for p in f.rglob("*") if p.is_file()] + [*(TEMPLATES / office).glob("*.svg")]
    return {str(p.relative_to(TEMPLATES)): p.read_bytes() for p in paths}


def office(code: str, place: str, city: str, *paper: str) -> Office:
    font, size, brand = paper
    return Office(
        code=OfficeCode(code),
        name=f"Dinas Penanaman Modal dan Pelayanan Terpadu Satu Pintu Kabupaten {place}",
        short_name=f"DPMPTSP Kabupaten {place}",
        government=f"Pemerintah Kabupaten {place}",
        city=city,
        public_url=f"https://izin.{code}.example",
        letterhead=(
            f"PEMERINTAH KABUPATEN {place.upper()}",
            "DINAS PENANAMAN MODAL DAN",
            "PELAYANAN TERPADU SATU PINTU",
        ),
        address=f"Jalan Contoh Nomor 1, {city} 12345",
        contacts=("Telepon (0000) 000000", f"surel@{code}.example", f"izin.{code}.example"),
        emblem="emblem.svg",
        brand=brand,
        paper=Paper(size, font),
        calendar=Calendar("Asia/Jakarta", time(7, 30), time(16), 8, (1, 2, 3, 4, 5), frozenset()),
        roles={},
        people=(),
        series={
            "nakes": Series("nakes", "{klas}/{seq:03}/{type}/DPMPTSP/{MM_roman}/{yyyy}", "yearly", "office", 1, "Buku")
        },
        issue_at_least="B-B",
        target="B-B",
        seal_name=None,
        certificate_label="CONTOH – sertifikat pengembangan, bukan dokumen resmi.",
        holder_name="full",
        year_end="keep",
    )


def field(path: str, label: str, kind: str, sample: object, *, printed: bool = True) -> Field:
    return Field(path, label, FieldKind(kind), True, printed, True, 200, (), None, None, sample)


FIELDS = (
    field("applicant.nama", "Nama", "name", "Siti Contoh Rahmawati, A.Md.RMIK"),
    field("applicant.nik", "NIK", "nik", "1407014101970001", printed=False),
    field("applicant.tempat_lahir", "Tempat lahir", "text", "Ujung Tanjung"),
    field("applicant.tanggal_lahir", "Tanggal lahir", "date", "1997-01-01"),
    field("applicant.jenis_kelamin", "Jenis kelamin", "choice", "P"),
    field(
        "applicant.alamat",
        "Alamat",
        "address",
        "Jalan Merdeka Gang Melati Nomor 12, RT 003 RW 004, Kepenghuluan Contoh",
    ),
    field("str.nomor", "Nomor STR", "str", "XX00001234567890"),
    field("str.masa_berlaku", "STR berlaku sampai dengan", "str_validity", "SEUMUR_HIDUP"),
    field("practice.nama", "Tempat praktik", "text", "RSUD Contoh Sejahtera"),
    field("practice.alamat", "Alamat tempat praktik", "address", "Jalan Kesehatan Nomor 45, Kecamatan Contoh Tengah"),
    field("practice.ke", "Tempat praktik ke", "integer", 1),
)

LEGAL_TEXTS = (
    "Undang-Undang Nomor 17 Tahun 2023 tentang Kesehatan",
    "Peraturan Pemerintah Nomor 28 Tahun 2024 tentang Peraturan Pelaksanaan Undang-Undang Nomor 17 Tahun 2023 tentang Kesehatan",
    "Peraturan Bupati tentang Pendelegasian Kewenangan Penandatanganan Perizinan kepada Kepala Dinas",
)
LEGAL = tuple(LegalBasis(text, date(2020, 1, 1), None) for text in LEGAL_TEXTS)
CLAUSES = (
    "Dalam menjalankan pekerjaannya wajib mematuhi peraturan perundang-undangan, standar profesi, dan kode etik.",
    "Izin ini berlaku hanya untuk satu tempat praktik sebagaimana tersebut di atas.",
    "Izin ini tidak berlaku lagi apabila STR dicabut atau tempat praktik tidak sesuai lagi dengan izin ini.",
    "Apabila di kemudian hari terdapat kekeliruan dalam izin ini, akan diadakan perbaikan sebagaimana mestinya.",
)
COPIES = (
    "Kepala Dinas Kesehatan Kabupaten Contoh",
    "Pimpinan RSUD Contoh Sejahtera",
    "Ketua PORMIKI Cabang Contoh",
    "Arsip",
)


def procedure(*, number_first: bool, sealed: bool) -> Procedure:
    return Procedure("000", "-", "-", None, (), (), None, None, "complete", number_first, sealed)


def permit_type(
    office_code: str, code: str, title: str, profession: str, proc: Procedure, *, photo: str | None = None
) -> PermitType:
    return PermitType(
        office=OfficeCode(office_code),
        code=TypeCode(code),
        name=title.title(),
        title=title,
        profession=profession,
        document_code="SIP-PM",
        classification="500.16.7.2",
        series="nakes",
        places=2,
        request_kinds=("BARU",),
        fields=FIELDS,
        requirements=(),
        legal_basis=LEGAL,
        clauses=CLAUSES,
        copies=COPIES,
        photo=Photo(photo, True) if photo else None,
        validity=Validity(5, True, False),
        survey_gate=False,
        procedure=proc,
        max_pages=1,
    )


ROHIL = office("rokan-hilir", "Rokan Hilir", "Bagansiapiapi", "TeX Gyre Bonum", "A4", "#0b4f8a")
ROHUL = office("rokan-hulu", "Rokan Hulu", "Pasir Pengaraian", "TeX Gyre Heros", "F4", "#0b6b3a")
MALANG = office("malang", "Malang", "Kepanjen", "TeX Gyre Pagella", "A4", "#7a1f2b")
KUDUS = office("kudus", "Kudus", "Kudus", "TeX Gyre Schola", "A4", "#5b3a8c")

HEAD_ONLY = procedure(number_first=True, sealed=False)
SEALED = procedure(number_first=True, sealed=True)
NUMBER_AFTER = procedure(number_first=False, sealed=True)

KINDS: dict[str, tuple[Office, PermitType]] = {
    "rohil-pm": (
        ROHIL,
        permit_type("rokan-hilir", "sip-perekam-medis", "SURAT IZIN PRAKTIK PEREKAM MEDIS", "Perekam Medis", HEAD_ONLY),
    ),
    "rohil-pa": (
        ROHIL,
        permit_type(
            "rokan-hilir", "sip-penata-anestesi", "SURAT IZIN PRAKTIK PENATA ANESTESI", "Penata Anestesi", HEAD_ONLY
        ),
    ),
    "rohul": (
        ROHUL,
        permit_type(
            "rokan-hulu", "surat-izin-perekam-medik", "SURAT IZIN PEREKAM MEDIK", "Perekam Medik", SEALED, photo="3x4"
        ),
    ),
    "malang": (
        MALANG,
        permit_type("malang", "sik-perekam-medis", "SURAT IZIN KERJA PEREKAM MEDIS", "Perekam Medis", NUMBER_AFTER),
    ),
    "kudus": (
        KUDUS,
        permit_type(
            "kudus", "sip-perekam-medis", "SURAT IZIN PRAKTIK PEREKAM MEDIS", "Perekam Medis", NUMBER_AFTER, photo="4x6"
        ),
    ),
}

NUMBER = "500.16.7.2/014/SIP-PM/DPMPTSP/XI/2026"
CODE = "7K3M9QXTB2WZ4HFD"
HEAD = Signatory("Drs. H. Contoh Pejabat Utama, M.Si.", "Kepala Dinas", "197104141994031007", "Pembina Utama Muda")
TODAY = date(2026, 11, 23)
AT = datetime(2026, 11, 23, 5, tzinfo=UTC)


def case(permit: PermitType, changes: dict[str, object] | None = None) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for one in permit.fields:
        *folders, last = one.path.split(".")
        place = made
        for folder in folders:
            place = place.setdefault(folder, {})
        place[last] = (changes or {}).get(one.path, one.sample)
    return made


def page(kind: str, changes: dict[str, object] | None = None, *, draft: bool = False, **over: Any) -> Page:
    an_office, permit = KINDS[kind]
    permit = replace(permit, **{key: over.pop(key) for key in ("legal_basis", "clauses", "copies") if key in over})
    known: dict[str, Any] = {"number": NUMBER, "set_on": TODAY, "valid_to": date(2031, 11, 23)}
    if draft:
        known = dict.fromkeys(known)
    return compose(
        an_office,
        permit,
        labels=labels_of(files(an_office.code, permit.code)),
        case=case(permit, changes),
        **{
            "signatory": HEAD,
            **known,
            "code": CODE,
            "verify_url": f"HTTPS://{an_office.public_url.removeprefix('https://').upper()}/V/{CODE}",
            "draft_mark": draft,
            "today": TODAY,
            **over,
        },
    )


@cache
def photo(kind: str) -> bytes | None:
    permit = KINDS[kind][1]
    return sample_photo(permit.photo.ratio) if permit.photo else None


def text(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    try:
        pages = [one.get_textpage().get_text_range() for one in document]
    finally:
        document.close()
    return "\n".join("\n".join(line.rstrip() for line in one.splitlines()) for one in pages) + "\n"
