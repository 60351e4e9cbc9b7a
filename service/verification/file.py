"""Is a file authentic? By its hash first; otherwise by an inspection in a child process, against our own register."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import Row

from service.clock import instant
from service.highwater import is_closed
from service.permits import State
from service.trust import certificates
from service.verification import evidence
from service.verification.answers import BYTES, Certificate, FileAnswer, FileSignature, PermitState, Verdict
from service.verification.checks import ChecksBusy
from service.verification.judgement import judge
from service.verification.permit import UNREACHABLE, state_of
from signing import Inspection, SignatureFacts, Trust, inspect_isolated

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from service.wiring import Teken

MOST_BYTES = 20_000_000
_LONGEST_NAME = 120
_log = structlog.get_logger("teken.verification")


def verify_file(teken: Teken, pdf: bytes, *, turn: AbstractContextManager[object] | None = None) -> FileAnswer:
    """Answer a file. Whatever goes wrong on the way is `undetermined`, never good and never bad.

    `turn` is entered for the inspection alone: what the archive knows by its hash waits for nobody.
    Raises nothing but ChecksBusy, and that only where `turn` does.
    """
    if len(pdf) > MOST_BYTES:
        return FileAnswer(Verdict.UNDETERMINED, None, reasons=("too_large",))
    sha256 = hashlib.sha256(pdf).hexdigest()
    try:
        return _identical(teken, sha256) or _inspected(teken, pdf, sha256, turn or nullcontext())
    except ChecksBusy:
        raise
    except UNREACHABLE:
        return _undetermined(sha256, "register_unreachable")
    except Exception as unforeseen:  # noqa: BLE001 - hostile input; the type is logged, its text might quote the file
        _log.error("verification_failed", error=type(unforeseen).__qualname__)
        return _undetermined(sha256, "not_inspectable")


def _undetermined(sha256: str, reason: str) -> FileAnswer:
    return FileAnswer(Verdict.UNDETERMINED, sha256, PermitState.UNDETERMINED, reasons=(reason,))


def _identical(teken: Teken, sha256: str) -> FileAnswer | None:
    """The archive's own word: these bytes were proven when they were released."""
    with teken.db.read() as connection:
        found = evidence.exact(connection, sha256)
        used = [one["certificate_sha256"] for one in evidence.recorded(found[0])] if found else []
        known = evidence.enrolled(connection, used)
    if found is None:
        return None
    document, permit = found
    signatures = tuple(_recorded(one, known.get(one["certificate_sha256"])) for one in evidence.recorded(document))
    return _told(teken, Verdict.IDENTICAL, sha256, permit, signatures, ("released",))


def _inspected(teken: Teken, pdf: bytes, sha256: str, turn: AbstractContextManager[object]) -> FileAnswer:
    with turn:
        found = inspect_isolated(pdf, trust(teken))
    hashes = [*evidence.revision_hashes(pdf), sha256]
    with teken.db.read() as connection:
        owners = evidence.owners(connection, teken.offices, found)
        descent = evidence.descent(connection, hashes, ours=bool(owners))
        known = evidence.enrolled(connection, owners)
    verdict, reasons = judge(found, evidence.Evidence(owners, evidence.shapes(teken.offices), descent))
    if verdict is Verdict.AUTHENTIC and descent.permit is not None and descent.permit.state == State.REPLACED:
        verdict = Verdict.SUPERSEDED
    signatures = tuple(_inspected_one(one, owners, known) for one in found.signatures if one.kind == "signature")
    answer = _told(teken, verdict, sha256, descent.permit, signatures, reasons)
    return replace(answer, updates_after=_updates_after(pdf, found)) if verdict is Verdict.ALTERED else answer


def _updates_after(pdf: bytes, found: Inspection) -> int | None:
    unchanged = [one.end for one in found.signatures if one.intact and one.valid]
    return evidence.updates_after(pdf, max(unchanged)) if unchanged else None


def _told(
    teken: Teken,
    verdict: Verdict,
    sha256: str,
    permit: Row[Any] | None,
    signatures: tuple[FileSignature, ...],
    reasons: tuple[str, ...],
) -> FileAnswer:
    if permit is None:
        with teken.db.read() as connection:
            closed = is_closed(connection)
        if closed:  # a register that was put back knows neither every document nor every certificate
            verdict = Verdict.UNDETERMINED if verdict is Verdict.FOREIGN else verdict
            return FileAnswer(verdict, sha256, PermitState.UNDETERMINED, signatures=signatures, reasons=reasons)
        return FileAnswer(verdict, sha256, signatures=signatures, reasons=reasons)
    state = state_of(permit, teken.pins.open(permit.pin).office, teken.clock.now())
    return FileAnswer(verdict, sha256, state, permit.number, permit.office, permit.code, signatures, reasons)


def _recorded(one: dict[str, Any], certificate: Certificate | None) -> FileSignature:
    """As it was recorded and proven when the document was released."""
    proof, at = one.get("proof", BYTES), instant(one["at"])
    return FileSignature(one["field"], one["by"], one["level"], True, proof, True, at, certificate=certificate)


def _inspected_one(
    one: SignatureFacts, owners: Mapping[str, evidence.Owner], known: Mapping[str, Certificate]
) -> FileSignature:
    owner = owners.get(one.certificate_sha256)
    return FileSignature(
        field=_printable(one.field),
        by=owner.name if owner else _printable(one.signer_cn),
        level=one.level,
        valid=one.sound and one.trusted,
        ours=owner is not None,
        signed_at=one.signed_at,
        timestamp_at=one.timestamp_at,
        certificate=known.get(one.certificate_sha256) or _claimed(one),
    )


def _claimed(one: SignatureFacts) -> Certificate | None:
    """A stranger's certificate, in his own words."""
    if one.not_before is None or one.not_after is None:
        return None
    return Certificate(
        sha256=one.certificate_sha256,
        subject=_printable(one.signer_cn),
        organization=_printable(one.organization),
        issuer=_printable(one.issuer_cn),
        valid_from=one.not_before,
        valid_to=one.not_after,
        is_example=False,
    )


def _printable(text: str) -> str:
    """What a stranger's file says, safe for a terminal: no control characters, no change of direction."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text[:_LONGEST_NAME])


def trust(teken: Teken) -> Trust:
    """Return the pinned anchors. Nothing is fetched; revocation of our own is the register's to know."""
    return Trust(certificates(teken.settings.trust_file), at=teken.clock.now())
