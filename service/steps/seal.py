"""Step 6, seal: the office's electronic seal; where the number comes after the signature, one update fills the fields and seals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import Connection, Row

from service import failpoints, moves
from service.keys import Courier
from service.moves import Done
from service.people import enrolled, seal_owner
from service.steps import dispatch
from service.steps.paper import to_seal
from service.steps.qr import look, with_qr
from service.steps.quarantine import quarantined
from service.steps.sign import signature_record
from service.steps.work import Work
from service.store.permits import fenced
from signing import Policy, SignatureSpec, SigningFailed, fill_and_seal

if TYPE_CHECKING:
    from service.wiring import Teken

FIELD = "segel"


def seal(teken: Teken, work: Work) -> Row[Any]:
    """Seal the head's signed bytes with the office's own key."""
    office = work.bundle.office
    owner = seal_owner(office)
    with teken.db.read() as connection:
        certificate = enrolled(connection, owner, teken.clock.now()).sha256
    signed, values = to_seal(teken, work.row, work.bundle)
    work = with_qr(teken, work)
    row = work.row
    key = teken.keys.key(owner, certificate)
    spec = SignatureSpec(
        field=FIELD,
        reason=work.bundle.permit_type.title,
        location=office.city,
        permission=1,
        appearance=look(row, work.bundle),
    )
    if isinstance(key, Courier):
        if values:
            raise SigningFailed("spec_invalid", "a service fills no field")
        return _sealed_out(teken, work, owner, key, spec)
    sealed = fill_and_seal(signed, values, key, spec, timestamper=teken.timestamper)
    failpoints.passing("seal.after_signature")
    sha = teken.archive.put(sealed.pdf)
    failpoints.passing("seal.after_archive")
    with quarantined(teken, row.id, sha), teken.db.write() as connection:
        moved = _commit(connection, teken, work, signature_record(FIELD, _name(work), key, sealed), sha)
        failpoints.passing("seal.before_commit")
    failpoints.passing("seal.after_commit")
    return moved


def _sealed_out(teken: Teken, work: Work, owner: str, courier: Courier, spec: SignatureSpec) -> Row[Any]:
    """Let a service seal. It fills no field, and what it returns still begins with the head's signed bytes."""
    policy = cast("Policy", work.bundle.office.signing.seal_returned)
    (fate,) = dispatch.send(teken, courier, [dispatch.Errand(work, spec, work.row.head_sha, owner, policy)])
    if isinstance(fate, Exception):
        raise fate

    def commit(connection: Connection) -> Row[Any]:
        return _commit(connection, teken, work, dispatch.record(fate, _name(work)), fate.sha)

    return dispatch.brought(teken, fate, commit)


def _commit(connection: Connection, teken: Teken, work: Work, record: dict[str, Any], sha: str) -> Row[Any]:
    locked = fenced(connection, work.claim)
    done = Done(
        "permit.sealed",
        document_sha=work.row.head_sha,
        data={"sealed_sha256": sha, "level": record["level"]},
        detail=record,
    )
    return moves.finish(connection, teken, locked, work.procedure, done, sealed_sha=sha)


def _name(work: Work) -> str:
    return work.bundle.office.seal_name or work.bundle.office.short_name
