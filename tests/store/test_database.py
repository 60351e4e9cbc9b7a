"""The store on both databases: schema, append-only tables, busy databases, consistent reads."""

from __future__ import annotations

import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import DBAPIError

from service.store import Database, StoreBusy
from service.store.migrate import migrate
from service.store.tables import chains, clients, events, metadata
from tests.support.office import client_of, open_office, payload, play, post

APPEND_ONLY = ("register", "events", "documents", "case_revisions")


@pytest.mark.filterwarnings("ignore:.*expression-based index '?permits_released_code")  # PostgreSQL's can be compared
def test_migrations_make_exactly_the_tables(opened):
    with opened.write() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_migrating_again_changes_nothing(opened):
    migrate(opened)
    with opened.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM alembic_version")).scalar_one() == 1


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_what_happened_is_neither_changed_nor_deleted(issued, table):
    column = {"documents": "sha", "case_revisions": "body"}.get(table, "hash")
    for statement in (f"UPDATE {table} SET {column} = 'x'", f"DELETE FROM {table}"):
        with pytest.raises(DBAPIError, match="append only"), issued.db.write() as connection:
            connection.execute(text(statement))
    with issued.db.read() as connection:
        assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() > 0


def test_many_first_starts_at_once_are_one(tmp_path, keys, database):
    with ThreadPoolExecutor(8) as pool:
        started = list(pool.map(lambda _: open_office(tmp_path, keys, database=database), range(8)))
    with started[0].db.read() as connection:
        assert connection.execute(select(func.count()).select_from(chains)).scalar_one() == 1
    assert len({one.notary.verifier for one in started}) == 1
    for one in started:
        one.close()


def test_a_failed_transaction_leaves_nothing(opened):
    with pytest.raises(ZeroDivisionError), opened.write() as connection:  # noqa: PT012 - the fault is inside
        connection.execute(insert(clients).values(**CLIENT))
        raise ZeroDivisionError
    with opened.read() as connection:
        assert connection.execute(select(clients)).first() is None


def test_a_read_sees_one_committed_state(opened):
    with opened.read() as reading:
        assert reading.execute(select(clients)).all() == []
        with opened.write() as writing:
            writing.execute(insert(clients).values(**CLIENT))
        assert reading.execute(select(clients)).all() == []
    with opened.read() as reading:
        assert len(reading.execute(select(clients)).all()) == 1


def test_a_locked_sqlite_is_busy_in_time_and_then_works_again(tmp_path, keys):
    teken = open_office(tmp_path, keys, busy_seconds=0.2)
    client = client_of(teken, "rokan-hilir")
    blocker = sqlite3.connect(tmp_path / "teken.db", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    start = time.monotonic()
    with pytest.raises(StoreBusy):
        post(teken, client, payload("rokan-hilir", "sip-perekam-medis"), "kunci-1")
    assert time.monotonic() - start < 30
    blocker.execute("ROLLBACK")
    blocker.close()
    assert post(teken, client, payload("rokan-hilir", "sip-perekam-medis"), "kunci-1").status == 202
    teken.close()


def test_a_person_is_not_kept_waiting_by_a_worker_that_writes_all_the_time(tmp_path):
    """It lets go for a moment only: with SQLite's own steps of up to 100 ms most of these moments pass unseen."""
    database, stop = Database(f"sqlite:///{tmp_path / 'busy.db'}"), threading.Event()
    turns = []

    def write_all_the_time() -> None:
        hog = sqlite3.connect(tmp_path / "busy.db", isolation_level=None, timeout=60)
        while not stop.is_set():
            hog.execute("BEGIN IMMEDIATE")
            time.sleep(0.12)
            hog.execute("COMMIT")
            turns.append(1)
            time.sleep(0.02)
        hog.close()

    with database.write():
        worker = threading.Thread(target=write_all_the_time)
    worker.start()
    for _ in range(10):
        time.sleep(0.03)
        with database.write():
            pass
    stop.set()
    worker.join()
    database.dispose()
    assert len(turns) <= 15, turns


def test_a_locked_row_on_postgresql_is_busy_in_time(tmp_path, keys, postgres):
    teken = open_office(tmp_path, keys, database=postgres, busy_seconds=0.3)
    client = client_of(teken, "rokan-hilir")
    with psycopg.connect(postgres.replace("postgresql:///", "postgresql:///")) as blocker:
        blocker.execute("SELECT * FROM chains FOR UPDATE")
        with pytest.raises(StoreBusy):
            post(teken, client, payload("rokan-hilir", "sip-perekam-medis"))
    assert post(teken, client, payload("rokan-hilir", "sip-perekam-medis")).status == 202
    teken.close()


def test_a_server_that_is_away_is_busy_and_comes_back(tmp_path, keys, postgres_server):
    """The pool holds connections of before the crash: the first use afterwards is told as busy, or works."""
    name = postgres_server.create()
    teken = open_office(tmp_path, keys, database=postgres_server.url(name), busy_seconds=1)
    client = client_of(teken, "rokan-hilir")
    postgres_server.stop()
    try:
        with pytest.raises(StoreBusy):
            post(teken, client, payload("rokan-hilir", "sip-perekam-medis"))
    finally:
        postgres_server.start()
    assert post(teken, client, payload("rokan-hilir", "sip-perekam-medis")).status == 202
    teken.close()
    postgres_server.drop(name)


def test_a_fault_of_the_program_is_not_told_as_busy(opened):
    with pytest.raises(DBAPIError), opened.write() as connection:
        connection.execute(text("SELECT nothing FROM nowhere"))


def test_writers_wait_for_each_other(opened):
    """Fifty read-and-add turns from ten threads: none is lost."""
    with opened.write() as connection:
        connection.execute(insert(chains).values(name="uji", length=0, head=""))
    failed: list[BaseException] = []

    def add() -> None:
        for _ in range(5):
            try:
                with opened.write() as connection:
                    row = connection.execute(select(chains).where(chains.c.name == "uji").with_for_update()).one()
                    connection.execute(text("UPDATE chains SET length = :n WHERE name = 'uji'"), {"n": row.length + 1})
            except BaseException as error:
                failed.append(error)

    threads = [threading.Thread(target=add) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with opened.read() as connection:
        assert connection.execute(select(chains.c.length).where(chains.c.name == "uji")).scalar_one() == 50


CLIENT = {"id": "cli_1", "office": "x", "name": "x", "key_prefix": "x", "key_hash": "x", "created_at": "x"}


@pytest.fixture
def opened(tmp_path, database):
    """A migrated database and nothing else."""
    store = Database(database or f"sqlite:///{tmp_path / 'teken.db'}")
    migrate(store)
    yield store
    store.dispose()


@pytest.fixture
def issued(tmp_path, keys, database):
    """An office that has issued one permit."""
    teken = open_office(tmp_path, keys, database=database)
    client = client_of(teken, "rokan-hilir")
    play(teken, post(teken, client, payload("rokan-hilir", "sip-perekam-medis")).body["id"])
    with teken.db.read() as connection:
        assert connection.execute(select(func.count()).select_from(events)).scalar_one() > 5
    yield teken
    teken.close()
