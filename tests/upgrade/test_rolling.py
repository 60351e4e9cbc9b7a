"""Hosts are upgraded one after the other: programs of before run, and restart, on a schema that is newer than they are."""

from __future__ import annotations

from contextlib import closing

import pytest
from alembic import command
from sqlalchemy import text

from service.audit import audit
from service.permits import State
from service.store import Database
from service.store.migrate import _config, _script
from service.store.newer import SchemaTooNew, misfits
from service.store.tables import metadata
from tests.support.office import client_of, open_office, payload, play, post, row

KIND = ("rokan-hilir", "sip-perekam-medis")
GROWN = (
    "ALTER TABLE permits ADD COLUMN besok TEXT",
    "ALTER TABLE events ADD COLUMN besok INTEGER NOT NULL DEFAULT 0",
    "CREATE TABLE besok (id TEXT PRIMARY KEY, isi TEXT NOT NULL)",
    "UPDATE alembic_version SET version_num = '9999'",
)


@pytest.fixture
def grown(tmp_path, keys, database):
    """A house that is open while another host's newer program migrates."""
    with closing(open_office(tmp_path, keys, database=database)) as teken:
        with teken.db.write() as connection:
            for statement in GROWN:
                connection.execute(text(statement))
        yield teken


def test_a_program_of_before_goes_on_and_restarts_on_a_schema_that_grew(grown, tmp_path, keys, database):
    permit = post(grown, client_of(grown, KIND[0]), payload(*KIND)).body["id"]
    play(grown, permit, until=State.NUMBERED)
    with closing(open_office(tmp_path, keys, database=database)) as again:
        play(again, permit)
        assert row(again, permit).state == State.IN_FORCE
        assert audit(again).violations == ()
        with again.db.read() as connection:
            assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == "9999"


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("DROP TABLE surveys", "surveys"),
        ("ALTER TABLE case_revisions RENAME COLUMN photo_sha TO lain", r"case_revisions\.photo_sha"),
    ],
)
def test_a_program_of_before_does_not_start_on_a_schema_that_lost_something(
    grown, tmp_path, keys, database, statement, named
):
    with grown.db.write() as connection:
        connection.execute(text(statement))
    with pytest.raises(SchemaTooNew, match=named):
        open_office(tmp_path, keys, database=database)


def test_a_new_column_that_must_be_filled_in_is_no_growth(grown, tmp_path, keys, database):
    with grown.db.write() as connection:
        connection.execute(text("CREATE TABLE pengganti (id TEXT PRIMARY KEY, besok TEXT NOT NULL)"))
        known = type(metadata)()
        metadata.tables["permits"].to_metadata(known, name="pengganti")
        found = set(misfits(connection, known))
    assert "pengganti.besok" in found


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
def test_the_newest_migration_only_lets_grow(tmp_path, database):
    """The rule from now on: what the schema of one step before has, is there after the step, and nothing new must be filled in."""
    head = _script().get_current_head()
    before = _script().get_revision(head).down_revision
    opened = Database(database or f"sqlite:///{tmp_path / 'langkah.db'}")
    config = _config()
    known = type(metadata)()
    with opened.write() as connection:
        config.attributes["connection"] = connection
        if database:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        command.upgrade(config, before)
        known.reflect(connection)
        command.upgrade(config, "head")
        assert list(misfits(connection, known)) == []
    opened.dispose()
