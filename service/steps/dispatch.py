"""Documents that go out to a signing service and come back (ADR 0031). Nothing leaves before it is on record; nothing leaves twice.

A row and an event are committed before the bytes leave, the outcome afterwards. Whoever finds a row without outcome knows
nothing, so he sends nothing: a signature may exist, and only its signer may say that it is made again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

import structlog
from sqlalchemy import Connection, Row

from service import batch_ends, failpoints, moves
from service.clock import stamp
from service.errors import TekenError
from service.keys import Courier
from service.steps.quarantine import keep, quarantined
from service.steps.work import Work
from service.store import StoreBusy, dispatches
from service.store.dispatch_tables import Outcome
from service.store.permits import Lost, fenced, lock, prolong
from service.trust import trust
from signing import (
    Accepted,
    Look,
    Order,
    Policy,
    ProofFailed,
    Result,
    SignatureSpec,
    SigningError,
    accept_returned,
    place_of,
)

if TYPE_CHECKING:
    from service.wiring import Teken

_Result = TypeVar("_Result")
log = structlog.get_logger("teken.dispatch")
BACKEND: Final = "bsre"
UNKNOWN: Final = "outcome_unknown"
LATE: Final = "claim_lost"
_TRIES, _PAUSE_SECONDS = 5, 0.2
_SLACK: Final = timedelta(seconds=15)


class OutcomeUnknown(TekenError):
    """A signature may exist: nothing is sent before the signer has confirmed it."""

    code = UNKNOWN


@dataclass(frozen=True, slots=True)
class Errand:
    """One document that is to go out: which bytes, for whose signature, and how far the service may change them."""

    work: Work
    spec: SignatureSpec
    sent_sha: str
    by: str
    policy: Policy
    batch: str | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """An errand whose row is committed: from now on it counts as gone."""

    errand: Errand
    dispatch: str
    order: Order
    at: datetime


@dataclass(frozen=True, slots=True)
class Home:
    """A document that came back and is ours: archived, its dispatch still without outcome."""

    sent: Sent
    sha: str
    accepted: Accepted = field(repr=False)


def order_of(pdf: bytes, spec: SignatureSpec) -> Order:
    """Return what is ordered of a service, the look at the place that the template gives the signature. Raises SigningFailed."""
    page, box = place_of(pdf, spec.field)
    return Order(pdf, spec.field, Look(page, box, spec.appearance), spec.reason, spec.location)


def send(teken: Teken, courier: Courier, errands: Sequence[Errand]) -> list[Home | Exception]:
    """Send documents in one request and judge what comes back; one result per errand, in order.

    A document with an exception is not signed, or nobody knows: OutcomeUnknown, ProofFailed (quarantined), Lost, StoreBusy,
    KeyUnusable, SigningFailed.
    """
    found = [_checked(teken, errand) for errand in errands]
    if all(isinstance(one, Exception) for one in found):
        return [one for one in found if isinstance(one, Exception)]
    try:
        courier.client.check_account()
        secret = courier.secret()
    except SigningError as refused:
        return [one if isinstance(one, Exception) else refused for one in found]
    begun = [one if isinstance(one, Exception) else _begun(teken, courier, one) for one in found]
    sent = [one for one in begun if isinstance(one, Sent)]
    if sent:
        failpoints.passing("dispatch.after_record")
        answers = courier.client.send([one.order for one in sent], secret)
        courier.sent()
        failpoints.passing("dispatch.after_answer")
        homes = iter([_arrived(teken, courier, one, answer) for one, answer in zip(sent, answers, strict=True)])
    return [next(homes) if isinstance(one, Sent) else one for one in begun]


def brought(teken: Teken, home: Home, commit: Callable[[Connection], Row[Any]]) -> Row[Any]:
    """Let `commit` move the permit on, with this document as the signed one, in one transaction.

    If the permit went another way meanwhile the document is quarantined, and the journal says so. Raises Lost, StoreBusy.
    """
    permit = home.sent.errand.work.row.id

    def together() -> Row[Any]:
        with teken.db.write() as connection:
            moved = commit(connection)
            now = teken.clock.now()
            dispatches.end(connection, home.sent.dispatch, Outcome.RETURNED, now, returned_sha=home.sha)
            failpoints.passing("dispatch.before_commit")
            return moved

    try:
        with quarantined(teken, permit, home.sha):
            moved = _insisting(together)
    except Lost:
        told = {"sha256": home.sha, "cause": LATE}
        _close(teken, home.sent, Outcome.UNKNOWN, "permit.answered_late", told, returned_sha=home.sha)
        raise
    failpoints.passing("dispatch.after_commit")
    return moved


def record(home: Home, by: str) -> dict[str, Any]:
    """Return what is kept of a signature that a service made: also how strong the proof of its document is."""
    new, spec = home.accepted.signature, home.sent.errand.spec
    claimed = new.timestamp_at or new.signed_at or home.sent.at
    elsewhere = {} if new.field == spec.field else {"in_field": new.field}
    return {
        "field": spec.field,
        **elsewhere,
        "by": by,
        "level": new.level,
        "certificate_sha256": new.certificate_sha256,
        "chain_sha256": [],
        "at": stamp(claimed),
        "accepted_at": stamp(home.sent.at),
        "proof": home.accepted.proof_strength,
        "notes": list(home.accepted.notes),
        "policy": home.sent.errand.policy,
    }


def _checked(teken: Teken, errand: Errand) -> Errand | Exception:
    """Look before the service is asked anything. What is found without outcome is unknown from now on."""
    try:
        with teken.db.write() as connection:
            row = fenced(connection, errand.work.claim)
            found = dispatches.unsettled(connection, row.id)
            if found is not None:
                batch_ends.left_open(connection, teken, row, found)
    except (Lost, StoreBusy) as failed:
        return failed
    return errand if found is None else OutcomeUnknown()


def _begun(teken: Teken, courier: Courier, errand: Errand) -> Sent | Exception:
    assert teken.custody is not None, "only a signing process holds a courier"
    now, seconds = teken.clock.now(), timedelta(seconds=courier.client.wire.seconds)
    try:
        order = order_of(teken.archive.get(errand.sent_sha), errand.spec)
        with teken.db.write() as connection:
            row = fenced(connection, errand.work.claim)
            if dispatches.unsettled(connection, row.id) is not None:
                return OutcomeUnknown()
            told = {"field": errand.spec.field, "backend": BACKEND, "sent_sha": errand.sent_sha}
            dispatch = dispatches.begin(
                connection, now, permit=row.id, batch=errand.batch, by=errand.by, process=teken.custody.id, **told
            )
            prolong(connection, errand.work.claim, now + 2 * seconds + _SLACK)
            data = {"dispatch": dispatch, "field": errand.spec.field, "backend": BACKEND, "sha256": errand.sent_sha}
            moves.tell(connection, teken, row, "permit.dispatched", data)
    except Exception as failed:  # noqa: BLE001 - those already on record must leave: they count as gone
        return failed
    return Sent(errand, dispatch, order, now)


def _arrived(teken: Teken, courier: Courier, sent: Sent, answer: Result) -> Home | Exception:
    try:
        return _home(teken, courier, sent, answer)
    except Exception as failed:  # noqa: BLE001 - the others of the request came home too; this one's row stays open, which means unknown
        return failed


def _home(teken: Teken, courier: Courier, sent: Sent, answer: Result) -> Home | Exception:
    if answer.returned is None:
        assert answer.error is not None, "a result is one or the other"
        _unanswered(teken, sent, answer.error.code)
        return OutcomeUnknown() if answer.error.code == UNKNOWN else answer.error
    sha = teken.archive.put(answer.returned)
    try:
        return Home(sent, sha, _judged(teken, courier.certificate_sha256, sent, answer.returned))
    except ProofFailed as refused:
        keep(teken, sent.errand.work.row.id, sha, refused.code)
        told = {"sha256": sha, "cause": refused.code}
        _close(teken, sent, Outcome.UNKNOWN, "permit.return_refused", told, returned_sha=sha)
        return refused


def _judged(teken: Teken, certificate_sha256: str, sent: Sent, returned: bytes) -> Accepted:
    return accept_returned(
        sent.order.pdf,
        returned,
        policy=sent.errand.policy,
        field=sent.order.field,
        certificate_sha256=certificate_sha256,
        trust=replace(trust(teken.settings), at=sent.at),
        look=sent.order.look,
        at=sent.at,
    )


def _unanswered(teken: Teken, sent: Sent, cause: str) -> None:
    """A refusal says that nothing was signed; anything else says nothing."""
    if cause == UNKNOWN:
        _close(teken, sent, Outcome.UNKNOWN, "permit.dispatch_unknown", {"cause": "no_answer"})
    else:
        _close(teken, sent, Outcome.REFUSED, "permit.dispatch_refused", {"cause": cause})


def _close(
    teken: Teken,
    sent: Sent,
    outcome: Outcome,
    event: str,
    told: dict[str, str],
    *,
    returned_sha: str | None = None,
) -> None:
    """End a dispatch that did not sign its document. If the database stays busy the row stays open, which means unknown."""

    def ended() -> None:
        with teken.db.write() as connection:
            row = lock(connection, sent.errand.work.row.id)
            assert row is not None, "permits are never deleted"
            now, cause = teken.clock.now(), told.get("cause")
            dispatches.end(connection, sent.dispatch, outcome, now, cause=cause, returned_sha=returned_sha)
            moves.tell(connection, teken, row, event, {"dispatch": sent.dispatch, **told})

    try:
        _insisting(ended)
    except StoreBusy:
        log.error(  # noqa: TRY400 - the database was busy: a trace says no more
            "dispatch_outcome_not_recorded", permit=sent.errand.work.row.id, outcome=str(outcome)
        )


def _insisting(commit: Callable[[], _Result]) -> _Result:
    """Commit what can't be done again, though the database be busy for a while. Raises Lost, StoreBusy."""
    for _ in range(_TRIES):
        try:
            return commit()
        except StoreBusy:
            time.sleep(_PAUSE_SECONDS)
    return commit()
