"""What is sealed opens only for the process, the batch and the list that it was sealed for."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from service.handover import LONGEST, Authority, HandoverBroken, Recipient, Sealed, seal, unseal, wipe

AUTHORITY = Authority(
    "bch_1",
    "kota/kadis",
    "ab" * 32,
    "2026-11-20T02:30:00.000000Z",
    (("p1", "0" * 64, "HTTPS://A/V/1"), ("p2", "1" * 64, "HTTPS://A/V/2")),
)


def signer(name: str = "sgn_1"):
    key = X25519PrivateKey.generate()
    return key, Recipient(name, key.public_key().public_bytes_raw())


@given(st.binary(min_size=1, max_size=LONGEST))
def test_what_was_sealed_is_opened_whole(passphrase):
    key, to = signer()
    (sealed,) = seal(AUTHORITY, bytearray(passphrase), [to])
    authority, opened = unseal(sealed, key)
    assert (authority, bytes(opened)) == (AUTHORITY, passphrase)


def test_each_recipient_has_his_own_and_nobody_elses():
    (one, to_one), (two, to_two) = signer("sgn_1"), signer("sgn_2")
    first, second = seal(AUTHORITY, bytearray(b"rahasia"), [to_one, to_two])
    assert first.sender_key != second.sender_key
    for sealed, key in ((first, two), (second, one)):
        with pytest.raises(HandoverBroken):
            unseal(sealed, key)


def _other_end(text: bytes) -> bytes:
    return text[:-1] + bytes([text[-1] ^ 1])


@pytest.mark.parametrize("change", ["batch", "signer", "sender_key", "ciphertext", "cut", "empty"])
def test_nothing_about_it_can_be_changed(change):
    key, to = signer()
    (sealed,) = seal(AUTHORITY, bytearray(b"rahasia"), [to])
    changed = {
        "batch": Sealed("bch_2", sealed.signer, sealed.sender_key, sealed.ciphertext),
        "signer": Sealed(sealed.batch, "sgn_9", sealed.sender_key, sealed.ciphertext),
        "sender_key": Sealed(sealed.batch, sealed.signer, signer()[1].public_key, sealed.ciphertext),
        "ciphertext": Sealed(sealed.batch, sealed.signer, sealed.sender_key, _other_end(sealed.ciphertext)),
        "cut": Sealed(sealed.batch, sealed.signer, sealed.sender_key, sealed.ciphertext[:10]),
        "empty": Sealed(sealed.batch, sealed.signer, bytes(32), b""),
    }
    with pytest.raises(HandoverBroken):
        unseal(changed[change], key)


def test_its_length_says_nothing_about_the_passphrase():
    _, to = signer()
    assert len({len(seal(AUTHORITY, bytearray(n), [to])[0].ciphertext) for n in (1, 8, LONGEST)}) == 1


@pytest.mark.parametrize("length", [0, LONGEST + 1])
def test_an_empty_or_endless_passphrase_is_refused(length):
    with pytest.raises(ValueError, match="length"):
        seal(AUTHORITY, bytearray(length), [signer()[1]])


def test_wiping_overwrites_in_place():
    secret = bytearray(b"rahasia")
    seal(AUTHORITY, secret, [signer()[1]])
    assert secret == b"rahasia"
    wipe(secret)
    assert secret == bytes(7)
