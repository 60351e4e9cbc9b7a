"""Step 5, sign: the head's TTE on byte for byte what was previewed. Runs only in the signing process."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import Connection, Row

from service import batch_ends, failpoints, moves
from service.archive import sha256
from service.batch_signing import WRONG, key_for, proved, refused
from service.clock import stamp
from service.document.locks import certified
from service.errors import MandateExpired, NotFound
from service.keys import Courier, proven_by_use
from service.moves import Done
from service.people import Actor, signatory
from service.permits import State
from service.pins import Bundle
from service.sop.model import Procedure
from service.steps.dispatch import Errand, Home, record
from service.steps.head_out import Paper, sign_out
from service.steps.paper import to_fill, to_sign
from service.steps.qr import look, with_qr
from service.steps.quarantine import quarantined
from service.steps.work import Work
from service.store.permits import fenced
from signing import Appearance, Backend, Frame, KeyUnusable, Policy, SignatureSpec, Signed
from signing import fill_and_seal as apply_signature

if TYPE_CHECKING:
    from service.wiring import Teken

FIELD = "ttd_kepala"


def sign(teken: Teken, work: Work) -> Row[Any]:
    """Sign the ordered bytes with the key of the official whom the paper names; the first committed hash wins."""
    (outcome,) = sign_together(teken, [work])
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def sign_together(teken: Teken, works: Sequence[Work]) -> list[Row[Any] | Exception]:
    """Sign several of one official, each by itself; what a service signs goes out in one request. One outcome each, in order."""
    outcomes: list[Row[Any] | Exception | Paper] = [_outcome(teken, work) for work in works]
    out = [one for one in outcomes if isinstance(one, Paper)]
    returned = iter(sign_out(teken, out[0].courier, out) if out else [])
    return [next(returned) if isinstance(one, Paper) else one for one in outcomes]


def _outcome(teken: Teken, work: Work) -> Row[Any] | Exception | Paper:
    """Sign here, or return what goes out. No document's failure is another's."""
    try:
        named = json.loads(work.row.signatory)
        if not _still_signs(teken, work, named):
            return _order_lapsed(teken, work)
        batch, key = key_for(teken, work.row, named["official"], named["certificate_sha256"])
        if not work.procedure.sealed:
            to_fill(teken, work.row, work.bundle)  # number and dates are proven before a QR says them
            work = with_qr(teken, work)
        if isinstance(key, Courier):
            return _paper(teken, work, named, batch, key)
        return _signed_here(teken, work, named, batch, key)
    except Exception as failed:  # noqa: BLE001 - told to the pipeline, which knows each kind
        return failed


def _signed_here(teken: Teken, work: Work, named: dict[str, Any], batch: str | None, key: Backend) -> Row[Any]:
    row = work.row
    try:
        pdf, values = teken.archive.get(row.ordered_sha), to_fill(teken, row, work.bundle)
        signed = apply_signature(pdf, values, key, _spec(work, row), timestamper=teken.timestamper)
    except KeyUnusable as unusable:
        if batch is None or unusable.code not in WRONG:
            raise
        return refused(teken, work.claim, batch, unusable.code)
    failpoints.passing("sign.after_signature")
    sha = teken.archive.put(signed.pdf)
    failpoints.passing("sign.after_archive")
    with quarantined(teken, row.id, sha), teken.db.write() as connection:
        moved = _commit(connection, teken, work, named, signature_record(FIELD, _who(named), key, signed), sha)
        failpoints.passing("sign.before_commit")
    failpoints.passing("sign.after_commit")
    if batch is not None and proven_by_use(key):
        proved(teken, batch)
    return moved


def _paper(teken: Teken, work: Work, named: dict[str, Any], batch: str | None, courier: Courier) -> Paper:
    """What goes out: the ordered bytes, signed as an approval, since no service certifies."""
    spec = replace(_spec(work, work.row), certify=False)
    policy = cast("Policy", work.bundle.office.signing.returned)
    sent_sha = teken.archive.put(to_sign(teken, work.row, work.bundle))
    errand = Errand(work, spec, sent_sha, named["official"], policy, batch)

    def commit(connection: Connection, *, home: Home) -> Row[Any]:
        return _commit(connection, teken, work, named, record(home, _who(named)), home.sha)

    return Paper(courier, errand, commit)


def signature_record(field: str, by: str, key: Backend, signed: Signed) -> dict[str, Any]:
    """Return what is kept of a signature: shown on the verification page and compared at proof."""
    return {
        "field": field,
        "by": by,
        "level": signed.level,
        "certificate_sha256": signed.certificate_sha256,
        "chain_sha256": [sha256(der) for der in key.chain_der],
        "at": stamp(signed.signed_at),
    }


def _commit(
    connection: Connection, teken: Teken, work: Work, named: dict[str, Any], record: dict[str, Any], sha: str
) -> Row[Any]:
    row = fenced(connection, work.claim)
    actor = Actor(named["official"], named["mandate"], "")
    done = Done(
        "permit.signed",
        actor=actor,
        document_sha=row.ordered_sha,
        data={"signed_sha256": sha, "level": record["level"]},
        detail=record,
    )
    moved = moves.finish(connection, teken, row, work.procedure, done, head_sha=sha)
    batch_ends.signed(connection, teken, row.id)
    return moved


def _spec(work: Work, row: Row[Any]) -> SignatureSpec:
    procedure: Procedure = work.procedure
    return SignatureSpec(
        field=FIELD,
        reason=work.bundle.permit_type.title,
        location=work.bundle.office.city,
        certify=True,
        permission=certified(procedure),
        appearance=appearance(procedure, row, work.bundle),
    )


def appearance(procedure: Procedure, row: Row[Any], bundle: Bundle) -> Appearance:
    """The QR is drawn in the appearance of the last signature or seal; before that the head's box is a plain frame (step 7)."""
    return Frame() if procedure.sealed else look(row, bundle)


def _still_signs(teken: Teken, work: Work, named: dict[str, Any]) -> bool:
    """Who signs must hold, now, the role, mandate and certificate that the paper names (I10)."""
    try:
        with teken.db.read() as connection:
            today = signatory(connection, work.bundle.office, work.procedure.signing_role, teken.clock.now())
            return today.as_dict() == named
    except (MandateExpired, NotFound):
        return False


def _order_lapsed(teken: Teken, work: Work) -> Row[Any]:
    """The mandate changed between order and signature: the paper is made again, and read again, before anybody signs."""
    with teken.db.write() as connection:
        row = fenced(connection, work.claim)
        back = State.NUMBERED if row.number else State.IN_PARAF
        moved = moves.settle(
            connection, row, work.procedure, teken.clock.now(), state=back, final_sha=None, ordered_sha=None
        )
        moves.tell(connection, teken, moved, "permit.order_lapsed", {"reason": "signatory_changed"})
        batch_ends.skipped(connection, teken, row.id, "signatory_changed")
    return moved


def _who(named: dict[str, Any]) -> str:
    return f"{named['name']}, {named['prefix']} {named['title']}".replace(",  ", ", ")
