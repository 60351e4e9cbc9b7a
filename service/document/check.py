"""Tries an office's page with its own samples, for `teken office check`: short and long data, and the draft."""

from __future__ import annotations

import io
import tempfile
import tomllib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typst
from PIL import Image

from service.document.errors import RehearsalFailed
from service.document.glyphs import fonts_of
from service.document.markers import markers
from service.document.page import BIRTHDAY, NAME, Page, Signatory, compose, labels_of, longest_number
from service.document.photo import clean_photo
from service.document.rehearse import rehearse
from service.document.typeset import Typesetter
from service.permits import MOVE
from service.sop.model import FieldKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from service.errors import Fault
    from service.sop.model import Field, Office, PermitType

SENTENCES = tomllib.loads(Path(__file__).with_name("sentences.toml").read_text(encoding="utf-8"))
TODAY = date(2026, 11, 23)
NOON = datetime(2026, 11, 23, 5, tzinfo=UTC)
CODE = "0" * 16
HEAD = Signatory("Dr. Contoh Nama Pejabat, S.H., M.Si.", "Kepala Dinas", "197001011995031001", "Pembina", "Plt.")
LONG = {
    FieldKind.NAME: "Prof. Dr. dr. Contoh Nama Yang Panjang Rahmawati Kusumaningtyas, Sp.PK., M.Kes., Ph.D., A.Md.RMIK",
    FieldKind.ADDRESS: "Jalan Contoh Panjang Gang Melati Indah Nomor 12A, Perumahan Contoh Asri Blok C Nomor 7, RT 003 "
    "RW 014, Kelurahan Contoh Timur, Kecamatan Contoh Tengah, Kabupaten Contoh, Provinsi Contoh 12345",
}


def template_check(files: Mapping[str, bytes], office: Office, permit_type: PermitType) -> list[str]:
    """Return what is wrong with a type's page, in sentences for the office; nothing if it may be used."""
    if not fonts_of(files, office.paper.font):
        return [SENTENCES["font_missing"].format(font=office.paper.font)]
    with tempfile.TemporaryDirectory() as folder:
        typesetter = Typesetter(files, office.code, permit_type.code, Path(folder))
        try:
            typesetter.compile(_page(files, office, permit_type, long=False, draft=False), timestamp=NOON)
            return [
                *_draft(typesetter, _page(files, office, permit_type, long=False, draft=True)),
                *_rehearsals(typesetter, office, permit_type),
            ]
        except typst.TypstError as error:
            return [SENTENCES["compiler"].format(message=str(error).strip())]


def sample_case(permit_type: PermitType, *, long: bool = False) -> dict[str, Any]:
    """Return a case made of the fields' samples; `long` stretches names and addresses to what must still fit."""
    case: dict[str, Any] = {}
    for field in permit_type.fields:
        *folders, last = field.path.split(".")
        place = case
        for folder in folders:
            place = place.setdefault(folder, {})
        place[last] = _sample(field, long=long)
    return case


def _sample(field: Field, *, long: bool) -> object:
    """Return an invented value even where the office gives none."""
    if long and field.kind in LONG:
        return LONG[field.kind][: field.max_length].strip()
    if field.sample is not None:
        return field.sample
    return "1990-01-01" if field.path == BIRTHDAY else "Contoh" if field.path == NAME else None


def sample_photo(ratio: str) -> bytes:
    """Return a plain grey picture in the ratio."""
    out = io.BytesIO()
    Image.new("RGB", (480, 720), (170, 170, 170)).save(out, "JPEG")
    return clean_photo(out.getvalue(), ratio=ratio)


def _page(files: Mapping[str, bytes], office: Office, permit_type: PermitType, *, long: bool, draft: bool) -> Page:
    return compose(
        office,
        permit_type,
        labels=labels_of(files),
        case=sample_case(permit_type, long=long),
        signatory=HEAD,
        number=None,
        set_on=None,
        valid_to=None,
        code=CODE,
        verify_url=f"{office.public_url}/V/{CODE}",
        draft_mark=draft,
        today=TODAY,
        revokes=longest_number(office, permit_type) if long and MOVE in permit_type.request_kinds else None,
    )


def _draft(typesetter: Typesetter, page: Page) -> Iterator[str]:
    if found := markers(typesetter.compile(page, timestamp=NOON)):
        yield SENTENCES["draft_markers"].format(found=", ".join(found))


def _rehearsals(typesetter: Typesetter, office: Office, permit_type: PermitType) -> Iterator[str]:
    photo = sample_photo(permit_type.photo.ratio) if permit_type.photo else None
    for long in (False, True):
        page = _page(typesetter.files, office, permit_type, long=long, draft=False)
        try:
            rehearse(typesetter, permit_type, page, photo=photo, timestamp=NOON)
        except RehearsalFailed as error:
            data = SENTENCES["data"]["long" if long else "sample"]
            yield from (f"{data}: {sentence(fault)}" for fault in error.faults)


def sentence(fault: Fault) -> str:
    """Return a rehearsal's fault in words."""
    words = SENTENCES["faults"].get(fault.code, fault.code).format(**fault.params)
    return f"{fault.pointer}: {words}" if fault.pointer else words
