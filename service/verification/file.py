"""Is a file authentic? By its hash first; otherwise by an inspection in a child process, against our own register."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import Row

from service.permits import State
from service.trust import certificates
from service.verification import evidence
from service.verification.answers import BYTES, FileAnswer, FileSignature, PermitState, Verdict
from service.verification.judgement import judge
from service.verification.permit import UNREACHABLE, state_of
from signing import Inspection, Trust, inspect_isolated

if TYPE_CHECKING:
    from service.wiring import Teken

MOST_BYTES = 20_000_000
_LONGEST_NAME = 120
_log = structlog.get_logger("teken.verification")


def verify_file(teken: Teken, pdf: bytes) -> FileAnswer:
    """Answer a file. Never raises: whatever goes wrong on the way is `undetermined`, never good and never bad."""
    if len(pdf) > MOST_BYTES:
        return FileAnswer(Verdict.UNDETERMINED, None, reasons=("too_large",))
    sha256 = hashlib.sha256(pdf).hexdigest()
    try:
        return _identical(teken, sha256) or _inspected(teken, pdf, sha256)
    except UNREACHABLE:
        return _undetermined(sha256, "register_unreachable")
    except Exception as unforeseen:  # noqa: BLE001 - hostile input; the type is logged, its text might quote the file
        _log.error("verification_failed", error=type(unforeseen).__qualname__, sha256=sha256)
        return _undetermined(sha256, "not_inspectable")


def _undetermined(sha256: str, reason: str) -> FileAnswer:
    return FileAnswer(Verdict.UNDETERMINED, sha256, PermitState.UNDETERMINED, reasons=(reason,))


def _identical(teken: Teken, sha256: str) -> FileAnswer | None:
    """The archive's own word: these bytes were proven when they were released."""
    with teken.db.read() as connection:
        found = evidence.exact(connection, sha256)
    if found is None:
        return None
    document, permit = found
    signatures = tuple(
        FileSignature(one["field"], one["by"], one["level"], valid=True, proof=one.get("proof", BYTES))
        for one in evidence.recorded(document)
    )
    return _told(teken, Verdict.IDENTICAL, sha256, permit, signatures, ("released",))


def _inspected(teken: Teken, pdf: bytes, sha256: str) -> FileAnswer:
    found = inspect_isolated(pdf, trust(teken))
    hashes = [*evidence.revision_hashes(pdf), sha256]
    with teken.db.read() as connection:
        owners = evidence.owners(connection, teken.offices, found)
        descent = evidence.descent(connection, hashes, ours=bool(owners))
    verdict, reasons = judge(found, evidence.Evidence(owners, evidence.shapes(teken.offices), descent))
    if verdict is Verdict.AUTHENTIC and descent.permit is not None and descent.permit.state == State.REPLACED:
        verdict = Verdict.SUPERSEDED
    return _told(teken, verdict, sha256, descent.permit, _signatures(found, owners), reasons)


def _told(
    teken: Teken,
    verdict: Verdict,
    sha256: str,
    permit: Row[Any] | None,
    signatures: tuple[FileSignature, ...],
    reasons: tuple[str, ...],
) -> FileAnswer:
    if permit is None:
        return FileAnswer(verdict, sha256, signatures=signatures, reasons=reasons)
    state = state_of(permit, teken.pins.open(permit.pin).office, teken.clock.now())
    return FileAnswer(verdict, sha256, state, permit.number, permit.office, permit.code, signatures, reasons)


def _signatures(found: Inspection, owners: dict[str, evidence.Owner]) -> tuple[FileSignature, ...]:
    return tuple(
        FileSignature(
            field=_printable(one.field),
            by=owners[one.certificate_sha256].name if one.certificate_sha256 in owners else _printable(one.signer_cn),
            level=one.level,
            valid=one.sound and one.trusted,
        )
        for one in found.signatures
        if one.kind == "signature"
    )


def _printable(text: str) -> str:
    """What a stranger's file says, safe for a terminal: no control characters, no change of direction."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text[:_LONGEST_NAME])


def trust(teken: Teken) -> Trust:
    """Return the pinned anchors. Nothing is fetched; revocation of our own is the register's to know."""
    return Trust(certificates(teken.settings.trust_file), at=teken.clock.now())
