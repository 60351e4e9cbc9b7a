"""PostgreSQL, Redis and the keys that all hosts share: each thing that is set wrong has its line, on real servers where one can be set so."""

from __future__ import annotations

import dataclasses
from contextlib import closing

import pytest
from sqlalchemy import text

from service import journal
from service.desk.accounts import desk_key
from service.doctor.engines import LATE_BYTES, judged, read_postgresql
from service.store import Database
from service.store.desk_tables import accounts
from tests.doctor.engines import SOUND
from tests.doctor.house import build, faults
from tests.doctor.test_misconfigured import one_fault
from tests.support.office import NOW

WRONG = {
    "postgres_follows": {"follows": True},
    "postgres_lossy": {"fsync": "off"},
    "postgres_commits_early": {"synchronous_commit": "off"},
    "postgres_old": {"version": 14},
    "postgres_standby_missing": {"awaited": "ANY 1 (b, c)", "standbys": 1},
    "postgres_standbys_loose": {"standbys": 1},
    "postgres_standby_late": {"awaited": "b", "standbys": 1, "in_step": 1, "behind": LATE_BYTES + 1},
    "postgres_crowded": {"used": 81},
}
FINE = (
    {},
    {"awaited": "b", "standbys": 2, "in_step": 1, "synchronous_commit": "remote_apply"},
    {"synchronous_commit": "local"},
    {"used": 80, "behind": LATE_BYTES},
)


@pytest.mark.parametrize("code", list(WRONG))
def test_each_setting_that_loses_or_stops_something(code):
    assert [one.code for one in judged("db/teken", dataclasses.replace(SOUND, **WRONG[code]))] == [code]


@pytest.mark.parametrize("facts", FINE)
def test_what_is_fine(facts):
    assert list(judged("db/teken", dataclasses.replace(SOUND, **facts))) == []


def test_a_standby_that_is_awaited_but_not_waited_for():
    """synchronous_commit = local acknowledges before the standby has it."""
    loose = dataclasses.replace(SOUND, awaited="b", standbys=1, in_step=1, synchronous_commit="local")
    assert [one.code for one in judged("db/teken", loose)] == ["postgres_standbys_loose"]


def test_a_real_server_is_read_as_it_is_set(postgres):
    """The tests' own server syncs nothing; a database of it commits early."""
    name = postgres.partition("///")[2].partition("?")[0]
    opened = Database(postgres)
    with opened.write() as connection:
        connection.execute(text(f"ALTER DATABASE {name} SET synchronous_commit = off"))
    opened.dispose()
    again = Database(postgres)
    with again.read() as connection:
        found = read_postgresql(connection)
    again.dispose()
    assert (found.fsync, found.full_page_writes, found.synchronous_commit) == ("off", "off", "off")
    assert (found.version >= 15, found.follows, found.standbys, found.used > 0) == (True, False, 0, True)


def test_the_command_tells_what_the_tests_server_loses(tmp_path, place, postgres):
    house = build(tmp_path, place, database=postgres)
    line = one_fault(house, code="postgres_lossy", check="postgresql", subject="/teken_")
    assert "fsync, full_page_writes" in line.message


# the keys that all hosts share


@pytest.mark.parametrize("content", [None, b"x" * 32, b"kurang"])
def test_a_host_with_a_checkpoint_key_of_its_own(house, content):
    """As a second host is that was set up without the first one's file; the file that is missing is not made."""
    _journalled(house)
    path = house.settings.home / "checkpoint.key"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert ("shared_keys", str(path), "shared_key_other") in faults(house.examine())
    assert path.exists() == (content is not None)


def test_a_host_with_a_desk_key_of_its_own(house):
    with closing(house.open()) as teken:
        sealed = desk_key(teken).seal("RAHASIA", "akun_uji")
        row = {"id": "akun_uji", "office": "malang", "login": "uji", "name": "Uji", "duties": "[]", "created_at": ""}
        with teken.db.write() as connection:
            connection.execute(accounts.insert().values(**row, totp_sealed=sealed))
    assert faults(house.examine()) == []
    path = house.settings.home / "desk.key"
    path.write_bytes(b"y" * 32)
    one_fault(house, code="shared_key_other", check="shared_keys", subject="desk.key")


def _journalled(house) -> None:
    with closing(house.open()) as teken, teken.db.write() as connection:
        journal.append(connection, teken.notary, NOW, journal.Entry("uji.dicoba", "malang", None, None, {}))


# Redis


def test_redis_that_is_away(house):
    house.set(redis_url="redis://:sandi-contoh@127.0.0.1:9/0")
    line = one_fault(house, code="redis_unreachable", check="redis", subject="redis://127.0.0.1:9")
    assert "sandi-contoh" not in repr(line)


@pytest.mark.parametrize("login", ["", ":sandi-lama@"])
def test_redis_that_refuses_our_login(house, redis_server, login):
    from redis import Redis

    with Redis.from_url(redis_server.url) as connection:
        connection.config_set("requirepass", "sandi-contoh")
    house.set(redis_url=redis_server.url.replace("redis://", f"redis://{login}"))
    try:
        line = one_fault(house, code="redis_refused", check="redis")
    finally:
        with Redis.from_url(redis_server.url.replace("redis://", "redis://:sandi-contoh@")) as connection:
            connection.config_set("requirepass", "")
    assert "sandi" not in line.subject


def test_redis_that_answers_and_keeps_rings(house, redis_server):
    house.set(redis_url=redis_server.url)
    with redis_server.client() as client:
        client.config_set("appendonly", "yes")
    assert [one.code for one in house.examine() if one.check == "redis"] == ["redis_fine"]


def test_redis_as_debian_ships_it_forgets_and_as_a_cache_evicts(house, redis_server):
    house.set(redis_url=redis_server.url)
    with redis_server.client() as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
    told = [one for one in house.examine() if one.check == "redis"]
    assert [(one.state, one.code) for one in told] == [("warning", "redis_forgets"), ("warning", "redis_evicts")]
    assert "allkeys-lru" in told[1].message


def test_the_clock_of_a_redis_elsewhere_counts(house, redis_server, monkeypatch):
    """The house's day is another one than that of the server."""
    monkeypatch.setattr("service.doctor.engines.is_here", lambda _: False)
    house.set(redis_url=redis_server.url)
    assert ("clock", redis_server.url, "clock_differs") in faults(house.examine())
