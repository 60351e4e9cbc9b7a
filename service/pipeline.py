"""Claim, do the due step, move on: the same function in normal operation and in recovery (§4, §6)."""

from __future__ import annotations

import contextlib
import errno
import random
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog
from structlog.contextvars import bound_contextvars

from service import batch_ends, failpoints, flow, gate, moves
from service.archive import ArchiveDamaged, ArchiveUnreachable
from service.batch_signing import claimable, mates
from service.clock import stamp
from service.errors import TekenError
from service.permits import RELEASED, State
from service.steps import STEPS, Work, sign_together
from service.store import StoreBusy
from service.store.permits import LONGEST_WAIT, Claim, Lost, change, claim, fenced
from signing import ProofFailed, SigningError

if TYPE_CHECKING:
    from sqlalchemy import Row

    from service.wiring import Teken

log = structlog.get_logger("teken.pipeline")
RING_SECONDS = 2
UNWRITABLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS})


def drain(teken: Teken, queue: str, *, limit: int = 1_000_000) -> int:
    """Do due steps of a queue until none is left; return how many were tried."""
    done = 0
    while done < limit and advance(teken, queue):
        done += 1
    return done


def answer(queue: str, permit: str) -> None:
    """Answer one ring: do what is due for this permit, then whatever else is due on its queue, for a few seconds at most.

    So a tray of five hundred needs one ring that arrives, and a Redis that lost all others costs nothing.
    """
    from service.wiring import opened

    teken, until = opened(), time.monotonic() + RING_SECONDS
    with contextlib.suppress(StoreBusy):  # nothing was written, and whoever listens looks at the database again
        while advance(teken, queue, permit):
            pass
        while time.monotonic() < until and advance(teken, queue):
            pass


def advance(teken: Teken, queue: str, permit: str | None = None) -> bool:
    """Claim one due step and do it; tell whether there was one. Its failure is recorded on the permit, never raised."""
    lease = timedelta(seconds=teken.settings.lease_seconds)
    only = claimable(teken) if queue == "sign" else None
    with teken.db.write() as connection:
        taken = claim(connection, queue, teken.clock.now(), lease, permit, only=only)
    if taken is None:
        return False
    failpoints.passing("claim.after_commit")
    all_taken = [taken, *(_mates(teken, taken[1], lease) if queue == "sign" else ())]
    _attempt(teken, [one for one in all_taken if not _worn_out(teken, *one)])
    return True


def _mates(teken: Teken, row: Row, lease: timedelta) -> Iterator[tuple[Claim, Row]]:  # type: ignore[type-arg]
    """Claim what goes to the same service in the same request."""
    same, most = mates(teken, row.id)
    for _ in range(most):
        with teken.db.write() as connection:
            taken = claim(connection, "sign", teken.clock.now(), lease, only=same)
        if taken is None:
            return
        yield taken


def _worn_out(teken: Teken, held: Claim, row: Row) -> bool:  # type: ignore[type-arg]
    if held.attempts > teken.settings.max_attempts:
        _park(teken, held, row.fault or "worker_died")
        return True
    return False


def _attempt(teken: Teken, taken: Sequence[tuple[Claim, Row]]) -> None:  # type: ignore[type-arg]
    """Do the due step of each; several are always signatures of one batch. Each failure is that permit's own."""
    works: list[Work] = []
    for held, row in taken:
        with _told(held), _recorded(teken, held, row):
            work = Work(held, row, teken.pins.open(row.pin))
            if flow.due_step(row, work.procedure) in gate.BEHIND:
                gate.pass_through(teken)
            works.append(work)
    began = time.monotonic()
    outcomes = _signed_together(teken, works) if len(works) > 1 else [_done(teken, work) for work in works]
    seconds = round(time.monotonic() - began, 3)
    for work, outcome in zip(works, outcomes, strict=True):
        step = flow.due_step(work.row, work.procedure)
        with _told(work.claim, step=step, seconds=seconds), _recorded(teken, work.claim, work.row):
            if isinstance(outcome, Exception):
                raise outcome
            log.info("step_done", state=outcome.state if outcome is not None else None)
            if outcome is not None and outcome.queue in {"work", "sign"}:
                teken.doorbell.ring(outcome.queue, outcome.id)


def _signed_together(teken: Teken, works: Sequence[Work]) -> Sequence[Row | Exception]:  # type: ignore[type-arg]
    try:
        return sign_together(teken, works)
    except Exception as failed:  # noqa: BLE001 - the process lives on: it alone holds what the head typed
        return [failed] * len(works)


