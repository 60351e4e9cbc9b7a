"""What the last signature's QR says. With an office's choice it holds its own data, signed with the office's QR key (ADR 0047).

Made in the step that signs or seals, from the bytes that the head ordered; kept before anything is signed, so that every
retry draws the same. Whoever can only write to the database gets no other data into it.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import pikepdf
from sqlalchemy import Row

from service import qr
from service.document.page import NAME, plain
from service.errors import TekenError
from service.names import shown
from service.pins import Bundle
from service.steps.work import Work
from service.store.permits import keep_qr
from service.store.qr import find
from service.store.qr_tables import KeyState
from signing import QrCode

if TYPE_CHECKING:
    from service.wiring import Teken

_ATTACHMENT: Final = "izin.json"
_PROVES: Final = frozenset({KeyState.ACTIVE, KeyState.RETIRED})


class QrDiffers(TekenError):
    """The QR's text is not what the ordered paper says, or no key of the office signed it: nothing is signed, nothing issued."""

    code = "qr_differs"


class QrKeyEnded(TekenError):
    """The office's QR key on this host was retired or is compromised: `teken qr rotate`, or copy the newer key here."""

    code = "qr_key_ended"


def with_qr(teken: Teken, work: Work) -> Work:
    """Return the work with its QR's text, made and kept now unless it was. Raises QrDiffers, QrKeyEnded, QrKeyMissing, Lost."""
    row, bundle = work.row, work.bundle
    if not bundle.office.qr_offline:
        return work
    if row.qr is None:
        key = teken.keys.qr(bundle.office.code)
        kid = qr.kid_of(key.public_key())
        with teken.db.read() as connection:
            known = find(connection, bundle.office.code, kid.hex())
        if known is None or known.state != KeyState.ACTIVE:
            raise QrKeyEnded(office=bundle.office.code)
        fragment = qr.signed(row.code, replace(_payload(teken, row, bundle), kid=kid), key)
        with teken.db.write() as connection:
            row = keep_qr(connection, work.claim, f"{row.verify_url}#{fragment}")
    check_qr(teken, row, bundle)
    return replace(work, row=row)


def look(row: Row[Any], bundle: Bundle) -> QrCode:
    """Return what the last signature draws. Raises QrDiffers: an offline QR that was never made."""
    return QrCode(url(row, bundle))


def url(row: Row[Any], bundle: Bundle) -> str:
    """Return what the QR says; a text on the row of an office without the choice counts for nothing."""
    if not bundle.office.qr_offline:
        return str(row.verify_url)
    if row.qr is None:
        raise QrDiffers
    return str(row.qr)


def check_qr(teken: Teken, row: Row[Any], bundle: Bundle) -> None:
    """Prove the text on the row: this address, the ordered paper's data, a known key's signature. Raises QrDiffers."""
    if not bundle.office.qr_offline:
        return
    address, _, fragment = url(row, bundle).partition("#")
    try:
        body, _ = qr.parted(fragment)
        said = qr.read(body)
        with teken.db.read() as connection:
            known = find(connection, bundle.office.code, said.kid.hex())
        if address != row.verify_url or known is None or known.state not in _PROVES:
            raise QrDiffers
        qr.checked(row.code, fragment, qr.public_key(known.x, known.y))
    except qr.QrInvalid:
        raise QrDiffers from None
    if said != replace(_payload(teken, row, bundle), kid=said.kid):
        raise QrDiffers


def _payload(teken: Teken, row: Row[Any], bundle: Bundle) -> qr.Payload:
    """Return what the paper says: holder and code as it was ordered; number and dates as filled in, or as printed on it."""
    paper = _attached(teken.archive.get(row.ordered_sha))
    printed = {name: paper.get(name) for name in ("number", "set_on", "valid_to")}
    known = {name: getattr(row, name) for name in printed}
    if paper.get("code") != row.code or any(printed[name] not in {None, value} for name, value in known.items()):
        raise QrDiffers
    if bundle.permit_type.procedure.number_first and None in printed.values():
        raise QrDiffers
    return qr.Payload(
        office=bundle.office.code,
        kid=bytes(qr.KID_BYTES),
        kind=bundle.permit_type.document_code,
        number=row.number,
        holder=qr.short(shown(plain(paper["case"][NAME]), bundle.office.holder_name)),
        valid_from=date.fromisoformat(row.set_on),
        valid_to=date.fromisoformat(row.valid_to),
    )


def _attached(pdf: bytes) -> Mapping[str, Any]:
    with pikepdf.open(io.BytesIO(pdf)) as document:
        return dict(json.loads(document.attachments[_ATTACHMENT].get_file().read_bytes()))
