"""A row in the table of signers counts only if a pinned identity signed exactly it, and only now."""

from __future__ import annotations

import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from service.identity import Identity, IdentityExposed, decoded, encoded, pin_once, pins_of, vouched

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
KEY, OTHER_KEY = b"k" * 32, b"o" * 32


@pytest.fixture
def identity(tmp_path):
    return Identity.at(tmp_path / "host" / "signer-identity.key")


@pytest.fixture
def said(identity):
    return identity.announce("sgn_1", KEY, NOW)


def test_a_pinned_identity_is_believed(identity, said):
    assert vouched(said, frozenset({identity.public}), NOW + timedelta(seconds=59))


def test_an_identity_that_is_not_pinned_is_not(tmp_path, said):
    assert not vouched(said, frozenset(), NOW)
    assert not vouched(said, frozenset({Identity.at(tmp_path / "other.key").public}), NOW)


@pytest.mark.parametrize("seconds", [60, 3600, -31])
def test_an_old_row_played_again_or_one_of_tomorrow_is_not(identity, said, seconds):
    assert not vouched(said, frozenset({identity.public}), NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    "change",
    [
        {"public_key": encoded(OTHER_KEY)},
        {"id": "sgn_2"},
        {"expires_at": "2027-01-01T00:00:00.000000Z"},
        {"announced_at": "2026-11-20T02:00:01.000000Z"},
        {"signature": ""},
        {"signature": "?"},
        {"expires_at": "someday"},
    ],
)
def test_a_changed_row_is_not(identity, said, change):
    assert not vouched(replace(said, **change), frozenset({identity.public}), NOW)


def test_a_long_life_is_not_believed_even_if_signed(identity, said):
    long = replace(said, expires_at="2027-01-01T00:00:00.000000Z", signature="")
    signed = replace(long, signature=encoded(identity.key.sign(long.signed_text)))
    assert not vouched(signed, frozenset({identity.public}), NOW)


def test_the_file_is_its_owners_and_an_exposed_one_refuses_to_start(tmp_path):
    path = tmp_path / "signer-identity.key"
    first = Identity.at(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Identity.at(path).public == first.public
    path.chmod(0o640)
    with pytest.raises(IdentityExposed):
        Identity.at(path)


def test_the_pin_is_written_once_and_the_setting_goes_before_it(tmp_path, identity):
    path = tmp_path / "pins"
    assert pins_of("", path) == frozenset()
    pin_once(path, identity)
    pin_once(path, Identity.at(tmp_path / "other.key"))
    assert pins_of("", path) == {identity.public}
    assert pins_of("a, b,", path) == {"a", "b"}


def test_base64_that_is_none_is_a_value_error():
    with pytest.raises(ValueError, match="base64"):
        decoded("?")
