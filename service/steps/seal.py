"""Step 6, seal: the office's electronic seal; where the number comes after the signature, one update fills the fields and seals."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row

from service import failpoints, moves
from service.document.page import field_values
from service.moves import Done
from service.people import enrolled, seal_owner
from service.pins import Bundle
from service.steps.quarantine import quarantined
from service.steps.sign import signature_record
from service.steps.work import Work
from service.store.permits import fenced
from signing import QrCode, SignatureSpec, fill_and_seal

if TYPE_CHECKING:
    from service.wiring import Teken

FIELD = "segel"


def seal(teken: Teken, work: Work) -> Row[Any]:
    """Seal the head's signed bytes with the office's own key."""
    row, office = work.row, work.bundle.office
    owner = seal_owner(office)
    with teken.db.read() as connection:
        certificate = enrolled(connection, owner, teken.clock.now()).sha256
    key = teken.keys.key(owner, certificate)
    spec = SignatureSpec(
        field=FIELD,
        reason=work.bundle.permit_type.title,
        location=office.city,
        permission=1,
        appearance=QrCode(row.verify_url),
    )
    sealed = fill_and_seal(
        teken.archive.get(row.head_sha), values(row, work.bundle), key, spec, timestamper=teken.timestamper
    )
    failpoints.passing("seal.after_signature")
    sha = teken.archive.put(sealed.pdf)
    failpoints.passing("seal.after_archive")
    with quarantined(teken, row.id, sha), teken.db.write() as connection:
        locked = fenced(connection, work.claim)
        record = signature_record(FIELD, office.seal_name or office.short_name, key, sealed)
        done = Done(
            "permit.sealed",
            document_sha=row.head_sha,
            data={"sealed_sha256": sha, "level": sealed.level},
            detail=record,
        )
        moved = moves.finish(connection, teken, locked, work.procedure, done, sealed_sha=sha)
        failpoints.passing("seal.before_commit")
    failpoints.passing("seal.after_commit")
    return moved


def values(row: Row[Any], bundle: Bundle) -> dict[str, str]:
    """Return what the seal's update fills: number, date and end of validity, or nothing where the number came first."""
    if not bundle.permit_type.procedure.number_after:
        return {}
    return field_values(row.number, date.fromisoformat(row.set_on), date.fromisoformat(row.valid_to), bundle.labels)
