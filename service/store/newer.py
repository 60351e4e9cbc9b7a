"""Whether a program can run on a schema that is newer than itself: hosts are upgraded one after the other, and may restart between."""

from __future__ import annotations

from collections.abc import Iterator

import structlog
from sqlalchemy import Connection, MetaData, inspect

log = structlog.get_logger("teken.store")


class SchemaTooNew(Exception):
    """A newer program changed what this one knows; the message names tables and columns, and this program does not start."""


def check_newer(connection: Connection, known: MetaData) -> None:
    """Let pass a database that has all that is known, and more that need not be filled in. Raises SchemaTooNew."""
    found = sorted(misfits(connection, known))
    if found:
        raise SchemaTooNew(f"a newer program changed this database: {', '.join(found)}; start that one")
    log.warning("schema_ahead")


def misfits(connection: Connection, known: MetaData) -> Iterator[str]:
    """Yield tables and columns that are gone, and new columns that this program can't leave empty."""
    there = inspect(connection)
    names = set(there.get_table_names())
    for table in known.tables.values():
        if table.name not in names:
            yield table.name
            continue
        columns = {one["name"]: one for one in there.get_columns(table.name)}
        yield from (f"{table.name}.{column.name}" for column in table.columns if column.name not in columns)
        for name, one in columns.items():
            if name not in table.columns and not one["nullable"] and one["default"] is None:
                yield f"{table.name}.{name}"
