"""Somebody holds the database: a writer on SQLite, locked tables on PostgreSQL. Who asks waits, then is told to come again."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import psycopg

from tests.faults.lab.bench import Bench
from tests.faults.lab.drills import drilling, storm
from tests.faults.lab.scene import Row, Scene, numbered

ROUNDS = 6
TABLES = ("permits", "chains", "series", "idempotency", "events")


def play(bench: Bench, scene: Scene) -> None:
    """Locks of every kind, shorter and longer than anybody waits."""
    with drilling(bench, scene, busy_seconds=0.4) as drill, ExitStack() as held:
        url = drill.teken.settings.database_url
        takes = _postgresql(url) if url else _sqlite(drill.home / "teken.db")
        troubles = [(name, lambda take=take: held.enter_context(take()), held.close) for name, take in takes.items()]
        storm(scene, drill, ROUNDS, troubles)
        drill.all_alive()


def _sqlite(path: Path) -> dict[str, Callable[[], _Held]]:
    statements = {
        "a writer holds the file": ("BEGIN IMMEDIATE",),
        "somebody holds it alone": ("BEGIN EXCLUSIVE",),
        "a reader keeps an old state": ("BEGIN", "SELECT count(*) FROM permits"),
    }
    return {name: partial(_held, path, *words) for name, words in statements.items()}


class _Held:
    """A connection with an open transaction, until the block ends."""

    def __init__(self, connection: sqlite3.Connection | psycopg.Connection) -> None:
        self.connection = connection

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        self.connection.rollback()
        self.connection.close()


def _held(path: Path, *statements: str) -> _Held:
    connection = sqlite3.connect(path, isolation_level=None, timeout=10)
    for statement in statements:
        connection.execute(statement).fetchall()
    return _Held(connection)


def _postgresql(url: str) -> dict[str, Callable[[], _Held]]:
    return {f"table {table} is locked": partial(_locked, url, table) for table in TABLES}


def _locked(url: str, table: str) -> _Held:
    connection = psycopg.connect(url)
    connection.execute("SET lock_timeout = '10s'")
    connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
    return _Held(connection)


ROW = Row(
    "locked",
    "BEGIN IMMEDIATE, BEGIN EXCLUSIVE, an old reader (SQLite); LOCK TABLE of every busy table (PostgreSQL)",
    "it is asked again; no case is blamed and no process ends",
    numbered(4),
    play,
)
