"""Processes that die between dispatch and answer, two processes at once, answers that come too late: one signature or a question."""

from __future__ import annotations

import signal
import threading
from contextlib import closing
from datetime import UTC, datetime

import pytest
from flask import request
from sqlalchemy import update

from service import batch, batch_ends, pipeline
from service.clock import stamp
from service.permits import State
from service.resend import confirm_resend
from service.store.batch_tables import BatchState, signers
from service.store.tables import permits
from tests.backends.conftest import HILIR, PASSPHRASE, Desk, set_up_bsre
from tests.backends.processes import living, log_of, signing, until
from tests.batch.hunting import in_memory, on_disk
from tests.signing.simulated import NIK, playing


@pytest.fixture
def world(tmp_path, keys, bsre_keys, database):
    """An office at the simulator; the web process is here, signing processes are others."""
    home, host = set_up_bsre(tmp_path, keys, bsre_keys, HILIR, 'backend = "bsre"', database)
    with playing(bsre_keys) as service:
        home.host(host(service.url))
        with closing(home.start(signing=False)) as teken:
            yield home, Desk(teken, HILIR, service)


def opened(desk: Desk, listed, processes: int = 1, passphrase: bytes = PASSPHRASE) -> batch.Batch:
    living(desk.teken, processes)
    return batch.open_batch(desk.teken, desk.head, listed, bytearray(passphrase))


def fall_silent(desk: Desk) -> None:
    """A minute later: what the dead process announced of itself and claimed is over. The living say it anew."""
    long_ago = stamp(datetime(2026, 1, 1, tzinfo=UTC))
    with desk.teken.db.write() as connection:
        connection.execute(update(signers).values(expires_at=long_ago))
        connection.execute(update(permits).where(permits.c.lease_until != "").values(lease_until=long_ago))


def settle(desk: Desk, permit: str) -> None:
    """Wait until whoever is left finds what the dead one left behind."""

    def in_the_tray() -> bool:
        batch_ends.tend(desk.teken)
        return desk.row(permit).queue == "person"

    until(in_the_tray, 120)


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("point", "reached"), [("after_record", 0), ("after_answer", 1), ("before_commit", 1)], ids=lambda one: str(one)
)
def test_killed_between_dispatch_and_answer(world, point, reached):
    """Whether it was signed is unknown: nothing leaves again, the head sees it, and after his word there is one permit."""
    home, desk = world
    ((permit, sha),) = desk.fill(1)
    with signing(home, fail_at=f"dispatch.{point}:1") as (process,):
        first = opened(desk, [(permit, sha)])
        assert process.wait(60) == -signal.SIGKILL, log_of(home)
    assert desk.service.requests("sign/pdf") == reached
    assert (desk.dispatches(permit), desk.row(permit).state) == (["dispatched"], State.SIGNING)
    fall_silent(desk)
    with signing(home):  # another process, which holds no secret of this batch
        settle(desk, permit)
        now = desk.row(permit)
        assert (now.state, now.fault, now.head_sha) == (State.NUMBERED, "outcome_unknown", None)
        assert desk.dispatches(permit) == ["unknown"]
        assert desk.told(permit) == ["sign_ordered", "dispatched", "dispatch_unknown", "order_withdrawn"]
        (item,) = batch.status(desk.teken, first.id).items
        assert (str(item.result), item.cause, item.retryable) == ("failed", "outcome_unknown", False)
        again = opened(desk, [(permit, sha)])
        (item,) = again.items
        assert (str(item.result), item.cause) == ("skipped", "resend_unconfirmed")
        assert desk.service.requests("sign/pdf") == reached
        confirm_resend(desk.teken, desk.head, permit)
        batch.retry_failed(desk.teken, desk.head, first.id, bytearray(PASSPHRASE))
        until(lambda: desk.row(permit).head_sha is not None)
    pipeline.drain(desk.teken, "work")
    assert (desk.row(permit).state, desk.released(permit)) == (State.IN_FORCE, 1)
    assert desk.service.requests("sign/pdf") == reached + 1
    assert desk.dispatches(permit) == ["resend_confirmed", "returned"]


@pytest.mark.heavy
def test_killed_after_the_commit_nothing_is_lost(world):
    home, desk = world
    ((permit, sha),) = desk.fill(1)
    with signing(home, fail_at="dispatch.after_commit:1") as (process,):
        opened(desk, [(permit, sha)])
        assert process.wait(60) == -signal.SIGKILL
    pipeline.drain(desk.teken, "work")
    assert (desk.row(permit).state, desk.dispatches(permit)) == (State.IN_FORCE, ["returned"])


@pytest.mark.heavy
def test_a_wrong_passphrase_reaches_the_service_once_with_two_processes(world):
    home, desk = world
    listed = desk.fill(4)
    with signing(home, 2):
        first = opened(desk, listed, 2, b"frasa yang salah")
        until(lambda: batch.status(desk.teken, first.id).state == BatchState.REFUSED)
        until(lambda: all(desk.row(permit).queue == "person" for permit, _ in listed))
        assert desk.service.requests("sign/pdf") == 1
        again = batch.resume(desk.teken, desk.head, first.id, bytearray(PASSPHRASE))
        until(lambda: batch.status(desk.teken, again.id).counts == {"signed": 4})
    assert sum(len(desk.dispatches(permit)) for permit, _ in listed) == 5
    assert {desk.dispatches(permit)[-1] for permit, _ in listed} == {"returned"}


@pytest.mark.heavy
def test_an_answer_that_comes_too_late_is_quarantined(world):
    """The permit was withdrawn while the service signed: the signature is kept, not released, and the journal says so."""
    from service.corrections import withdraw

    home, desk = world
    ((permit, sha),) = desk.fill(1)
    withdrawn = threading.Event()

    def holds_back():
        if request.path.endswith("sign/pdf"):
            withdrawn.wait(50)

    desk.service.app.before_request_funcs[None].append(holds_back)
    with signing(home):
        opened(desk, [(permit, sha)])
        until(lambda: desk.dispatches(permit) == ["dispatched"])
        withdraw(desk.teken, desk.client, permit, "pemohon membatalkan")
        withdrawn.set()
        until(lambda: desk.quarantined(permit))
        until(lambda: desk.dispatches(permit) == ["unknown"])
    now = desk.row(permit)
    assert (now.state, now.head_sha, desk.released(permit)) == (State.CLOSED, None, 0)
    assert desk.quarantined(permit) == ["claim_lost"]
    assert "answered_late" in desk.told(permit)


@pytest.mark.heavy
def test_the_passphrase_is_told_nobody_and_wiped_with_the_batch(world):
    """In the process's memory our copy is overwritten; what went into the request is text, which Python frees and nobody wipes."""
    home, desk = world
    listed = desk.fill(2)
    with signing(home) as (process,):
        first = opened(desk, listed)
        until(lambda: batch.status(desk.teken, first.id).state == BatchState.DONE)
        until(lambda: held(process.pid) <= 2)
    told = log_of(home).encode()
    assert PASSPHRASE not in told
    assert NIK.encode() not in told
    assert on_disk(home.folder / "home", PASSPHRASE) == []
    assert on_disk(home.folder / "home", NIK.encode()) == []


def held(pid: int) -> int:
    return sum(in_memory(pid, PASSPHRASE).values())
