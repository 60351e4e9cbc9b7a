"""What somebody who can write to the database gets: no secret, no signature, no longer list."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import insert, select, update

from service import audit, batch, signers
from service.batch import NoSigner
from service.errors import Conflict
from service.handover import HandoverBroken, Sealed, unseal
from service.identity import LIFETIME, Announcement, Identity, decoded, encoded
from service.permits import State
from service.store.batch_tables import BatchState, Result, batch_items, batches, sealed_secrets
from service.store.batch_tables import signers as table
from service.store.tables import permits
from tests.support.office import row, work


def sealed_to(tray) -> list[str]:
    with tray.teken.db.read() as connection:
        return list(connection.execute(select(sealed_secrets.c.signer)).scalars())


def put(tray, said: Announcement) -> None:
    with tray.teken.db.write() as connection:
        connection.execute(table.delete().where(table.c.id == said.id))
        connection.execute(insert(table).values(**asdict(said)))


def genuine(tray) -> Announcement:
    with tray.teken.db.read() as connection:
        return Announcement(**connection.execute(select(table)).one()._mapping)


@pytest.fixture
def thief() -> X25519PrivateKey:
    return X25519PrivateKey.generate()


def public(key: X25519PrivateKey) -> str:
    return encoded(key.public_key().public_bytes_raw())


def test_his_own_identity_receives_nothing(tray, thief, tmp_path):
    listed = tray.fill(1)
    own = Identity.at(tmp_path / "thief.key").announce("sgn_thief", decoded(public(thief)), tray.clock.now())
    put(tray, own)
    tray.open(listed)
    assert sealed_to(tray) == [tray.teken.custody.id]


def test_a_row_of_his_alone_is_no_signer(tray, thief, tmp_path):
    listed = tray.fill(1)
    with tray.teken.db.write() as connection:
        signers.leave(connection, tray.teken.custody.id)
    put(tray, Identity.at(tmp_path / "thief.key").announce("sgn_thief", decoded(public(thief)), tray.clock.now()))
    with pytest.raises(NoSigner):
        tray.open(listed)
    assert tray.state(listed[0][0]) == State.NUMBERED


@pytest.mark.parametrize("change", ["key", "key and id", "later", "key of a pinned host's old row"])
def test_a_genuine_row_changed_or_played_again_receives_nothing(tray, thief, change):
    listed, said = tray.fill(1), genuine(tray)
    if change == "later":
        tray.clock.forward(seconds=LIFETIME.total_seconds())
        put(tray, said)
    elif change.startswith("key of"):
        tray.clock.forward(seconds=LIFETIME.total_seconds())
        put(tray, replace(said, public_key=public(thief), expires_at=genuine(tray).expires_at))
    else:
        put(tray, replace(said, public_key=public(thief), id="sgn_thief" if "id" in change else said.id))
        if "id" in change:
            tray.open(listed)
            assert sealed_to(tray) == [said.id]
            return
    with pytest.raises(NoSigner):
        tray.open(listed)
    assert sealed_to(tray) == []


def test_what_is_stored_does_not_open_with_another_key(tray, thief):
    tray.open(tray.fill(1))
    with tray.teken.db.read() as connection:
        kept = connection.execute(select(sealed_secrets)).one()
    with pytest.raises(HandoverBroken):
        unseal(Sealed(kept.batch, kept.signer, decoded(kept.sender_key), decoded(kept.ciphertext)), thief)


def add_to(tray, opened, permit, seen) -> None:
    """As the batch's own documents stand: ordered, signing, due."""
    with tray.teken.db.write() as connection:
        item = {
            "batch": opened.id,
            "permit": permit,
            "position": 99,
            "seen_sha": seen,
            "ordered": 1,
            "result": "waiting",
        }
        connection.execute(insert(batch_items).values(**item))
        order = {"state": "signing", "queue": "sign", "ordered_sha": seen}
        connection.execute(update(permits).where(permits.c.id == permit).values(**order))


