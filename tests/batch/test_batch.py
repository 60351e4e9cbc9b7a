"""One authorisation, one result per document: the whole life of a batch, on SQLite and PostgreSQL."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from service import acts, batch, corrections, pipeline
from service.batch import NoSigner, PassphraseUnfit
from service.errors import Conflict, Invalid, NotFound
from service.permits import State
from service.steps import STEPS
from service.store.batch_tables import BatchState, Result, sealed_secrets
from service.store.tables import documents
from tests.support.office import client_of, holder, payload, play, post, row, take_turn, work

from .conftest import OFFICE


def sealed(tray) -> int:
    with tray.teken.db.read() as connection:
        return len(connection.execute(select(sealed_secrets)).all())


def results(found) -> list[str]:
    return [str(item.result) for item in found.items]


def test_a_whole_tray_is_signed_with_one_passphrase(tray):
    listed = tray.fill(5)
    opened = tray.open(listed)
    assert (opened.state, opened.counts) == (BatchState.OPEN, {"waiting": 5})
    assert sealed(tray) == 1
    work(tray.teken)
    done = tray.status(opened)
    assert (done.state, done.counts, done.cause) == (BatchState.DONE, {"signed": 5}, None)
    assert [item.permit for item in done.items] == [permit for permit, _ in listed]
    assert sealed(tray) == 0
    assert all(row(tray.teken, permit).released_sha for permit, _ in listed)
    assert tray.told(opened) == ["batch.opened", "batch.proved", "batch.done"]


def test_one_document_is_a_batch_of_one(tray):
    opened = tray.open(tray.fill(1))
    tray.sign()
    assert tray.status(opened).counts == {"signed": 1}


def test_the_passphrase_is_wiped_whatever_happens(tray):
    given = bytearray(tray.passphrase)
    batch.open_batch(tray.teken, tray.head, tray.fill(1), given)
    assert given == bytes(len(given))
    for wrong in ([], [("x", "0" * 64)] * 2):
        given = bytearray(tray.passphrase)
        with pytest.raises(Invalid):
            batch.open_batch(tray.teken, tray.head, wrong, given)
        assert given == bytes(len(given))


def test_without_a_batch_nothing_signs_where_only_typed_passphrases_count(tray):
    """acts.order_signature needs the development file; here there is none, so the key stays shut."""
    ((permit, seen),) = tray.fill(1)
    acts.order_signature(tray.teken, tray.head, permit, seen_sha=seen)
    for _ in range(10):
        tray.sign()
    assert (tray.state(permit), row(tray.teken, permit).fault) == (State.PARKED, "key_missing")


def test_what_changed_since_it_was_read_is_skipped_with_the_cause(tray):
    listed = tray.fill(3)
    changed, withdrawn, good = listed
    corrections.withdraw(tray.teken, tray.client, withdrawn[0], "batal")
    opened = tray.open([(changed[0], "0" * 64), withdrawn, good])
    assert [(i.result, i.cause) for i in opened.items] == [
        (Result.SKIPPED, "seen_differs"),
        (Result.SKIPPED, "state_forbids"),
        (Result.WAITING, None),
    ]
    tray.sign()
    assert tray.status(opened).counts == {"skipped": 2, "signed": 1}
    assert tray.status(opened).state == BatchState.DONE
    assert tray.state(changed[0]) == State.NUMBERED


def test_if_nothing_can_be_ordered_the_batch_is_done_and_nothing_is_sealed(tray):
    ((permit, _),) = tray.fill(1)
    opened = tray.open([(permit, "0" * 64)])
    assert (opened.state, sealed(tray)) == (BatchState.DONE, 0)


def test_an_outsider_opens_nothing(tray):
    listed = tray.fill(1)
    with pytest.raises(NotFound):
        batch.open_batch(tray.teken, "rokan-hilir/nobody", listed, bytearray(tray.passphrase))
    other = holder(tray.teken, "malang", "kepala_dinas")
    opened = batch.open_batch(tray.teken, other, listed, bytearray(tray.passphrase))
    assert [(i.result, i.cause) for i in opened.items] == [(Result.SKIPPED, "official_unknown")]
    assert tray.state(listed[0][0]) == State.NUMBERED


def test_anothers_batch_is_unknown(tray):
    opened = tray.open(tray.fill(1))
    other = holder(tray.teken, "malang", "kepala_dinas")
    for act in (batch.pause, batch.stop_after_this):
        with pytest.raises(NotFound):
            act(tray.teken, other, opened.id)
    for act in (batch.resume, batch.retry_failed):
        with pytest.raises(NotFound):
            act(tray.teken, other, opened.id, bytearray(b"x"))
    with pytest.raises(NotFound):
        batch.status(tray.teken, "bch_none")


@pytest.mark.parametrize("length", [0, 256])
def test_an_unfit_passphrase_orders_nothing(tray, length):
    listed = tray.fill(1)
    with pytest.raises(PassphraseUnfit):
        batch.open_batch(tray.teken, tray.head, listed, bytearray(b"x" * length))
    assert tray.state(listed[0][0]) == State.NUMBERED


def test_pause_and_resume(tray):
    listed = tray.fill(4)
    opened = tray.open(listed)
    tray.sign(2)
    paused = batch.pause(tray.teken, tray.head, opened.id)
    assert (paused.state, paused.counts, paused.cause) == (
        BatchState.PAUSED,
        {"signed": 2, "waiting": 2},
        "by_official",
    )
    assert sealed(tray) == 0
    assert [tray.state(permit) for permit, _ in listed].count("numbered") == 2
    work(tray.teken)
    assert tray.status(opened).counts == {"signed": 2, "waiting": 2}
    assert tray.teken.custody.batches(tray.clock.now()) == frozenset()
    assert tray.resume(opened).state == BatchState.OPEN
    tray.sign()
    assert (tray.status(opened).state, tray.status(opened).counts) == (BatchState.DONE, {"signed": 4})


def test_what_is_signed_elsewhere_while_paused_is_skipped(tray):
    listed = tray.fill(2)
    opened = tray.open(listed)
    batch.pause(tray.teken, tray.head, opened.id)
    second = tray.open(listed[:1])
    tray.sign()
    assert tray.status(second).counts == {"signed": 1}
    tray.resume(opened)
    tray.sign()
    assert tray.status(opened).counts == {"skipped": 1, "signed": 1}


def test_stop_after_this_ends_for_good(tray):
    listed = tray.fill(3)
    opened = tray.open(listed)
    tray.sign(1)
    stopped = batch.stop_after_this(tray.teken, tray.head, opened.id)
    assert (stopped.state, stopped.counts) == (BatchState.STOPPED, {"signed": 1, "skipped": 2})
    assert {item.cause for item in stopped.items if item.result == Result.SKIPPED} == {"batch_stopped"}
    with pytest.raises(Conflict):
        tray.resume(opened)
    rest = [one for one in listed if tray.state(one[0]) == State.NUMBERED]
    assert len(rest) == 2
    again = tray.open(rest)
    tray.sign()
    assert tray.status(again).counts == {"signed": 2}


def test_a_paused_batch_can_be_stopped(tray):
    opened = tray.open(tray.fill(1))
    batch.pause(tray.teken, tray.head, opened.id)
    stopped = batch.stop_after_this(tray.teken, tray.head, opened.id)
    assert (stopped.state, stopped.counts) == (BatchState.STOPPED, {"skipped": 1})


@pytest.mark.parametrize("act", [batch.pause, batch.stop_after_this])
def test_what_is_over_is_neither_paused_nor_stopped(tray, act):
    opened = tray.open(tray.fill(1))
    tray.sign()
    with pytest.raises(Conflict, match="batch_state_forbids"):
        act(tray.teken, tray.head, opened.id)


@pytest.mark.parametrize("act", [batch.pause, batch.stop_after_this])
def test_the_document_at_hand_is_finished(tray, act, monkeypatch):
    """Paused or stopped in the middle of a signature: that one counts, the next is not begun."""
    opened = tray.open(tray.fill(3))
    tray.sign(0)
    real = STEPS["sign"]

    def sign(teken, work_):
        monkeypatch.setitem(STEPS, "sign", real)
        act(teken, tray.head, opened.id)
        return real(teken, work_)

    monkeypatch.setitem(STEPS, "sign", sign)
    tray.sign()
    tray.tend()
    assert tray.status(opened).counts.get("signed") == 1
    assert tray.status(opened).state == {batch.pause: BatchState.PAUSED, batch.stop_after_this: BatchState.STOPPED}[act]


def test_retry_takes_the_failed_ones_only(tray, monkeypatch):
    listed = tray.fill(3)
    opened = tray.open(listed)
    broken = listed[1][0]
    real = STEPS["sign"]

    def sign(teken, work_):
        if work_.row.id == broken:
            raise OSError("disk")
        return real(teken, work_)

    monkeypatch.setitem(STEPS, "sign", sign)
    for _ in range(10):
        tray.sign()
    failed = tray.status(opened)
    assert (failed.state, failed.counts) == (BatchState.DONE, {"signed": 2, "failed": 1})
    assert [(i.permit, i.cause, i.retryable) for i in failed.items if i.result == Result.FAILED] == [
        (broken, "internal:OSError", True)
    ]
    assert (tray.state(broken), row(tray.teken, broken).queue) == (State.NUMBERED, "person")
    monkeypatch.setitem(STEPS, "sign", real)
    again = batch.retry_failed(tray.teken, tray.head, opened.id, bytearray(tray.passphrase))
    assert again.counts == {"signed": 2, "waiting": 1}
    tray.sign()
    assert (tray.status(opened).state, tray.status(opened).counts) == (BatchState.DONE, {"signed": 3})
    with pytest.raises(Conflict):
        batch.retry_failed(tray.teken, tray.head, opened.id, bytearray(tray.passphrase))


def test_a_passing_failure_is_tried_again_within_the_window(tray, monkeypatch):
    opened = tray.open(tray.fill(2))
    real, left = STEPS["sign"], [OSError("away"), OSError("away")]

    def sign(teken, work_):
        if left:
            raise left.pop()
        return real(teken, work_)

    monkeypatch.setitem(STEPS, "sign", sign)
    for _ in range(5):
        tray.sign()
    assert tray.status(opened).counts == {"signed": 2}


def test_the_window_ends(tray):
    listed = tray.fill(3)
    opened = tray.open(listed)
    tray.sign(1)
    tray.clock.forward(minutes=29, seconds=59)
    tray.sign(1)
    tray.clock.forward(seconds=1)
    tray.sign()
    assert tray.status(opened).counts == {"signed": 2, "waiting": 1}
    tray.tend()
    over = tray.status(opened)
    assert (over.state, over.cause, sealed(tray)) == (BatchState.EXPIRED, "window_over", 0)
    assert sorted(tray.state(permit) for permit, _ in listed) == ["numbered", "signed", "signed"]
    tray.resume(opened)
    tray.sign()
    assert tray.status(opened).counts == {"signed": 3}


def test_the_clock_set_back_does_not_lengthen_the_window(tray, monkeypatch):
    opened = tray.open(tray.fill(2))
    tray.sign(1)
    import service.custody

    at = service.custody.time.monotonic()
    monkeypatch.setattr(service.custody.time, "monotonic", lambda: at + 31 * 60)
    tray.sign()  # the host's clock stands where it stood
    assert tray.status(opened).counts == {"signed": 1, "waiting": 1}


def test_a_document_that_fails_our_own_proof_stops_the_batch(tray, monkeypatch):
    """Issue reads back what was signed; a mismatch means that more of the kind would follow."""
    import importlib

    from signing import ProofFailed

    proving = importlib.import_module("service.steps.proving")

    def mismatch(*_):
        raise ProofFailed("proof_prefix")

    listed = tray.fill(3)
    opened = tray.open(listed)
    tray.sign(1)
    monkeypatch.setattr(proving, "prove", mismatch)
    pipeline.drain(tray.teken, "sign", limit=1)  # its seal, where there is one
    pipeline.advance(tray.teken, "work")
    found = tray.status(opened)
    assert (found.state, found.cause) == (BatchState.STOPPED, "proof_mismatch")
    assert found.counts.get("skipped", 0) >= 1


@pytest.mark.heavy
@pytest.mark.parametrize("kind", [("malang", "sik-perekam-medis"), ("rokan-hulu", "surat-izin-perekam-medik")])
def test_a_tray_of_other_procedures(tray, kind):
    """Number after the signature, and approval before it: paused, resumed, signed, issued."""
    tray.client = client_of(tray.teken, kind[0])
    ids = [post(tray.teken, tray.client, payload(*kind, f"LAIN-{n}")).body["id"] for n in range(2)]
    for permit in ids:
        until_signature(tray.teken, permit)
    head = holder(tray.teken, kind[0], "kepala_dinas")
    listed = [(permit, row(tray.teken, permit).final_sha) for permit in ids]
    opened = batch.open_batch(tray.teken, head, listed, bytearray(tray.passphrase))
    before = [tray.state(permit) for permit in ids]
    batch.pause(tray.teken, head, opened.id)
    assert before == ["signing", "signing"]
    assert {row(tray.teken, permit).queue for permit in ids} == {"person"}
    batch.resume(tray.teken, head, opened.id, bytearray(tray.passphrase))
    for permit in ids:
        play(tray.teken, permit)
    assert tray.status(opened).counts == {"signed": 2}
    assert all(row(tray.teken, permit).released_sha for permit in ids)


def until_signature(teken, permit: str) -> None:
    """Everybody acts until the head's turn."""
    while True:
        work(teken)
        now = row(teken, permit)
        plan = teken.pins.open(now.pin).permit_type.procedure.plan
        if now.queue == "person" and plan[now.position].verb == "sign":
            return
        assert take_turn(teken, permit)


def test_a_permit_withdrawn_while_it_waits_is_skipped(tray):
    listed = tray.fill(2)
    opened = tray.open(listed)
    corrections.withdraw(tray.teken, tray.client, listed[0][0], "batal")
    tray.sign()
    tray.tend()
    found = tray.status(opened)
    assert (found.state, results(found)) == (BatchState.DONE, ["skipped", "signed"])
    assert found.items[0].cause == "order_lapsed"


def test_nothing_is_ordered_without_a_living_signer(tray):
    listed = tray.fill(1)
    tray.clock.forward(minutes=2)
    with pytest.raises(NoSigner):
        tray.open(listed)
    assert tray.state(listed[0][0]) == State.NUMBERED


def test_each_document_is_released_once(tray):
    listed = tray.fill(3)
    tray.open(listed)
    work(tray.teken)
    with tray.teken.db.read() as connection:
        released = connection.execute(select(documents.c.permit)).scalars().all()
    assert sorted(released) == sorted(permit for permit, _ in listed)
    assert OFFICE
