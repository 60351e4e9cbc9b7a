"""A database and its key file belong together: whoever comes with another file, or none, is stopped before he stores anything."""

from __future__ import annotations

import argparse
import itertools
import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from sqlalchemy import event, insert, literal, select, text, update

from service import data_key_cli, data_key_drop, reseal
from service.audit import audit
from service.clock import SetClock, stamp
from service.data_keys import recognise
from service.desk import accounts
from service.errors import Conflict, NotFound
from service.reseal import uses, uses_of_photos
from service.store import Database, names
from service.store.desk_tables import proposals
from service.store.tables import case_names, data_keys, permits, revisions
from service.vault import Vault, VaultShut
from tests.batch.processes import until
from tests.support.office import NOW, client_of, open_office, payload, post


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


@pytest.fixture
def house(lived, keys, database):
    """A house with cases, one of them with a photo, that has just got a second key."""
    teken = open_office(lived, keys, database=database, clock=SetClock(NOW))
    post(teken, client_of(teken, "kudus"), payload("kudus", "sip-perekam-medis"))
    teken.vault.add(NOW)
    with teken.db.write() as connection:
        recognise(connection, teken.vault, NOW)
    yield teken
    teken.close()


def waiting(database) -> bool:
    """Whether somebody waits for a row that another transaction holds."""
    other = Database(database)
    try:
        with other.read() as connection:
            query = (
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            return connection.execute(text(query)).scalar_one() > 0
    finally:
        other.dispose()


def found_by_name(teken):
    with teken.db.read() as connection:
        mine = connection.execute(select(permits.c.id).where(permits.c.office == "kudus")).scalar_one()
        case = json.loads(connection.execute(select(revisions.c.body).where(revisions.c.permit == mine)).scalar_one())
        words = case["applicant"]["nama"].split(",")[0]
        return connection.execute(names.candidates(connection, "kudus", words)).scalars().all() == [mine]


def refused(teken, key):
    with pytest.raises((Conflict, NotFound)) as error:
        data_key_drop.drop(teken, key)
    assert key in teken.vault.keys() or error.value.code == "data_key_unknown"
    return error.value.code


def test_a_new_key_seals_everything_again_and_the_old_one_is_not_needed_any_more(house):
    old, new = house.vault.keys()
    assert uses(house).keys() == uses_of_photos(house).keys() == {old}
    assert found_by_name(house)
    texts, pictures = reseal.reseal(house)
    assert (texts > 3, pictures) == (True, 1)
    assert uses(house).keys() == uses_of_photos(house).keys() == {new}
    assert reseal.reseal(house) == (0, 0)
    assert found_by_name(house)
    assert audit(house).violations == ()


def test_a_key_is_dropped_when_nothing_needs_it_and_not_before(house, lived, keys, database):
    old, new = house.vault.keys()
    assert refused(house, new) == "data_key_seals"
    assert refused(house, "k000000000000") == "data_key_unknown"
    assert refused(house, old) == "data_key_young"
    house.clock.forward(days=1)
    assert refused(house, old) == "data_key_needed"
    reseal.reseal(house)
    before = house.vault.path.read_bytes()
    data_key_drop.drop(house, old)
    assert [*house.vault.keys()] == [new]
    assert found_by_name(house)
    assert audit(house).violations == ()
    data_key_drop.drop(house, old)  # again, as after a kill between the mark and the end
    with closing(open_office(lived, keys, database=database)) as again:
        assert found_by_name(again)
    house.vault.path.write_bytes(before)  # another host, whose file still has it
    with closing(open_office(lived, keys, database=database)) as behind:
        post(behind, client_of(behind, "kudus"), payload("kudus", "sip-perekam-medis", "UJI-0002"))
    assert uses(house).keys() == {new}
    house.vault.path.write_bytes(before.splitlines(keepends=True)[0])  # and one that would still seal with it
    with pytest.raises(VaultShut):
        open_office(lived, keys, database=database)


@pytest.fixture
def behind(house, tmp_path_factory):
    """The vault of a host whose file has the old key alone."""
    path = tmp_path_factory.mktemp("behind") / "data.keys"
    path.write_bytes(house.vault.path.read_bytes().splitlines(keepends=True)[0])
    path.chmod(0o600)
    return Vault(path)


def name_it(house, behind, _photo):
    bare = next(iter(behind.keys().values())).hidden("case_names", "kudus", "zz")[:16]  # as before 0019
    return insert(case_names).from_select(["permit", "begins"], select(permits.c.id, literal(bare)).limit(1))


def show_it(house, behind, photo):
    return update(revisions).where(revisions.c.photo_sha.is_not(None)).values(photo_sha=photo)


def draft_it(house, behind, photo):
    account = accounts.create(house, "kudus", "ayu@uji.example", name="Ayu", duties=("auditor",))[0].id
    row = {"id": "p", "office": "kudus", "kind": "case.import", "payload": json.dumps({"rows": [{"photo": photo}]})}
    return insert(proposals).values(**row, proposed_by=account, proposed_at=stamp(NOW), state="open")


@pytest.mark.parametrize("plant", [name_it, show_it, draft_it])
def test_a_key_stays_while_anything_at_all_needs_it(house, behind, plant):
    old, new = house.vault.keys()
    house.clock.forward(days=1)
    reseal.reseal(house)
    photo = house.archive.put(behind.seal_file(b"\xff\xd8\xff of somebody else", "archive/photo"))
    statement = plant(house, behind, photo)
    with house.db.write() as connection:
        connection.execute(statement)
    assert refused(house, old) == "data_key_needed"
    assert sum(reseal.reseal(house)) == 1
    data_key_drop.drop(house, old)
    assert uses(house).keys() == uses_of_photos(house).keys() == {new}


def test_what_appears_at_the_last_moment_brings_the_key_back(house, behind, monkeypatch):
    old, new = house.vault.keys()
    house.clock.forward(days=1)
    reseal.reseal(house)
    real = house.vault.leave_out

    def late(name):
        gone = real(name)
        with house.db.write() as connection:
            connection.execute(name_it(house, behind, ""))
        return gone

    monkeypatch.setattr(house.vault, "leave_out", late)
    assert refused(house, old) == "data_key_needed"
    assert [*house.vault.keys()] == [old, new]
    with house.db.read() as connection:
        assert connection.execute(select(data_keys.c.dropped_at).where(data_keys.c.id == old)).scalar_one() is None


def test_killed_at_any_page_it_goes_on_where_it_was(house, lived, keys, database, monkeypatch):
    _, new = house.vault.keys()
    monkeypatch.setattr(reseal, "_PAGE", 1)
    house.db.dispose()

    def ends_after(commits: int) -> int:
        """Reseal in a process that is killed after so many commits; return how it ended."""
        child = os.fork()
        if child:
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        try:
            own = open_office(lived, keys, database=database)
            passed = itertools.count(1)
            event.listen(own.db.engine, "commit", lambda _: next(passed) >= commits and os.kill(os.getpid(), 9))
            reseal.reseal(own)
            os._exit(0)
        finally:
            os._exit(1)

    left = []
    for commits in itertools.count(1, 4):
        left.append(sum(count for key, count in uses(house).items() if key != new))
        ended = ends_after(commits)
        if ended != -signal.SIGKILL:
            break
    assert ended == 0
    assert left == sorted(left, reverse=True)
    assert len(set(left)) > 2
    assert uses(house).keys() == uses_of_photos(house).keys() == {new}
    assert audit(house).violations == ()


def test_what_is_written_while_a_page_is_sealed_anew_is_not_written_over(house, database):
    """A case that is erased meanwhile stays erased."""
    with house.db.read() as connection:
        mine = connection.execute(select(permits.c.id).where(permits.c.office == "kudus")).scalar_one()
    here = revisions.c.permit == mine
    with ThreadPoolExecutor(1) as pool:
        with house.db.write() as connection:
            gone = {"body": "{}", "photo_sha": None, "erased_at": stamp(NOW)}
            connection.execute(update(revisions).where(here).values(**gone))
            resealed = pool.submit(reseal.reseal, house)
            until(lambda: house.db.dialect == "sqlite" or waiting(database))
        resealed.result()
    with house.db.read() as connection:
        assert connection.execute(select(revisions.c.body).where(here)).scalar_one() == "{}"


def test_the_command_lists_reseals_and_drops_and_shows_no_key(house, capsys):
    old, new = house.vault.keys()
    secrets = [key.line.split()[1] for key in house.vault.keys().values()]
    house.clock.forward(days=1)
    parser = argparse.ArgumentParser()
    data_key_cli.add_parser(parser.add_subparsers(), lambda: house)

    def said(*words):
        chosen = parser.parse_args(["data-key", *words])
        chosen.run(chosen)
        return capsys.readouterr().out

    before = [json.loads(line) for line in said("list").splitlines()]
    assert [(one["id"], one["texts"] > 3, one["photos"]) for one in before] == [(old, True, 1), (new, False, 0)]
    told = said("reseal") + said("drop", old) + said("list")
    assert json.loads(told.splitlines()[-1])["id"] == new
    assert old not in told.splitlines()[-1]
    assert not [one for one in secrets if one in told]
