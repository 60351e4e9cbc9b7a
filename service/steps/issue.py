"""Step 7, prove and issue: read our own output back, prove it, release it. Before this commit nothing verifies as issued (I5)."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, insert, select

from service import failpoints, moves, register
from service.canonical import dumps
from service.clock import stamp
from service.errors import TekenError
from service.longterm import MARGIN, below, extend, level_of, raised, stamped
from service.moves import Done
from service.permits import CORRECTION, MOVE, RELEASED, State, may_become
from service.sop.model import Verb
from service.steps.number import carried_on
from service.steps.proving import prove_stored
from service.steps.work import Work
from service.store.permits import change, fenced, lock
from service.store.tables import acts, documents
from service.store.upkeep import enlist

if TYPE_CHECKING:
    from service.wiring import Teken


def issue(teken: Teken, work: Work) -> Row[Any]:
    """Prove the stored bytes against the preview, then fix their hash on the permit: it is in force, and replaces or revokes the older one.

    Raises signing.ProofFailed: the permit is not issued.
    """
    row = work.row
    signatures = _signatures(teken, row)
    signed = row.sealed_sha or row.head_sha
    pdf = teken.archive.get(signed)
    prove_stored(teken, row, work.bundle, signatures, pdf)
    failpoints.passing("issue.after_proof")
    sha, signatures, until = _raised(teken, work, signed, pdf, signatures)
    _check_levels(work, signatures)
    now = teken.clock.now()
    teken.archive.keep(sha, now)
    with teken.db.write() as connection:
        old = (
            lock(connection, row.replaces) if row.replaces else None
        )  # older permit, newer permit, journal: always in this order
        locked = fenced(connection, work.claim)
        connection.execute(
            insert(documents).values(
                permit=row.id,
                version=1,
                sha=sha,
                signatures=dumps(signatures),
                released_at=stamp(now),
                extends=None if sha == signed else signed,
            )
        )
        _enlist(connection, teken, work, level_of(signatures), until)
        told = {
            "number": row.number,
            "sha256": sha,
            "valid_from": row.valid_from,
            "valid_to": row.valid_to,
            "verify_url": row.verify_url,
        }
        told["document_url"] = f"/api/v1/permits/{row.id}/document"
        _check_move(row, old)
        told |= _corrected(connection, row, old, now)
        moved = moves.finish(
            connection,
            teken,
            locked,
            work.procedure,
            Done("permit.issued", document_sha=sha, data=told),
            released_sha=sha,
        )
        if old is not None:
            _end(connection, teken, moved, old)
        failpoints.passing("issue.before_commit")
    failpoints.passing("issue.after_commit")
    return moved


class CorrectedNotInForce(TekenError):
    """What this permit corrects was suspended, revoked or replaced meanwhile: it is not issued in its place (ADR 0041)."""

    code = "corrected_not_in_force"


class MovedNotInForce(TekenError):
    """The permit that this one revokes was suspended, revoked or replaced meanwhile: nobody leaves that behind by moving (ADR 0043)."""

    code = "moved_not_in_force"


def _check_move(row: Row[Any], old: Row[Any] | None) -> None:
    if row.request_kind == MOVE and old is not None and old.state != State.IN_FORCE:
        raise MovedNotInForce


def _corrected(connection: Connection, row: Row[Any], old: Row[Any] | None, now: datetime) -> dict[str, Any]:
    """Pass the old permit's number on where the correction carries it; return what the world is told of it."""
    if row.request_kind != CORRECTION:
        return {}
    assert old is not None, "a correction names what it corrects"
    if old.state != State.IN_FORCE:
        raise CorrectedNotInForce
    told = {"corrects": old.id, "corrected_sha256": old.released_sha}
    if carried_on(connection, row) is None:
        return told
    entry = register.correct(connection, old=old.id, new=row.id, by="system", at=now)
    return {**told, "series": entry.series, "register_hash": entry.entry_hash}


def _raised(
    teken: Teken, work: Work, signed: str, pdf: bytes, signatures: list[dict[str, Any]]
) -> tuple[str, list[dict[str, Any]], datetime | None]:
    """Extend what was signed where the office issues no lower than B-LT, so that version 1 has it already.

    Here and not beside the signature: who does not answer is asked again without anybody signing again.
    """
    least = work.bundle.office.issue_at_least
    if least not in {"B-LT", "B-LTA"}:
        return signed, stamped(signatures, pdf), None
    longer = extend(teken, pdf, level_of(signatures), least)
    sha = teken.archive.put(longer.pdf)
    return sha, stamped(raised(signatures, longer.level), longer.pdf), longer.until


def _enlist(connection: Connection, teken: Teken, work: Work, level: str, until: datetime | None) -> None:
    """What the office still wants is due now; what it has is due before its time-stamp loses its worth."""
    target = work.bundle.office.target
    if target not in {"B-LT", "B-LTA"}:
        return
    reached = until is not None and not below(level, target)
    enlist(connection, work.row.id, level, until, until - MARGIN if until and reached else teken.clock.now())


class LevelTooLow(TekenError):
    """A signature did not reach the level below which the office does not issue: the permit waits (§7)."""

    code = "level_too_low"


def _check_levels(work: Work, signatures: list[dict[str, Any]]) -> None:
    for signature in signatures:
        if below(signature["level"], work.bundle.office.issue_at_least):
            raise LevelTooLow(field=signature["field"], level=signature["level"])


def _signatures(teken: Teken, row: Row[Any]) -> list[dict[str, Any]]:
    verbs = [str(Verb.SIGN), str(Verb.SEAL)]
    query = select(acts.c.detail).where(acts.c.permit == row.id, acts.c.verb.in_(verbs), acts.c.voided_at.is_(None))
    with teken.db.read() as connection:
        return [json.loads(text) for text in connection.execute(query.order_by(acts.c.position)).scalars()]


def _end(connection: Connection, teken: Teken, row: Row[Any], old: Row[Any]) -> None:
    """The new permit's issue ends the old one, in the same transaction; one that was revoked meanwhile stays revoked."""
    to = State.REVOKED if row.request_kind == MOVE else State.REPLACED
    if old.state not in RELEASED or not may_become(State(old.state), to):
        return
    ended = change(connection, old, teken.clock.now(), state=to, queue="none", parked_from=None)
    told = {"by_permit": row.id, "by_number": row.number}
    if to is State.REVOKED:  # the decision is the new permit itself, which says so above the head's signature
        told |= {"ground": "moved", "decision": row.number, "mandate": json.loads(row.signatory)["mandate"]}
    moves.tell(connection, teken, ended, f"permit.{to}", told)
