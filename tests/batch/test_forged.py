"""Who can write to the database but has no web host's key: what he seals, changes, keeps back or plays again reaches no key."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import delete, insert, select, update

from service import batch
from service.handover import Authority, Recipient, Sealed, seal, signed
from service.identity import Identity, decoded, encoded
from service.store.batch_tables import BatchState, batches, sealed_secrets, signers
from service.store.tables import permits
from tests.support.office import row

from .test_passphrase import attempts, second, sign_in_turns  # noqa: F401 - fixtures


def rows(tray) -> list[dict]:
    with tray.teken.db.read() as connection:
        return [dict(one._mapping) for one in connection.execute(select(sealed_secrets))]


def put(tray, *kept: dict) -> None:
    """In the place of whatever is there."""
    with tray.teken.db.write() as connection:
        connection.execute(delete(sealed_secrets))
        connection.execute(insert(sealed_secrets), list(kept))


def reopened(tray) -> None:
    with tray.teken.db.write() as connection:
        connection.execute(update(batches).values(state="open", cause=None, prover=None))


def own_seal(tray, opened, listed) -> Sealed:
    """Anybody can seal to a public key."""
    with tray.teken.db.read() as connection:
        to = connection.execute(select(signers)).one()
    documents = tuple((permit, sha, row(tray.teken, permit).verify_url) for permit, sha in listed)
    forged = Authority(opened.id, opened.official, "0" * 64, "2030-01-01T00:00:00.000000Z", documents)
    (own,) = seal(forged, bytearray(b"tebakan"), [Recipient(to.id, decoded(to.public_key))])
    return own


def stored(sealed: Sealed) -> dict:
    keys = {"sender_key": encoded(sealed.sender_key), "ciphertext": encoded(sealed.ciphertext)}
    word = {"host_key": sealed.host_key, "sealed_at": sealed.sealed_at, "signature": sealed.signature}
    return {"batch": sealed.batch, "signer": sealed.signer, **keys, **word}


def by_his_own_host(tray, own: Sealed, tmp_path) -> Sealed:
    return signed(own, Identity.at(tmp_path / "thief.key"), tray.clock.now())


def by_a_signing_hosts_word(tray, own: Sealed, tmp_path) -> Sealed:
    """A signing host's identity is no web host's: even its own key may not hand over."""
    return signed(own, tray.teken.custody._identity, tray.clock.now())


def by_a_genuine_word_of_another_seal(tray, own: Sealed, tmp_path) -> Sealed:
    (genuine,) = rows(tray)
    return replace(own, **{name: genuine[name] for name in ("host_key", "sealed_at", "signature")})


def by_the_pinned_name_alone(tray, own: Sealed, tmp_path) -> Sealed:
    (genuine,) = rows(tray)
    return replace(by_his_own_host(tray, own, tmp_path), host_key=genuine["host_key"])


def by_nobody(tray, own: Sealed, tmp_path) -> Sealed:
    return own


FORGERIES = (
    by_nobody,
    by_his_own_host,
    by_a_signing_hosts_word,
    by_a_genuine_word_of_another_seal,
    by_the_pinned_name_alone,
)


@pytest.mark.parametrize("forge", FORGERIES)
def test_a_forged_row_reaches_no_key_and_the_batch_pauses(tray, attempts, tmp_path, forge):  # noqa: F811
    listed = tray.fill(1)
    opened = tray.open(listed)
    put(tray, stored(forge(tray, own_seal(tray, opened, listed), tmp_path)))
    tray.sign()
    assert attempts == []
    assert (tray.status(opened).state, tray.status(opened).cause) == (BatchState.PAUSED, "handover_refused")
    assert rows(tray) == []
    tray.resume(opened)
    tray.sign()
    assert tray.status(opened).counts == {"signed": 1}


@pytest.mark.parametrize("forge", FORGERIES)
def test_a_forged_row_in_the_place_of_what_was_taken_disturbs_nothing(tray, attempts, tmp_path, forge):  # noqa: F811
    listed = tray.fill(3)
    opened = tray.open(listed)
    tray.sign(1)
    put(tray, stored(forge(tray, own_seal(tray, opened, listed), tmp_path)))
    tray.sign()
    assert tray.status(opened).counts == {"signed": 3}
    assert len(attempts) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"ciphertext": encoded(b"x" * 900)},
        {"ciphertext": "?"},
        {"sender_key": encoded(b"k" * 32)},
        {"sealed_at": "2026-11-20T02:00:04.000000Z"},
        {"sealed_at": "kapan-kapan"},
        {"signature": ""},
        {"host_key": ""},
    ],
)
def test_a_changed_row_reaches_no_key(tray, attempts, change):  # noqa: F811
    opened = tray.open(tray.fill(1))
    (genuine,) = rows(tray)
    put(tray, genuine | change)
    tray.sign()
    assert attempts == []
    assert tray.status(opened).cause == "handover_refused"


def test_what_was_sealed_for_another_batch_reaches_no_key(tray, attempts):  # noqa: F811
    first, second_ = (tray.open([one]) for one in tray.fill(2))
    kept = {one["batch"]: one for one in rows(tray)}
    put(tray, kept[first.id] | {"batch": second_.id})
    tray.sign()
    assert attempts == []
    assert tray.status(second_).cause == "handover_refused"


@pytest.mark.parametrize("seconds", [301, 1700, -31])
def test_what_was_kept_back_is_stale(tray, attempts, seconds):  # noqa: F811
    opened = tray.open(tray.fill(1))
    tray.clock.forward(seconds=seconds)
    tray.teken.custody._announced = None
    tray.sign()
    assert attempts == []
    assert tray.status(opened).cause == "handover_refused"


def test_what_was_kept_back_is_not_taken_after_what_was_sealed_later(tray, attempts):  # noqa: F811
    """He withholds a mistyped passphrase and shows it once the right one is at work."""
    opened = tray.open(tray.fill(2), b"salah")
    kept = rows(tray)
    put(tray, kept[0] | {"signer": "sgn_away"})
    batch.pause(tray.teken, tray.head, opened.id)
    tray.clock.forward(seconds=5)
    tray.resume(opened)
    tray.sign(1)
    put(tray, *kept)
    tray.sign()
    assert [given for _, given in attempts] == [tray.passphrase]
    assert tray.status(opened).counts == {"signed": 2}


def test_a_seal_counts_once(tray, attempts):  # noqa: F811
    tray.open(tray.fill(1), b"salah")
    kept = rows(tray)
    tray.sign()
    for _ in range(3):
        put(tray, *kept)
        reopened(tray)
        tray.sign()
    assert len(attempts) == 1


def test_a_signing_host_that_pins_nobody_takes_nothing(tray, attempts):  # noqa: F811
    tray.teken.settings.web_pins.unlink(missing_ok=True)
    opened = tray.open(tray.fill(1))
    tray.teken.settings.web_pins.write_text("")
    tray.sign()
    assert attempts == []
    assert tray.status(opened).cause == "handover_refused"


def test_another_address_than_the_sealed_one_is_not_signed(tray):
    """The bytes are those that were read; the QR that the signature would draw is not."""
    listed = tray.fill(2)
    opened = tray.open(listed)
    with tray.teken.db.write() as connection:
        elsewhere = update(permits).where(permits.c.id == listed[0][0])
        connection.execute(elsewhere.values(verify_url="HTTPS://PALSU.EXAMPLE/V/0000000000000000"))
    tray.sign()
    found = tray.status(opened)
    assert [(item.result, item.cause) for item in found.items] == [("failed", "not_on_sealed_list"), ("signed", None)]
    assert row(tray.teken, listed[0][0]).head_sha is None


def test_another_address_before_the_order_is_not_ordered(tray):
    listed = tray.fill(2)
    with tray.teken.db.write() as connection:
        swapped = {permit: row(tray.teken, permit).verify_url for permit, _ in listed}
        for permit, other in zip(swapped, reversed(swapped.values()), strict=True):
            connection.execute(update(permits).where(permits.c.id == permit).values(verify_url=other))
    opened = tray.open(listed)
    assert [(item.result, item.cause) for item in opened.items] == [("skipped", "address_differs")] * 2
    assert rows(tray) == []
