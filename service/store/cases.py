"""A new permit with its first revision and the notes of its holder's name: one statement on PostgreSQL, three on SQLite."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import BindParameter, Connection, Executable, Row, Table, bindparam, insert, select, true
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import ColumnDefault

from service.store import names
from service.store.once import insert_once
from service.store.tables import case_names, permits, revisions

ONE_EACH = ("client", "upstream_id")
TOLD = ("id", "office", "client", "upstream_id", "state", "queue", "revision")


def insert_case(connection: Connection, permit: dict[str, Any], revision: dict[str, Any]) -> Row[Any] | None:
    """Insert a permit with its first revision; return its columns `TOLD`, or None if upstream's case has a permit."""
    if connection.dialect.name == "postgresql":
        noted = names.beginnings(connection, permit["office"], revision["body"])
        permit = _DEFAULTS | permit
        given = _named(permits, permit) | _named(revisions, revision) | {names.GIVEN: noted}
        return connection.execute(_at_once(tuple(permit), tuple(revision)), given).first()
    row = insert_once(connection, permits, ONE_EACH, permit, TOLD)
    if row is not None:
        connection.execute(_ADD, revision | {"permit": row.id})
        names.note(connection, row.id, row.office, revision["body"])
    return row


_ADD = insert(revisions)
_DEFAULTS = {one.name: one.default.arg for one in permits.c if isinstance(one.default, ColumnDefault)}
"""SQLAlchemy adds them to a statement, not to a part of one."""


@cache
def _at_once(of_permit: tuple[str, ...], of_revision: tuple[str, ...]) -> Executable:
    """Return the statement: whoever comes second inserts nothing of all three."""
    permit = {name: _parameter(permits, name) for name in of_permit}
    first = postgresql.insert(permits).values(permit).on_conflict_do_nothing(index_elements=ONE_EACH)
    made = first.returning(*(permits.c[name] for name in TOLD)).cte("made")
    row = select(made.c.id, *(_parameter(revisions, name) for name in of_revision))
    revised = insert(revisions).from_select(["permit", *of_revision], row).cte("revised")
    each = names.each("postgresql")
    beginnings = select(made.c.id, each.c.value).select_from(made.join(each, true()))
    noted = insert(case_names).from_select(["permit", "begins"], beginnings).cte("noted")
    return select(made).add_cte(revised, noted)


def _parameter(table: Table, name: str) -> BindParameter[Any]:
    return bindparam(f"{table.name}_{name}", type_=table.c[name].type)


def _named(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    return {f"{table.name}_{name}": value for name, value in row.items()}
