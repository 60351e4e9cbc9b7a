"""Keys of upstream systems: hashed, two at most, changed with an overlap, ended at once, and good for what their client may do."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from service import client_keys as keys_of
from service.clients import KeyExpired, Scope, ScopeMissing, add_client, authenticate
from service.clock import SetClock
from service.errors import Conflict, NotFound, Unauthenticated
from service.store.client_tables import client_keys
from tests.support.office import open_office


@pytest.fixture
def teken(tmp_path, keys, database):
    opened = open_office(tmp_path, keys, database=database, clock=SetClock(), signing=False)
    yield opened
    opened.close()


def test_neither_secret_nor_signing_key_is_in_the_database(teken):
    _, key = add_client(teken, "kudus", "Hulu")
    secret = key.partition(".")[2]
    with teken.db.read() as connection:
        kept = connection.execute(text("SELECT * FROM client_keys")).one()._mapping
        opened = connection.execute(select(client_keys.c.signing)).scalar_one()
    assert secret not in str(dict(kept))
    assert opened not in str(dict(kept))


def test_two_keys_live_side_by_side_until_the_first_one_ends(teken):
    client, first = add_client(teken, "kudus", "Hulu")
    second = keys_of.rotate(teken, client.id, overlap=timedelta(days=7))
    assert authenticate(teken, first).id == authenticate(teken, second).id == client.id
    with pytest.raises(Conflict, match="keys_two"):
        keys_of.rotate(teken, client.id)
    teken.clock.forward(days=7)
    with pytest.raises(KeyExpired):
        authenticate(teken, first)
    assert authenticate(teken, second).id == client.id
    third = keys_of.rotate(teken, client.id, overlap=timedelta())
    with pytest.raises(KeyExpired):
        authenticate(teken, second)
    assert authenticate(teken, third).id == client.id


def test_an_expired_key_tells_so_only_to_who_has_its_secret(teken):
    _, key = add_client(teken, "kudus", "Hulu", expires_at=teken.clock.now() + timedelta(days=1))
    teken.clock.forward(days=2)
    with pytest.raises(KeyExpired):
        authenticate(teken, key)
    with pytest.raises(Unauthenticated) as refused:
        authenticate(teken, key[:-1] + ("A" if key[-1] != "A" else "B"))
    assert refused.value.code == "unauthenticated"


def test_a_revoked_key_ends_at_once_and_the_other_lives_on(teken):
    client, first = add_client(teken, "kudus", "Hulu")
    second = keys_of.rotate(teken, client.id)
    assert keys_of.revoke(teken, first.partition(".")[0]) == 1
    with pytest.raises(Unauthenticated):
        authenticate(teken, first)
    assert authenticate(teken, second).id == client.id
    assert keys_of.revoke(teken, client.id) == 1
    with pytest.raises(Unauthenticated):
        authenticate(teken, second)


def test_a_client_may_do_what_its_scopes_say(teken):
    client, key = add_client(teken, "kudus", "Hulu", scopes=frozenset({Scope.EVENTS}))
    asker = authenticate(teken, key)
    asker.need(Scope.EVENTS)
    with pytest.raises(ScopeMissing):
        asker.need(Scope.CASES)
    keys_of.allow(teken, client.id, scopes=frozenset({Scope.CASES}))
    authenticate(teken, key).need(Scope.CASES)


def test_a_list_tells_when_a_key_was_last_used_and_no_secret(teken):
    client, key = add_client(teken, "kudus", "Hulu")
    authenticate(teken, key)
    [known] = keys_of.listed(teken, "kudus")
    assert (known.id, known.keys[0].state, known.keys[0].used_at) == (client.id, "live", "2026-11-20T02")
    assert key.partition(".")[2] not in repr(known)
    assert keys_of.listed(teken, "malang") == []


def test_unknown_names_are_told(teken):
    for act in (lambda: keys_of.rotate(teken, "cli_x"), lambda: keys_of.revoke(teken, "x")):
        with pytest.raises(NotFound):
            act()


def test_the_commands_do_the_same(tmp_path, keys, monkeypatch, capsys):
    from service import cli
    from service.settings import PREFIX

    open_office(tmp_path, keys, signing=False).close()
    monkeypatch.setenv(PREFIX + "HOME", str(tmp_path))
    monkeypatch.setenv(PREFIX + "KEYS", str(keys))

    def say(*words: str) -> tuple[int, str, str]:
        code = cli.main(["client", *words])
        told = capsys.readouterr()
        return code, told.out, told.err

    code, said, _ = say("add", "kudus", "Hulu", "--scopes", "cases:write", "--days", "30")
    client, key = said.split()[1], said.split()[-1]
    assert code == 0
    assert say("rotate", client, "--overlap", "1")[0] == 0
    assert say("scopes", client, "events:read", "--signed", "yes")[0] == 0
    [known] = [json.loads(line) for line in say("list", "kudus")[1].splitlines()]
    assert (known["scopes"], known["must_sign"], len(known["keys"])) == (["events:read"], True, 2)
    assert say("revoke", key.partition(".")[0])[1] == "1 kunci dicabut\n"
    code, _, told = say("scopes", client, "everything")
    assert (code, "cases:write" in told) == (1, True)
