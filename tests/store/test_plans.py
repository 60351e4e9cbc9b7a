"""What a permit asks of SQLite does not grow with the register: every statement finds its rows by an index."""

from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy import event

from service.store.tables import metadata
from tests.support.office import TYPES, client_of, open_office, payload, play, post

FEW = {"mandates", "officials", "certificates", "clients", "chains", "series", "signers"}
"""As many rows as the office has people, keys, clients, years and signing processes."""


@pytest.mark.parametrize(("office", "permit_type"), TYPES[:3])
def test_no_statement_reads_a_whole_table_that_grows(tmp_path, keys, office, permit_type):
    teken = open_office(tmp_path, keys)
    client = client_of(teken, office)
    asked = {}

    @event.listens_for(teken.db.engine, "before_cursor_execute")
    def note(_connection, _cursor, statement, parameters, _context, _many):
        asked[statement] = parameters

    play(teken, post(teken, client, payload(office, permit_type), "kunci").body["id"])
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
