"""Brings a database to the newest schema; safe when several processes start at once."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from service.store.database import Database
from service.store.newer import check_newer
from service.store.tables import metadata

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK_ID = 0x74656B656E  # "teken"


def migrate(database: Database) -> None:
    """Upgrade to head in one transaction: the write lock on SQLite, an advisory lock on PostgreSQL keep starts apart.

    A schema that is newer stays as it is. Raises SchemaTooNew if this program can't run on it.
    """
    with database.read() as connection:
        state = schema_state(connection)
        if state == "ahead":
            check_newer(connection, metadata)
        if state in {"current", "ahead"}:
            return
    config = _config()
    with database.write() as connection:
        start_alone(connection)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def schema_state(connection: Connection) -> Literal["current", "behind", "ahead", "empty"]:
    """Compare a database's schema with that of this program; `ahead`: it knows a revision that we don't."""
    script = _script()
    found = set(MigrationContext.configure(connection).get_current_heads())
    if not found:
        return "empty"
    if not found <= known_revisions():
        return "ahead"
    return "current" if found == set(script.get_heads()) else "behind"


def known_revisions() -> set[str]:
    """Return every revision that this program knows."""
    return {one.revision for one in _script().walk_revisions()}


@cache
def _script() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def start_alone(connection: Connection) -> None:
    """Keep other starting processes out until the transaction ends; on SQLite its write lock does so already."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:id)"), {"id": LOCK_ID})
