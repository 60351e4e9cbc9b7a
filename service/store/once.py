"""Rows that are inserted unless somebody else was first: one statement, made once for each engine."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import Connection, Executable, Row, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_once(
    connection: Connection, table: Table, keys: tuple[str, ...], row: dict[str, Any], told: tuple[str, ...] = ()
) -> Row[Any] | None:
    """Insert the row and return it as it is stored (`told`: these columns), or None if there is one with these keys."""
    # RETURNING instead of a count: psycopg gives -1 here
    return connection.execute(_statement(table, keys, told, connection.dialect.name), row).first()


@cache
def _statement(table: Table, keys: tuple[str, ...], told: tuple[str, ...], engine: str) -> Executable:
    insert = postgresql.insert if engine == "postgresql" else sqlite.insert
    columns = [table.c[name] for name in told] or table.c
    return insert(table).on_conflict_do_nothing(index_elements=keys).returning(*columns)
