"""A PostgreSQL that hangs, vanishes, or is a standby now: busy in time, nothing waited for without end, and well again by itself."""

from __future__ import annotations

import time
from contextlib import closing, contextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from service.app import create_app
from service.store import Database, StoreBusy
from tests.batch.processes import until
from tests.support.office import client_of, open_office, payload, post, row, work
from tests.support.proxy import proxy_before

KIND = ("rokan-hilir", "sip-perekam-medis")


@pytest.fixture(autouse=True)
def long_ago(monkeypatch):
    """A server that answered in the last tenth of a second is not asked first whether it lives; here it is always."""
    monkeypatch.setattr("service.store.postgres._JUST_NOW", 0)


@pytest.fixture
def wire(postgres_server):
    with proxy_before(postgres_server.folder / ".s.PGSQL.5432") as proxy:
        yield proxy


@pytest.fixture
def far(wire, postgres):
    """The database's URL over the wire."""
    name = postgres.partition("///")[2].partition("?")[0]
    return f"postgresql://postgres@127.0.0.1:{wire.port}/{name}"


@pytest.fixture
def opened(tmp_path, keys, far):
    with closing(open_office(tmp_path, keys, database=far, busy_seconds=0.3)) as teken:
        yield teken


@contextmanager
def busy_within(seconds: float):
    began = time.monotonic()
    with pytest.raises(StoreBusy):
        yield
    assert time.monotonic() - began < seconds


def test_a_server_that_hangs_is_busy_in_time_and_well_again_by_itself(opened, wire):
    client, body = client_of(opened, KIND[0]), payload(*KIND)
    wire.hang()
    with busy_within(30):
        post(opened, client, body, "kunci-1")
    wire.heal()
    assert _once_it_answers(lambda: post(opened, client, body, "kunci-1")).status == 202


def _once_it_answers(ask):
    """A busy machine may take longer for the first answers than a connection's trial waits."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return ask()
        except StoreBusy:
            assert time.monotonic() < deadline


def test_a_server_that_hangs_gives_visitors_503_and_says_when_to_come_back(opened, wire):
    asked = create_app(opened).test_client()
    assert asked.get("/V/0000000000000000").status_code == 404
    wire.hang()
    began = time.monotonic()
    answer = asked.get("/api/v1/verify/0000000000000000")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert time.monotonic() - began < 30
    wire.heal()
    until(lambda: asked.get("/api/v1/verify/0000000000000000").status_code != 503)


def test_an_answer_that_never_comes_ends_the_wait_and_the_connection(far, wire, monkeypatch):
    monkeypatch.setattr("service.store.postgres.Impatient.patience", 0.5)
    monkeypatch.setattr("service.store.postgres.ANSWER_SECONDS", 0.5)
    with closing_database(far) as database:
        with busy_within(30), database.write() as connection:
            connection.execute(text("SELECT 1"))
            wire.mute()
            connection.execute(text("SELECT 2"))
        wire.heal()
        assert _once_it_answers(lambda: _three(database)) == 3


def _three(database) -> int:
    with database.read() as connection:
        return connection.execute(text("SELECT 3")).scalar_one()


def test_a_commit_whose_answer_is_lost_is_done_once(opened, wire):
    """Nobody knows whether it was stored; asked again under the same key, it is one case."""
    client, body = client_of(opened, KIND[0]), payload(*KIND)
    wire.cut_answers_after(600)
    try:
        first = post(opened, client, body, "kunci-1").body["id"]
    except StoreBusy:
        first = None
    wire.heal()
    again = _once_it_answers(lambda: post(opened, client, body, "kunci-1")).body["id"]
    assert first in {None, again}


def test_a_primary_that_became_a_standby_is_left_for_the_new_one(postgres_server, postgres):
    """A demoted server answers and refuses to write: no permit is blamed for it, and all its connections are given up."""
    with closing_database(postgres) as database:
        with database.write() as connection:
            connection.execute(text("CREATE TABLE uji (a integer)"))
            first = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        name = postgres.partition("///")[2].partition("?")[0]
        with postgres_server.connect() as admin:
            admin.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
            admin.execute("SELECT pg_terminate_backend(%s, 60000)", [first])
        with pytest.raises(StoreBusy), database.write() as connection:
            connection.execute(text("INSERT INTO uji VALUES (1)"))
        assert database.engine.pool.checkedin() == 0
        with postgres_server.connect() as admin:
            admin.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
        with database.write() as connection:
            connection.execute(text("INSERT INTO uji VALUES (1)"))


def test_a_write_in_a_read_is_a_fault_of_ours_and_never_called_busy(postgres):
    with (
        closing_database(postgres) as database,
        pytest.raises(DBAPIError, match="read-only"),
        database.read() as opened,
    ):
        opened.execute(text("CREATE TABLE uji (a integer)"))


def test_a_list_of_hosts_leads_to_the_one_that_may_be_written(postgres_server, postgres, wire, far):
    """What a fail-over needs: the first host of the list is a standby (here: refuses), the second the primary."""
    wire.refuse()
    name = postgres.partition("///")[2].partition("?")[0]
    hosts = f"host=127.0.0.1:{wire.port}&host={postgres_server.folder}:5432"
    with closing_database(f"postgresql://postgres@/{name}?{hosts}&target_session_attrs=read-write") as database:
        with database.write() as connection:
            connection.execute(text("CREATE TABLE uji (a integer)"))
        with database.read() as connection:
            assert connection.execute(text("SELECT count(*) FROM uji")).scalar_one() == 0


def test_a_worker_waits_for_a_server_that_went_and_blames_no_permit(opened, postgres_server, wire):
    permit = post(opened, client_of(opened, KIND[0]), payload(*KIND)).body["id"]
    wire.refuse()
    with pytest.raises(StoreBusy):
        work(opened)
    wire.heal()
    _once_it_answers(lambda: work(opened))
    assert (row(opened, permit).state, row(opened, permit).fault, row(opened, permit).attempts) == ("numbered", None, 0)


@contextmanager
def closing_database(url: str):
    database = Database(url, busy_seconds=0.3)
    try:
        yield database
    finally:
        database.dispose()
