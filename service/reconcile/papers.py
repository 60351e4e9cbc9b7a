"""Issued documents in the archive that the register does not know: read from their own bytes, judged before anything is believed."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pikepdf
import pypdfium2
import zxingcpp
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization.pkcs7 import load_der_pkcs7_certificates
from sqlalchemy import select

from service.archive import ArchiveDamaged
from service.archive_named import Names
from service.clock import stamp
from service.document.markers import HEAD, LATER, SEAL
from service.document.page import date_words
from service.people import local_day
from service.permits import RELEASED
from service.store.tables import certificates as enrolled
from service.store.tables import permits
from service.trust import certificates
from service.verification import evidence
from service.verification.answers import Verdict
from service.verification.judgement import judge
from signing import Inspection, SignatureFacts, Trust, inspect_isolated
from signing.isolation import keep_warm

if TYPE_CHECKING:
    from service.pins import Bundle
    from service.verification.evidence import Owner
    from service.wiring import Teken

_RANGE = re.compile(rb"/ByteRange\s*\[\s*0\s+(\d+)\s+(\d+)\s+(\d+)\s*\]")
_SCALE = 200 / 72
_DAYS = 5
"""How far the printed date may lie from what the signature says of itself."""


@dataclass(frozen=True, slots=True)
class Paper:
    """One document as its bytes tell it. `chain`: the archived beginnings of it, then itself, shortest first."""

    sha: str
    office: str
    type: str
    code: str
    number: str
    set_on: date
    valid_to: date
    case: Mapping[str, Any]
    named: Mapping[str, str]
    official: str
    signatures: tuple[Mapping[str, Any], ...]
    ends: tuple[int, ...]
    chain: tuple[tuple[str, int], ...]
    qr: str | None = None  # what its QR says, where the office has it prove its own data
    corrects: str | None = None  # SHA-256 of the document that it says it corrects


def unknown(teken: Teken) -> Iterator[Paper]:
    """Yield every complete document of ours that the register has not issued. Raises ArchiveUnreachable."""
    with teken.db.read() as connection:
        names = Names(connection)
        unissued = permits.c.state.not_in(sorted(RELEASED))
        rows = connection.execute(select(permits.c.head_sha, permits.c.sealed_sha).where(unissued)).all()
    keep_warm()
    signed = {sha for row in rows for sha in row if sha}
    with closing(names):
        names.open_pins(teken.archive)
        for listed in teken.archive.names():
            if names.has(listed.name) and listed.name not in signed:
                continue
            paper = _paper(teken, listed.name)
            if paper is not None:
                yield paper


def _paper(teken: Teken, sha: str) -> Paper | None:
    """Read one archived file; None for a draft, a photo, an intermediate state, or what is not ours."""
    try:
        pdf = teken.archive.get(sha)
    except ArchiveDamaged:
        return None
    if not pdf.startswith(b"%PDF-") or b"/ByteRange" not in pdf:
        return None
    data = _attached(pdf)
    if data is None or len(_RANGE.findall(pdf)) < len(_complete(teken, data)):
        return None
    found = inspect_isolated(pdf, Trust(certificates(teken.settings.trust_file), at=teken.clock.now()))
    with teken.db.read() as connection:
        owners = evidence.owners(connection, teken.offices, found)
    known = evidence.Evidence(owners, evidence.shapes(teken.offices), evidence.Descent())
    verdict, _ = judge(found, known)
    return _told(teken, sha, pdf, data, found, owners) if verdict is Verdict.AUTHENTIC else None


def _told(
    teken: Teken, sha: str, pdf: bytes, data: Mapping[str, Any], found: Inspection, owners: Mapping[str, Owner]
) -> Paper | None:
    office, kind = str(data["office"]), str(data["type"])
    bundle = teken.pins.open(teken.pins.pin(office, kind))
    made = [one for one in found.signatures if one.kind == "signature"]
    complete = _complete(teken, data)
    if [one.field for one in made] != complete or {owners[one.certificate_sha256].office for one in made} != {office}:
        return None
    said = _numbers(bundle, data, dict(found.values), made[0])
    if said is None:
        return None
    number, set_on, valid_to = said
    chain = sorted(
        (
            (name, length)
            for name, length in (evidence.revision_hashes(pdf) | {sha: len(pdf)}).items()
            if name == sha or teken.archive.has(name)
        ),
        key=lambda one: one[1],
    )
    return Paper(
        sha=sha,
        office=office,
        type=kind,
        code=str(data["code"]),
        number=number,
        set_on=set_on,
        valid_to=valid_to,
        case=_nested(data["case"]),
        named=data["signatory"],
        official=_official(teken, made[0].certificate_sha256),
        signatures=tuple(_record(pdf, one, data, owners) for one in made),
        ends=tuple(one.end for one in made),
        chain=tuple(chain),
        qr=_qr(pdf) if bundle.office.qr_offline else None,
        corrects=data.get("corrects_sha256"),
    )


def _complete(teken: Teken, data: Mapping[str, Any]) -> list[str]:
    """Return the signature fields of an issued document of this kind."""
    kind = teken.offices.permit_type(str(data["office"]), str(data["type"]))
    return [HEAD, SEAL] if kind.procedure.sealed else [HEAD]


def _qr(pdf: bytes) -> str | None:
    """Read the QR that a document of ours draws: nothing else holds its signature."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        document.init_forms()
        page = document[len(document) - 1]
        found = zxingcpp.read_barcodes(
            page.render(scale=_SCALE, may_draw_forms=True).to_pil(),
            formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode),
        )  # of every kind it knows, it now and then finds one inside a dense QR
        return found[0].text if found else None
    finally:
        document.close()