def _done(teken: Teken, work: Work) -> Row | Exception | None:  # type: ignore[type-arg]
    try:
        step = flow.due_step(work.row, work.procedure)
        assert step is not None, "a queued permit has a due step"
        with _told(work.claim, step=step):
            return STEPS[step](teken, work)
    except Exception as failed:  # noqa: BLE001 - told apart where it is recorded
        return failed


def _told(held: Claim, **more: Any) -> contextlib.AbstractContextManager[None]:
    """Every line that is logged inside tells which permit and step it is about."""
    return bound_contextvars(permit=held.permit, attempt=held.attempts, **more)


@contextlib.contextmanager
def _recorded(teken: Teken, held: Claim, row: Row) -> Iterator[None]:  # type: ignore[type-arg]
    """Record on the permit what went wrong inside; nothing is raised."""
    try:
        yield
    except Lost:
        log.info("claim_lost", permit=row.id)
    except StoreBusy:
        log.warning("store_busy", permit=row.id)
        _put_back(teken, held)
    except ArchiveUnreachable as error:
        log.warning("archive_unreachable", permit=row.id, code=error.code)
        _put_back(teken, held, error.code)
    except gate.NumberingClosed as closed:
        log.warning("step_waits", code=closed.code)
        _put_back(teken, held, closed.code, gate.WAIT)
    except (TekenError, SigningError, ArchiveDamaged) as error:
        _defer(teken, held, getattr(error, "code", type(error).__name__))
        if isinstance(error, ProofFailed):
            batch_ends.mismatch(teken, row.id)
    except Exception as error:  # noqa: BLE001 - a fault of the program parks one permit, not the office
        if isinstance(error, OSError) and error.errno in UNWRITABLE:
            log.warning("disk_unwritable", error=errno.errorcode[error.errno])
            _put_back(teken, held, "disk_unwritable")
            return
        log.error("step_failed", permit=row.id, error=type(error).__name__)  # noqa: TRY400 - a traceback may quote the case
        _defer(teken, held, f"internal:{type(error).__name__}")


def _defer(teken: Teken, held: Claim, fault: str) -> None:
    """Record the failure and when to try again: doubling waits with jitter; after the last attempt the permit is parked."""
    log.warning("step_deferred", permit=held.permit, attempt=held.attempts, code=fault)
    if held.attempts >= teken.settings.max_attempts or batch_ends.at_once(fault):
        _park(teken, held, fault)
        return
    now = teken.clock.now()
    wait = teken.settings.retry_seconds * 2 ** (held.attempts - 1) * (0.75 + random.random() / 2)  # noqa: S311 - jitter
    try:
        with teken.db.write() as connection:
            row = fenced(connection, held)
            due_at = stamp(now + min(timedelta(seconds=wait), LONGEST_WAIT))
            change(connection, row, now, fault=fault, attempts=held.attempts, due_at=due_at)
    except (Lost, StoreBusy):
        log.info("defer_lost", permit=held.permit)


def _put_back(teken: Teken, held: Claim, fault: str | None = None, wait: timedelta | None = None) -> None:
    """Database or archive was away, no fault of the permit: the try does not count. If even this fails, the lease ends by itself."""
    now = teken.clock.now()
    wait = timedelta(seconds=teken.settings.retry_seconds) if wait is None else wait
    with contextlib.suppress(Lost, StoreBusy), teken.db.write() as connection:
        row = fenced(connection, held)
        change(connection, row, now, fault=fault or row.fault, attempts=held.attempts - 1, due_at=stamp(now + wait))


def _park(teken: Teken, held: Claim, fault: str) -> None:
    """Set the permit aside, visibly, for a person (I1); in a batch that is the head, who sees the result.

    One that is released stays what it is to the world: only its next step waits.
    """
    try:
        with teken.db.write() as connection:
            row = fenced(connection, held)
            if batch_ends.failed(connection, teken, row, fault):
                return
            state = row.state if row.state in RELEASED else State.PARKED
            parked = change(
                connection, row, teken.clock.now(), state=state, queue="none", parked_from=row.state, fault=fault
            )
            moves.tell(connection, teken, parked, "permit.parked", {"fault": fault, "from": row.state})
        log.error("permit_parked", permit=held.permit, code=fault, state=row.state)
    except (Lost, StoreBusy):
        log.info("park_lost", permit=held.permit)
