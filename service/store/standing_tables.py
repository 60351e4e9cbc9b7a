"""What rounds over the whole house came to last: a scrub, the second copy, an examination. One row each, the newest."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table, Text, text

from service.store.dispatch_tables import dispatches
from service.store.tables import metadata, upkeep

standings = Table(
    "standings",
    metadata,
    Column("name", Text, primary_key=True),  # which round
    Column("place", Text, primary_key=True),  # of what: an archive's address, a host; "" where there is only one
    Column("at", Text, nullable=False),
    Column("number", Integer, nullable=False),  # what is counted of it: files lost, events followed
    Column("detail", Text, nullable=False),  # JSON; never personal data
)

FAILING = text("fault IS NOT NULL")
UNSETTLED = text("outcome IN ('dispatched','unknown')")
"""In the words of their indexes: with other words SQLite reads every row."""
Index("upkeep_failing", upkeep.c.permit, sqlite_where=FAILING, postgresql_where=FAILING)
Index("dispatches_unsettled", dispatches.c.permit, sqlite_where=UNSETTLED, postgresql_where=UNSETTLED)
