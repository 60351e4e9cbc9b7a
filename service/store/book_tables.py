"""Tables of the register book: what the paper agenda holds from before, and how each month and year was closed."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text

from service.store.sealed import Sealed
from service.store.tables import metadata

earlier_entries = Table(
    "earlier_entries",
    metadata,
    Column("office", Text, primary_key=True),
    Column("number", Text, primary_key=True),
    Column("series", Text, nullable=False),  # the code of the office's series
    Column("day", Text, nullable=False),
    Column("name", Sealed("earlier_entries.name"), nullable=False),
    Column("type", Text, nullable=False),  # in the agenda's own words
    Column("place", Sealed("earlier_entries.place"), nullable=False),
    Column("valid_to", Text),
    Column("note", Sealed("earlier_entries.note"), nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Text, nullable=False),
)
Index("earlier_of_series", earlier_entries.c.office, earlier_entries.c.series, earlier_entries.c.day)

closings = Table(
    "closings",
    metadata,
    Column("series", Text, ForeignKey("series.name"), primary_key=True),
    Column("period", Text, primary_key=True),  # "2026-11" or "2026"
    Column("office", Text, nullable=False),
    Column("first", Text, nullable=False),
    Column("last", Text, nullable=False),
    Column("allotted", Integer, nullable=False),
    Column("voided", Integer, nullable=False),
    Column("reserved", Integer, nullable=False),
    Column("sha256", Text, nullable=False),  # of the list as it stood
    Column("checkpoint", Text, nullable=False),  # the journal's newest, beside it
    Column("by", Text, nullable=False),  # account
    Column("at", Text, nullable=False),
)