def _attached(pdf: bytes) -> dict[str, Any] | None:
    try:
        with pikepdf.open(io.BytesIO(pdf)) as document:
            for file in document.attachments.values():
                data = json.loads(file.get_file().read_bytes())
                if isinstance(data, dict) and data.get("code") and "case" in data:
                    return data
    except (pikepdf.PdfError, ValueError, KeyError, OSError):
        return None
    return None


def _numbers(
    bundle: Bundle, data: Mapping[str, Any], values: Mapping[str, str], head: SignatureFacts
) -> tuple[str, date, date] | None:
    """Number and dates: printed and attached, or filled in after the signature as words."""
    if data["number"] is not None:
        return str(data["number"]), date.fromisoformat(data["set_on"]), date.fromisoformat(data["valid_to"])
    number, set_on, valid_to = (values.get(name, "") for name in LATER)
    if not number or head.signed_at is None:
        return None
    day = local_day(bundle.office, head.signed_at)
    near = (day + timedelta(days=offset) for offset in range(-_DAYS, 366))
    began = next((one for one in near if date_words(one, bundle.labels) == set_on), None)
    if began is None:
        return None
    ends = next((one for one in _ends(began) if date_words(one, bundle.labels) == valid_to), None)
    return None if ends is None else (number, began, ends)


def _ends(began: date) -> Iterable[date]:
    return (began + timedelta(days=offset) for offset in range(366 * 6))


def _nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    case: dict[str, Any] = {}
    for path, value in flat.items():
        *groups, leaf = path.split(".")
        place = case
        for group in groups:
            place = place.setdefault(group, {})
        place[leaf] = value
    return case


def _official(teken: Teken, certificate_sha256: str) -> str:
    with teken.db.read() as connection:
        query = select(enrolled.c.owner).where(enrolled.c.sha256 == certificate_sha256)
        return str(connection.execute(query.order_by(enrolled.c.owner)).scalars().first())


def _record(pdf: bytes, one: SignatureFacts, data: Mapping[str, Any], owners: Mapping[str, Owner]) -> dict[str, Any]:
    """What is kept of a signature, as `service/steps/sign.py` keeps it."""
    named = data["signatory"]
    by = f"{named['name']}, {named['prefix']} {named['title']}".replace(",  ", ", ")
    assert one.signed_at is not None, "judged authentic"
    return {
        "field": one.field,
        "by": owners[one.certificate_sha256].name if one.field == SEAL else by,
        "level": one.level,
        "certificate_sha256": one.certificate_sha256,
        "chain_sha256": sorted(_embedded(pdf, one.end) - {one.certificate_sha256}),
        "at": stamp(one.signed_at),
    }


def _embedded(pdf: bytes, end: int) -> set[str]:
    """Return the SHA-256 of every certificate that the signature whose range ends here carries."""
    for found in _RANGE.finditer(pdf):
        start, again, rest = (int(part) for part in found.groups())
        if again + rest == end:
            cms = bytes.fromhex(pdf[start:again].strip(b"<>").decode("ascii"))
            inside = load_der_pkcs7_certificates(cms[: _length(cms)])
            return {one.fingerprint(SHA256()).hex() for one in inside}
    return set()


def _length(der: bytes) -> int:
    """How long a DER element is, without the zeros that fill its place."""
    first = der[1]
    if first < 0x80:  # noqa: PLR2004 - the short form (X.690, 8.1.3)
        return 2 + first
    more = first & 0x7F
    return 2 + more + int.from_bytes(der[2 : 2 + more], "big")
