"""Opens the database and hands out transactions. No file, network or signing work happens inside one."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from service.store.localdisk import check_local
from service.store.looking import sqlite_to_look_at
from service.store.postgres import IDLE_TOO_LONG, READ_ONLY_SERVER, postgresql
from service.store.sealed import hold
from service.vault import Vault

READ_ONLY, ALONE = "teken_read_only", "teken_alone"
_LOOK_AGAIN_SECONDS = 0.002
_PRIMARY = 0xFF  # of an extended result code of SQLite
_READING: dict[str, dict[str, Any]] = {
    "sqlite": {READ_ONLY: True},
    "postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
}
_ASKING: dict[str, dict[str, Any]] = {"sqlite": {ALONE: True}, "postgresql": {"isolation_level": "AUTOCOMMIT"}}


class StoreBusy(Exception):
    """The database could not be reached or locked in time; nothing was written. Try again in a few seconds."""


class Database:
    """One engine. `write()` is a transaction that holds the write lock from its start on SQLite (BEGIN IMMEDIATE).

    `look_only`: for `read()` alone, and SQLite's files stay as they are. Without a `vault`, sealed columns can be neither read nor written.
    """

    def __init__(
        self, url: str, *, busy_seconds: float = 5, look_only: bool = False, vault: Vault | None = None
    ) -> None:
        self.url = url
        self.dialect = make_url(url).get_backend_name()
        sqlite_engine = sqlite_to_look_at if look_only else _sqlite
        self.engine = (sqlite_engine if self.dialect == "sqlite" else postgresql)(url, busy_seconds)
        if vault is not None:
            hold(self.engine.dialect, vault)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Yield a connection in a write transaction; committed at the end, rolled back on any exception.

        Raises StoreBusy when the lock or the server can't be had in time.
        """
        with self._busy_is_plain(to_write=True), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection that sees one committed state and takes no write lock."""
        with (
            self._busy_is_plain(to_write=False),
            self.engine.connect().execution_options(**_READING[self.dialect]) as connection,
            connection.begin(),
        ):
            yield connection

    def ask(self, question: Select[Any], values: Mapping[str, Any]) -> Sequence[Row[Any]]:
        """Return what one question finds: alone it sees one committed state without a transaction's round trips.

        Raises StoreBusy.
        """
        with (
            self._busy_is_plain(to_write=False),
            self.engine.connect().execution_options(**_ASKING[self.dialect]) as connection,
        ):
            return connection.execute(question, values).all()

    def dispose(self) -> None:
        """Close pooled connections (before a fork, at the end of a test)."""
        self.engine.dispose()

    @contextmanager
    def _busy_is_plain(self, *, to_write: bool) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            state = getattr(error.orig, "sqlstate", None)
            follows = to_write and state == READ_ONLY_SERVER
            if follows:
                self.dispose()  # all pooled connections lead to a standby: new ones look for the primary
            away = isinstance(error, OperationalError) and not _is_fault_of_ours(error.orig)
            if away or follows or error.connection_invalidated or state == IDLE_TOO_LONG:
                raise StoreBusy(type(error.orig).__name__) from error
            raise


def _is_fault_of_ours(error: BaseException | None) -> bool:
    """SQLite's driver tells a statement that can never work by the same class as a locked file."""
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR


def _sqlite(url: str, busy_seconds: float) -> Engine:
    path = make_url(url).database
    if path and path != ":memory:":
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        check_local(Path(path))
    engine = create_engine(
        url, connect_args={"timeout": busy_seconds}, hide_parameters=True, pool_size=8, max_overflow=64
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = (
            None  # the driver's own transaction control is off: SQLAlchemy's BEGIN is the only one
        )
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get(READ_ONLY):
            connection.exec_driver_sql("BEGIN")
        elif not options.get(ALONE):
            _lock(connection, busy_seconds)

    return engine


def _lock(connection: Connection, busy_seconds: float) -> None:
    """Begin a transaction that holds the write lock, as soon as it is free.

    SQLite itself looks again in steps that grow to 100 ms: beside workers that write all the time a person's act would wait for long.
    """
    driver: Any = connection.connection.driver_connection
    until = time.monotonic() + busy_seconds
    driver.execute("PRAGMA busy_timeout=0")
    try:
        while _is_locked(driver) and time.monotonic() < until:
            time.sleep(_LOOK_AGAIN_SECONDS)
        if not driver.in_transaction:
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # raises as SQLAlchemy does
    finally:
        driver.execute(f"PRAGMA busy_timeout={int(busy_seconds * 1000)}")


def _is_locked(driver: Any) -> bool:
    try:
        driver.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        return error.sqlite_errorcode & _PRIMARY == sqlite3.SQLITE_BUSY
    return False
