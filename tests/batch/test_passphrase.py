"""A wrong passphrase: one attempt reaches the key, the batch is refused, nothing is tried again until somebody types."""

from __future__ import annotations

import contextlib

import pytest

from service import batch, batch_ends, batch_order
from service.store import StoreBusy, batches
from service.store.batch_tables import BatchState
from tests.support.office import row
from tests.support.servers import database, postgres  # noqa: F401 - fixtures

from .conftest import typed_only
from .test_batch import sealed


@pytest.fixture
def attempts(monkeypatch):
    """What reaches a person's key: (file, passphrase)."""
    import service.keys

    seen, real = [], service.keys.open_pkcs12

    def opened(path, passphrase):
        if "segel" not in path.name:
            seen.append((path.name, bytes(passphrase)))
        return real(path, passphrase)

    monkeypatch.setattr(service.keys, "open_pkcs12", opened)
    return seen


@pytest.fixture
def second(tray, tmp_path, keys):
    """Another signing process over the same database."""
    teken = typed_only(tmp_path, keys, tray.teken.settings.database_url, tray.clock)
    yield teken
    teken.close()


def sign_in_turns(*tekens) -> None:
    from service import pipeline

    while any([pipeline.advance(teken, "sign") for teken in tekens]):
        pass


def test_exactly_one_attempt_reaches_the_key(tray, second, attempts):
    sign_in_turns(second)
    listed = tray.fill(3)
    opened = tray.open(listed, b"salah")
    assert sealed(tray) == 2
    for _ in range(4):
        sign_in_turns(second, tray.teken)
        tray.tend()
    assert [given for _, given in attempts] == [b"salah"]
    refused = tray.status(opened)
    assert (refused.state, refused.cause, refused.counts) == (BatchState.REFUSED, "passphrase_wrong", {"waiting": 3})
    assert sealed(tray) == 0
    assert {(tray.state(permit), row(tray.teken, permit).queue) for permit, _ in listed} == {("numbered", "person")}
    assert tray.told(opened) == ["batch.opened", "batch.refused"]


def test_the_right_one_afterwards_works(tray, second, attempts):
    sign_in_turns(second)
    opened = tray.open(tray.fill(3), b"salah")
    sign_in_turns(tray.teken, second)
    tray.resume(opened)
    sign_in_turns(tray.teken, second)
    assert tray.status(opened).counts == {"signed": 3}
    assert [given for _, given in attempts].count(b"salah") == 1
    assert len(attempts) == 3  # then each process opens its own copy of the key


def test_the_others_wait_for_the_proof(tray, second, attempts, monkeypatch):
    sign_in_turns(second)
    opened = tray.open(tray.fill(2))
    real = type(tray.teken.keys).open_with

    def slow(keys, *given):
        monkeypatch.undo()
        sign_in_turns(second)  # meanwhile the other looks, and finds nothing to do
        assert attempts == []
        assert tray.status(opened).state == BatchState.PROVING
        return real(keys, *given)

    monkeypatch.setattr(type(tray.teken.keys), "open_with", slow)
    tray.sign()
    assert tray.status(opened).counts == {"signed": 2}


def test_a_refused_ciphertext_put_back_by_a_thief_is_not_tried_again(tray, attempts):
    """Whoever can write to the database restores the row and the state: this process has seen it, any other can't read it."""
    tray.open(tray.fill(1), b"salah")
    with tray.teken.db.read() as connection:
        kept = [dict(one._mapping) for one in connection.execute(batches.sealed_secrets.select())]
    tray.sign()
    with tray.teken.db.write() as connection:
        connection.execute(batches.sealed_secrets.insert(), kept)
        connection.execute(batches.batches.update().values(state="open", cause=None))
    tray.sign()
    assert len(attempts) == 1


def test_a_paused_ciphertext_put_back_by_a_thief_signs_nothing(tray):
    opened = tray.open(tray.fill(2))
    with tray.teken.db.read() as connection:
        kept = [dict(one._mapping) for one in connection.execute(batches.sealed_secrets.select())]
    tray.sign(1)
    batch.pause(tray.teken, tray.head, opened.id)
    tray.sign()
    with tray.teken.db.write() as connection:
        connection.execute(batches.sealed_secrets.insert(), kept)
        connection.execute(batches.batches.update().values(state="running", cause=None))
    tray.sign()
    assert tray.status(opened).counts == {"signed": 1, "waiting": 1}


def test_a_broken_ciphertext_signs_nothing_and_the_batch_ends(tray, attempts):
    opened = tray.open(tray.fill(1))
    with tray.teken.db.write() as connection:
        connection.execute(batches.sealed_secrets.update().values(ciphertext="AAAA"))
    tray.sign()
    assert attempts == []
    assert (tray.status(opened).state, tray.status(opened).cause) == (BatchState.PAUSED, "handover_refused")


