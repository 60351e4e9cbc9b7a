"""What a permit asks of SQLite does not grow with the register: every statement finds its rows by an index."""

from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy import event, select

from service.store.released import has_code
from service.store.tables import metadata, permits
from tests.support.office import TYPES, client_of, open_office, payload, play, post, row

FEW = {"mandates", "officials", "certificates", "clients", "chains", "series", "signers", "closures"}
"""As many rows as the office has people, keys, clients, years, signing processes and restored backups."""


@pytest.mark.parametrize(("office", "permit_type"), TYPES[:3])
def test_no_statement_reads_a_whole_table_that_grows(tmp_path, keys, office, permit_type):
    teken = open_office(tmp_path, keys)
    client = client_of(teken, office)
    asked = {}

    @event.listens_for(teken.db.engine, "before_cursor_execute")
    def note(_connection, _cursor, statement, parameters, _context, many):
        asked[statement] = parameters[0] if many else parameters

    first = post(teken, client, payload(office, permit_type), "kunci").body["id"]
    play(teken, first)
    number = row(teken, first).number
    renewal = payload(office, permit_type, "UJI-0002", request_kind="PERPANJANGAN", replaces=number)
    assert post(teken, client, renewal, "kunci-2").status == 202
    teken.close()
    with sqlite3.connect(tmp_path / "teken.db") as connection:
        plans = {statement: _plan(connection, statement, values) for statement, values in asked.items()}
    connection.close()
    assert len(plans) > 40
    grows = set(metadata.tables) - FEW
    assert not {
        s: plan for s, plan in plans.items() if any(f"SCAN {table}" in step for table in grows for step in plan)
    }


def _plan(connection, statement, values):
    if not statement.startswith(("SELECT", "UPDATE", "INSERT", "DELETE")):
        return []
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)]


def test_a_code_that_is_not_issued_is_looked_for_as_one_that_does_not_exist(tmp_path, keys):
    """Through the index of released permits alone: the row behind the code is not touched."""
    teken = open_office(tmp_path, keys)
    with teken.db.read() as connection:
        query = (
            select(permits)
            .where(has_code("7K3M9QXT2WPA5D8H"))
            .compile(connection, compile_kwargs={"literal_binds": True})
        )
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}")]
    teken.close()
    assert plan == ["SEARCH permits USING INDEX permits_released_code (<expr>=?)"]
