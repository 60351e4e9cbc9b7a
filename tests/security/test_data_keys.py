"""A database and its key file belong together: whoever comes with another file, or none, is stopped before he stores anything."""

from __future__ import annotations

import pytest

from service.vault import VaultShut
from tests.support.office import client_of, open_office, payload, post


@pytest.fixture
def lived(tmp_path, keys, database):
    """A home whose database holds a case."""
    teken = open_office(tmp_path, keys, database=database)
    client = client_of(teken, "rokan-hilir")
    post(teken, client, payload("rokan-hilir", "sip-perekam-medis"))
    teken.close()
    return tmp_path


def test_without_its_key_file_a_database_is_not_opened_and_no_file_is_made(lived, keys, database):
    (lived / "data.keys").unlink()
    with pytest.raises(VaultShut):
        open_office(lived, keys, database=database)
    assert not (lived / "data.keys").exists()


def test_with_another_installations_key_file_a_database_is_not_opened(lived, keys, database, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    open_office(other, keys).close()
    (lived / "data.keys").write_bytes((other / "data.keys").read_bytes())
    with pytest.raises(VaultShut):
        open_office(lived, keys, database=database)


def test_with_an_older_copy_of_its_key_file_a_database_is_not_opened(lived, keys, database):
    old = (lived / "data.keys").read_bytes()
    teken = open_office(lived, keys, database=database)
    teken.vault.add(teken.clock.now())
    teken.close()
    open_office(lived, keys, database=database).close()
    (lived / "data.keys").write_bytes(old)
    with pytest.raises(VaultShut):
        open_office(lived, keys, database=database)


def test_a_new_key_seals_everything_again_and_the_old_one_is_not_needed_any_more(lived, keys, database):
    from service.audit import audit
    from service.reseal import reseal, uses

    teken = open_office(lived, keys, database=database)
    post(teken, client_of(teken, "kudus"), payload("kudus", "sip-perekam-medis"))
    [old] = teken.vault.keys()
    new = teken.vault.add(teken.clock.now()).id
    assert uses(teken).keys() == {old}
    texts, pictures = reseal(teken)
    assert (texts > 3, pictures) == (True, 1)
    assert uses(teken).keys() == {new}
    assert reseal(teken) == (0, 0)
    assert audit(teken).violations == ()
    teken.close()