def test_a_host_without_the_key_leaves_it_to_the_other(tray, second, keys, tmp_path, attempts):
    import shutil

    bare = tmp_path / "bare"
    shutil.copytree(keys, bare)
    for file in bare.glob("rokan-hilir*.p12"):
        file.unlink()
    tray.teken.keys.ring.folder = bare
    sign_in_turns(second)
    opened = tray.open(tray.fill(2))
    sign_in_turns(tray.teken, second)
    assert tray.status(opened).counts == {"signed": 2}
    assert len(attempts) == 1


def test_if_no_host_has_the_key_the_batch_pauses_with_the_cause(tray, tmp_path):
    (tmp_path / "empty").mkdir()
    opened = tray.open(tray.fill(1))
    tray.teken.keys.ring.folder = tmp_path / "empty"
    tray.sign()
    assert (tray.status(opened).state, tray.status(opened).cause) == (BatchState.PAUSED, "key_missing")


def test_a_prover_that_dies_leaves_no_second_attempt(tray, second, attempts):
    """Whether its attempt reached the key is unknown: nobody tries again until somebody types."""
    sign_in_turns(second)
    opened = tray.open(tray.fill(1))
    with tray.teken.db.write() as connection:
        batches.become(connection, opened.id, [BatchState.OPEN], BatchState.PROVING, prover=second.custody.id)
    tray.clock.forward(seconds=61)
    tray.sign()
    tray.tend()
    assert (tray.status(opened).state, tray.status(opened).cause) == (BatchState.PAUSED, "prover_died")
    assert attempts == []


@pytest.mark.parametrize(("given", "ends"), [(None, "done"), (b"salah", "refused")])
@pytest.mark.parametrize("busy_at", [2, 3, 4])
def test_a_database_that_is_busy_just_then_costs_no_second_attempt(tray, attempts, monkeypatch, given, ends, busy_at):
    """What the one attempt found is written at the next look."""
    opened = tray.open(tray.fill(2), given)
    real, calls = tray.teken.db.write, iter(range(1, 1000))

    def write():
        if next(calls) == busy_at:
            raise StoreBusy("locked")
        return real()

    monkeypatch.setattr(tray.teken.db, "write", write)
    for _ in range(4):
        with contextlib.suppress(StoreBusy):
            tray.sign()
    monkeypatch.undo()
    tray.tend()
    assert str(tray.status(opened).state) == ends
    assert len(attempts) == 1


def test_a_database_that_is_busy_while_ordering_pauses_the_batch(tray, monkeypatch):
    listed = tray.fill(3)
    real, left = batch_order.order_plain, [1]

    def order(*given):
        if not left:
            left.append(1)
            raise StoreBusy("locked")
        left.pop()
        return real(*given)

    monkeypatch.setattr(batch_order, "CHUNK", 1)
    monkeypatch.setattr(batch_order, "order_plain", order)
    opened = tray.open(listed)
    monkeypatch.undo()
    assert (opened.state, opened.cause) == (BatchState.PAUSED, "handover_interrupted")
    assert {tray.state(permit) for permit, _ in listed} == {"numbered"}
    tray.resume(opened)
    tray.sign()
    assert tray.status(opened).counts == {"signed": 3}


def test_when_all_signers_are_gone_the_batch_pauses_and_the_tray_is_whole(tray):
    listed = tray.fill(2)
    opened = tray.open(listed)
    tray.sign(1)
    from service.custody import Custody

    object.__setattr__(
        tray.teken, "custody", Custody(tray.teken.custody._identity, tray.teken.custody._web_pins)
    )  # restarted: it holds nothing
    tray.sign()
    assert tray.status(opened).counts == {"signed": 1, "waiting": 1}
    tray.clock.forward(seconds=61)
    tray.sign()
    batch_ends.tend(tray.teken)
    paused = tray.status(opened)
    assert (paused.state, paused.cause) == (BatchState.PAUSED, "no_signer")
    assert sorted(tray.state(permit) for permit, _ in listed) == ["numbered", "signed"]
    tray.resume(opened)
    tray.sign()
    assert tray.status(opened).counts == {"signed": 2}


def test_a_web_process_that_dies_while_handing_over_leaves_nothing_hanging(tray, monkeypatch):
    listed = tray.fill(2)
    monkeypatch.setattr(batch_order, "hand_over", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        tray.open(listed)
    monkeypatch.undo()
    tray.sign()
    with tray.teken.db.read() as connection:
        (left,) = connection.execute(batches.batches.select()).all()
    tray.clock.forward(minutes=5, seconds=1)
    tray.sign()
    tray.tend()
    assert tray.status(left).cause == "handover_interrupted"
    assert {tray.state(permit) for permit, _ in listed} == {"numbered"}
    tray.resume(left)
    tray.sign()
    assert tray.status(left).counts == {"signed": 2}