def test_a_document_added_to_a_running_batch_is_not_signed(tray):
    listed = tray.fill(4)
    added, opened = listed[3], tray.open(listed[:3])
    tray.sign(1)
    add_to(tray, opened, *added)
    tray.sign()
    done = tray.status(opened)
    assert (done.state, done.counts) == (BatchState.DONE, {"signed": 3, "failed": 1})
    assert [(i.permit, i.cause, i.retryable) for i in done.items if i.result == Result.FAILED] == [
        (added[0], "not_on_sealed_list", False)
    ]
    assert row(tray.teken, added[0]).head_sha is None
    assert tray.state(added[0]) == State.NUMBERED
    with pytest.raises(Conflict):
        batch.retry_failed(tray.teken, tray.head, opened.id, bytearray(tray.passphrase))


def test_other_bytes_under_a_listed_permit_are_not_signed(tray):
    listed = tray.fill(2)
    other = listed[1][1]
    opened = tray.open(listed[:1])
    with tray.teken.db.write() as connection:
        connection.execute(
            update(permits).where(permits.c.id == listed[0][0]).values(ordered_sha=other, final_sha=other)
        )
    tray.sign()
    assert tray.status(opened).counts == {"failed": 1}
    assert row(tray.teken, listed[0][0]).head_sha is None


def test_an_order_outside_every_batch_is_not_signed(tray):
    """Without an item it is a single order, which only a passphrase file (development) could carry out."""
    listed = tray.fill(2)
    tray.open(listed[:1])
    with tray.teken.db.write() as connection:
        order = {"state": "signing", "queue": "sign", "ordered_sha": listed[1][1]}
        connection.execute(update(permits).where(permits.c.id == listed[1][0]).values(**order))
    for _ in range(10):
        tray.sign()
    assert (row(tray.teken, listed[1][0]).fault, row(tray.teken, listed[1][0]).head_sha) == ("key_missing", None)


def test_a_list_lengthened_while_it_pauses_is_not_gone_on_with(tray):
    listed = tray.fill(2)
    opened = tray.open(listed[:1])
    batch.pause(tray.teken, tray.head, opened.id)
    with tray.teken.db.write() as connection:
        item = {
            "batch": opened.id,
            "permit": listed[1][0],
            "position": 9,
            "seen_sha": listed[1][1],
            "result": "waiting",
        }
        connection.execute(insert(batch_items).values(**item))
    with pytest.raises(Conflict, match="batch_altered"):
        tray.resume(opened)
    with tray.teken.db.write() as connection:
        forged = encoded(b"x" * 64)
        connection.execute(update(batches).values(vouch=forged))
    with pytest.raises(Conflict, match="batch_altered"):
        tray.resume(opened)
    assert {tray.state(permit) for permit, _ in listed} == {State.NUMBERED}


def test_a_batch_given_to_another_official_signs_nothing(tray):
    opened = tray.open(tray.fill(1))
    batch.pause(tray.teken, tray.head, opened.id)
    with tray.teken.db.write() as connection:
        connection.execute(update(batches).values(official="malang/kadis"))
    with pytest.raises(Exception, match=r"batch_altered|batch_unknown|not_found"):
        batch.resume(tray.teken, "malang/kadis", opened.id, bytearray(tray.passphrase))


def test_an_honest_batch_with_every_turn_leaves_nothing_for_the_auditor(tray):
    listed = tray.fill(4)
    opened = tray.open(listed, b"salah")
    tray.sign()
    tray.resume(opened)
    tray.sign(1)
    batch.pause(tray.teken, tray.head, opened.id)
    tray.resume(opened)
    tray.sign(1)
    batch.stop_after_this(tray.teken, tray.head, opened.id)
    tray.open([one for one in listed if tray.state(one[0]) == State.NUMBERED])
    work(tray.teken)
    assert audit.audit(tray.teken).violations == ()
