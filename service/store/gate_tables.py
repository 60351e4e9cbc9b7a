"""The table of the gate before the register: one row each time that numbering was closed."""

from __future__ import annotations

from sqlalchemy import Column, Integer, Table, Text, exists

from service.store.tables import metadata, one_of

closures = Table(
    "closures",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # 1, 2, ...: two processes can't close twice at once
    Column("cause", Text, nullable=False),
    Column("told", Text, nullable=False),  # JSON: what was compared; nothing personal
    Column("closed_at", Text, nullable=False),
    Column("opened_at", Text),  # null: numbering is closed
    Column("opened_by", Text),
    Column("reason", Text),
    one_of("cause", ["restored", "went_back"]),
)
is_closed = exists().where(closures.c.opened_at.is_(None))
"""Whether numbering is closed."""
