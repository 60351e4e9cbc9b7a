"""Copies of the database: SQLite by its online backup, PostgreSQL by pg_dump from the same snapshot that everything else is read from.

A copy is read back as a whole or refused; a restored one becomes visible together with its closed gate, never before it.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, inspect, make_url, text

from service import durable, gate
from service.backup.errors import BackupRefused
from service.canonical import dumps
from service.clock import stamp
from service.store import Database
from service.store.migrate import migrate

if TYPE_CHECKING:
    from datetime import datetime

    from service.checkpoint import Notary
    from service.settings import Settings
    from service.vault import Vault
    from service.wiring import Teken

_CLOSE = (
    "INSERT INTO public.closures (id, cause, told, closed_at)"
    " SELECT (SELECT coalesce(max(id), 0) + 1 FROM public.closures), 'restored', '{told}', '{at}'"
    " WHERE NOT EXISTS (SELECT 1 FROM public.closures WHERE opened_at IS NULL);\n"
)


@contextmanager
def copied(teken: Teken, to: Path) -> Iterator[Connection]:
    """Copy the database to a file, and yield a connection that reads what the copy holds."""
    if teken.db.dialect == "sqlite":
        _copy_sqlite(str(make_url(teken.db.url).database), to)
        copy = Database(f"sqlite:///{to}", look_only=True, vault=teken.vault)
        with closing(_Disposed(copy)), copy.read() as connection:
            yield connection
        return
    with teken.db.read() as connection:
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        snapshot = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
        _run(
            ["pg_dump", "--format=custom", f"--snapshot={snapshot}", f"--file={to}", *_where(teken.db.url)],
            teken.db.url,
        )
        durable.settle(to)
        yield connection


def _copy_sqlite(source: str, to: Path) -> None:
    """One step in one read transaction: writers go on, and what they commit meanwhile is not in it."""
    with closing(sqlite3.connect(source, isolation_level=None)) as here, closing(sqlite3.connect(to)) as there:
        here.execute("BEGIN")
        here.execute("SELECT count(*) FROM sqlite_master").fetchone()
        here.backup(there)
        there.execute("PRAGMA journal_mode=DELETE")
    durable.settle(to)


def refuse_taken(settings: Settings) -> None:
    """Let nothing be overwritten.

    Raises BackupRefused("restore_place_taken"), StoreBusy.
    """
    url = make_url(settings.database)
    if url.get_backend_name() == "sqlite":
        path = Path(str(url.database))
        taken = any(path.with_name(path.name + part).exists() for part in ("", "-wal", "-journal"))
    else:
        database = Database(settings.database, busy_seconds=settings.busy_seconds)
        with closing(_Disposed(database)), database.read() as connection:
            taken = bool(inspect(connection).get_table_names())
    if taken:
        raise BackupRefused("restore_place_taken", place=url.render_as_string(hide_password=True))


def load(settings: Settings, vault: Vault, notary: Notary, dump: Path, now: datetime, told: Mapping[str, Any]) -> None:
    """Load a copy into the empty place; whoever opens it finds the gate closed."""
    url = make_url(settings.database)
    if url.get_backend_name() == "sqlite":
        _load_sqlite(Path(str(url.database)), vault, notary, dump, now, told)
    else:
        _load_postgresql(settings.database, dump, now, told)
        database = Database(settings.database, busy_seconds=settings.busy_seconds, vault=vault)
        with closing(_Disposed(database)):
            migrate(database)
            with database.write() as connection:
                gate.tell_closed(connection, notary, now, gate.RESTORED, told)


def _load_sqlite(path: Path, vault: Vault, notary: Notary, dump: Path, now: datetime, told: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.restoring")
    for part in ("", "-wal", "-shm"):
        draft.with_name(draft.name + part).unlink(missing_ok=True)
    shutil.copyfile(dump, draft)
    database = Database(f"sqlite:///{draft}", vault=vault)
    with closing(_Disposed(database)):
        migrate(database)
        with database.write() as connection:
            gate.close_in(connection, notary, now, gate.RESTORED, told)
    durable.settle(draft)
    draft.replace(path)
    durable.sync_folder(path.parent)


def _load_postgresql(url: str, dump: Path, now: datetime, told: Mapping[str, Any]) -> None:
    """One transaction: the tables, their rows, and the closed gate."""
    script = dump.with_name(f".restoring-{os.getpid()}.sql")
    try:
        _run(["pg_restore", "--no-owner", "--no-privileges", f"--file={script}", str(dump)], url)
        script.chmod(0o600)
        with script.open("a", encoding="utf-8") as file:
            file.write(_CLOSE.format(told=dumps(dict(told)).replace("'", "''"), at=stamp(now)))
        words = ["psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--single-transaction", f"--file={script}"]
        _run([*words, *_where(url)], url)
    finally:
        script.unlink(missing_ok=True)


def _where(url: str) -> list[str]:
    """The address without its password, which nobody may read in the list of processes."""
    plain = (
        make_url(url).difference_update_query(["password"])._replace(drivername="postgresql", password=None)
    )  # `set` keeps it
    return [f"--dbname={plain.render_as_string(hide_password=False)}"]


def _run(command: list[str], url: str) -> None:
    """Run one of PostgreSQL's programs. What it complains of may quote rows: only its name is told.

    Raises BackupRefused: `backup_tool_missing`, `backup_tool_failed`.
    """
    program = shutil.which(command[0])
    if program is None:
        raise BackupRefused("backup_tool_missing", tool=command[0])
    password = make_url(url).password or make_url(url).query.get("password")
    secret = {"PGPASSWORD": str(password)} if password else {}
    done = subprocess.run(  # noqa: S603 - our own words
        [program, *command[1:]], env={**os.environ, **secret}, capture_output=True, check=False
    )
    if done.returncode:
        raise BackupRefused("backup_tool_failed", tool=command[0])


class _Disposed:
    """A database that is closed at the end."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def close(self) -> None:
        self._database.dispose()
