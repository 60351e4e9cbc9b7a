"""The vault: what it seals opens under its own context alone, with any key of its file, in every process that sees the file."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from service.vault import SealBroken, Vault, VaultShut, key_of

NOW = datetime(2026, 11, 20, tzinfo=UTC)
PLAIN = b'{"nik":"1407010101900001"}'


@pytest.fixture
def vault(tmp_path):
    return Vault(tmp_path / "data.keys")


def test_what_is_sealed_opens_and_is_not_to_be_read(vault):
    sealed = vault.seal(PLAIN, "case/1")
    assert sealed.startswith("v1.k")
    assert "1407010101900001" not in sealed
    assert vault.open(sealed, "case/1") == PLAIN
    assert vault.seal(PLAIN, "case/1") != sealed


@pytest.mark.parametrize("at", range(0, 180, 7))
def test_no_changed_character_opens(vault, at):
    sealed = vault.seal(PLAIN * 4, "case/1")
    spoilt = sealed[:at] + ("A" if sealed[at] != "A" else "B") + sealed[at + 1 :]
    with pytest.raises((SealBroken, VaultShut)):
        vault.open(spoilt, "case/1")


@pytest.mark.parametrize(
    "foreign", ["", "v1", "v1.", "v1..", "v2.k.x", "{}", "v1.k000000000000.AAAA", "v1.\x00.a", "é"]
)
def test_anything_else_is_refused_by_name(vault, foreign):
    with pytest.raises((SealBroken, VaultShut)):
        vault.open(foreign, "case/1")


def test_a_sealed_text_opens_in_no_other_place(vault):
    with pytest.raises(SealBroken):
        vault.open(vault.seal(PLAIN, "case/1"), "case/2")


def test_a_new_key_seals_and_the_old_ones_open_in_every_process(vault):
    other = Vault(vault.path)
    old = vault.seal(PLAIN, "x")
    assert other.open(old, "x") == PLAIN
    key = vault.add(NOW)
    assert key_of(other.seal(PLAIN, "x")) == key.id != key_of(old)
    assert other.open(old, "x") == PLAIN
    one, two = vault.keys()
    assert vault.keys()[one].hidden("nik", "1") == Vault(vault.path).keys()[one].hidden("nik", "1")
    assert vault.keys()[one].hidden("nik", "1") != vault.keys()[two].hidden("nik", "1")


def test_a_key_that_is_not_in_the_file_is_named_and_no_other_is_tried(vault, tmp_path):
    sealed = vault.seal(PLAIN, "x")
    with pytest.raises(VaultShut) as shut:
        Vault(tmp_path / "other.keys").open(sealed, "x")
    assert shut.value.params == {"key": key_of(sealed)}


def test_many_first_uses_at_once_make_one_key(tmp_path):
    vaults = [Vault(tmp_path / "data.keys") for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        sealed = list(pool.map(lambda one: one.seal(PLAIN, "x"), vaults))
    assert len({key_of(one) for one in sealed}) == 1


def test_the_file_is_the_owners_alone_or_is_not_used(vault):
    sealed = vault.seal(PLAIN, "x")
    assert vault.path.stat().st_mode & 0o777 == 0o600
    vault.add(NOW)
    assert vault.path.stat().st_mode & 0o777 == 0o600
    vault.path.chmod(0o640)
    with pytest.raises(VaultShut):
        Vault(vault.path).open(sealed, "x")


@pytest.mark.parametrize("content", [b"", b"\n", b"k123 AAAA 2026-01-01\n", b"\xff\xfe", b"x y\n"])
def test_a_spoilt_file_is_told_and_never_written_over(tmp_path, content):
    path = tmp_path / "data.keys"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(VaultShut):
        Vault(path).seal(PLAIN, "x")
    assert path.read_bytes() == content


def test_no_key_is_in_a_repr(vault):
    secret = next(iter(vault.keys().values())).secret
    shown = repr(vault) + repr(vault.keys())
    assert secret.hex() not in shown
    assert repr(secret) not in shown


def test_a_file_that_is_gone_is_not_made_anew_by_who_has_seen_it(vault):
    vault.seal(PLAIN, "x")
    vault.path.unlink()
    with pytest.raises(VaultShut):
        vault.seal(PLAIN, "x")
    assert not vault.path.exists()


def test_a_sealed_file_is_the_same_twice_and_opens_in_its_place_alone(vault):
    picture = b"\xff\xd8" + bytes(5000)
    sealed = vault.seal_file(picture, "photo")
    assert sealed == vault.seal_file(picture, "photo") != vault.seal_file(picture, "other")
    assert vault.open_file(sealed, "photo") == picture
    vault.add(NOW)
    assert vault.open_file(sealed, "photo") == picture
    for spoilt in (sealed[:-1], sealed[:-1] + bytes([sealed[-1] ^ 1]), sealed[:20], b"", picture):
        with pytest.raises((SealBroken, VaultShut)):
            vault.open_file(spoilt, "photo")
    with pytest.raises(SealBroken):
        vault.open_file(sealed, "other")
