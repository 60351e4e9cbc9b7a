"""Fills a database with a million permits in minutes: the database itself copies the rows of one that was really issued.

Left out is what neither intake nor the answer to a code touches: acts, prints, tickets. Hashes of the copies are chance, so the
chains don't hold; `benchmarks/filling.py` makes fewer and true ones.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Integer,
    MetaData,
    Table,
    Text,
    func,
    insert,
    literal,
    select,
    text,
    update,
)

from service import journal
from service.clock import stamp
from service.growing_ids import growing_id
from service.store import tables
from service.store.book_tables import earlier_entries
from service.store.database import ALONE
from service.wiring import Teken

if TYPE_CHECKING:
    from service.store.postgres import Impatient

CHUNK = 20_000
PATIENT_SECONDS = 600
FIRST, BETWEEN = datetime(2021, 1, 4, tzinfo=UTC), timedelta(seconds=150)
EVENTS = ("case.accepted", "permit.numbered", "permit.issued")
COPIED = (tables.revisions, tables.documents, tables.case_names, tables.register)
copies = Table(
    "bulk_copies",
    MetaData(),
    Column("no", Integer, primary_key=True, autoincrement=False),
    Column("permit", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("sha", Text, nullable=False),
)


def fill(teken: Teken, model: str, count: int) -> None:
    """Add `count` released permits like the permit `model`."""
    for start in range(0, count, CHUNK):
        with _hurried(teken) as connection:
            _name(connection, start, min(CHUNK, count - start))
            for table, row, others in _rows(connection, model):
                columns = list(row)
                values = [others.get(name, literal(row[name], table.c[name].type)).label(name) for name in columns]
                made = (
                    select(*values).select_from(copies).order_by(copies.c.permit)
                )  # neighbours in the tables' own order
                connection.execute(insert(table).from_select(columns, made))
            _move_chain(connection)
            copies.drop(connection)
    with _hurried(teken) as connection:
        connection.execute(text("ANALYZE"))


@contextmanager
def _hurried(teken: Teken) -> Iterator[Connection]:
    """Yield a connection in a transaction that nobody would miss after a power cut; its memory holds the indexes."""
    if teken.db.dialect == "postgresql":
        with teken.db.write() as connection:
            cast("Impatient", connection.connection.driver_connection).patience = PATIENT_SECONDS
            for name, value in {"synchronous_commit": "off", "statement_timeout": "0", "work_mem": "'64MB'"}.items():
                connection.exec_driver_sql(f"SET LOCAL {name} = {value}")
            yield connection
        return
    with teken.db.engine.connect().execution_options(**{ALONE: True}) as connection:
        for pragma in ("synchronous=OFF", "cache_size=-800000", "wal_autocheckpoint=50000"):
            connection.exec_driver_sql(f"PRAGMA {pragma}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield connection
        connection.commit()


def import_earlier(teken: Teken, office: str, count: int) -> None:
    """Enter numbers of before Teken into the book, as an office does on its first day."""
    first, series = date(2021, 1, 4), next(iter(teken.offices.office(office).series))
    rows = [
        {
            "office": office,
            "number": f"503/{no:04}/LAMA/{(first + timedelta(days=no // 4)).year}",
            "series": series,
            "day": (first + timedelta(days=no // 4)).isoformat(),
            "name": f"Orang Contoh {no:04}",
            "type": "Izin praktik",
            "place": f"Klinik Contoh {no % 97}",
            "valid_to": None,
            "note": "",
            "by": "impor",
            "at": stamp(teken.clock.now()),
        }
        for no in range(count)
    ]
    with teken.db.write() as connection:
        connection.execute(insert(earlier_entries), rows)


def codes(teken: Teken, count: int) -> list[str]:
    """Return the codes of so many released permits, drawn from all."""
    released = tables.permits.c.released_sha.is_not(None)
    with teken.db.read() as connection:
        found = connection.execute(select(tables.permits.c.code).where(released)).scalars().all()
    return random.Random(1).choices(found, k=count)


def _name(connection: Connection, start: int, count: int) -> None:
    copies.create(connection)
    named = [
        {
            "no": start + no,
            "permit": growing_id("izn", 20, FIRST + (start + no) * BETWEEN),
            "code": secrets.token_hex(8).upper(),
        }
        for no in range(count)
    ]
    connection.execute(insert(copies), [one | {"sha": secrets.token_hex(32)} for one in named])


def _rows(connection: Connection, model: str) -> Iterator[tuple[Table, dict[str, Any], dict[str, ColumnElement[Any]]]]:
    """Yield each row to copy with what is another one's in every copy."""
    mine: dict[str, ColumnElement[Any]] = {"permit": copies.c.permit, "sha": copies.c.sha, "hash": copies.c.sha}
    number = literal("400/") + copies.c.sha
    for row in _select(connection, tables.permits, tables.permits.c.id == model):
        own = {"id": copies.c.permit, "upstream_id": copies.c.sha, "code": copies.c.code, "number": number}
        yield tables.permits, row, own | {"released_sha": copies.c.sha}
    for table in COPIED:
        for row in _select(connection, table, table.c.permit == model):
            more = {"seq": copies.c.no + 1_000_000, "no": copies.c.no + 1_000_000, "number": number}
            yield table, row, mine | (more if table is tables.register else {})
    length = connection.execute(select(tables.chains.c.length)).scalar_one()
    first = select(func.min(copies.c.no)).scalar_subquery()
    told = [row for row in _select(connection, tables.events, tables.events.c.permit == model) if row["type"] in EVENTS]
    for at, row in enumerate(told):
        seq = length + 1 + at + (copies.c.no - first) * len(told)
        yield tables.events, row, mine | {"seq": seq, "id": _event_id(at), "prev": copies.c.sha}


def _event_id(at: int) -> ColumnElement[str]:
    """Make an id as `growing_id` does, of its permit's time."""
    return literal("evt_") + func.substr(copies.c.permit, 5, 10) + func.substr(copies.c.sha, 1, 13) + literal(str(at))


def _select(connection: Connection, table: Table, which: Any) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in connection.execute(select(table).where(which))]


def _move_chain(connection: Connection) -> None:
    newest = connection.execute(select(tables.events).order_by(tables.events.c.seq.desc()).limit(1)).one()
    moved = update(tables.chains).where(tables.chains.c.name == journal.JOURNAL)
    connection.execute(moved.values(length=newest.seq, head=newest.hash))
