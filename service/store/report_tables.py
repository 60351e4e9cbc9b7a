"""The table of what citizens report. Text and contact are erased after a while; that there was a report stays."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import Column, ForeignKey, Index, Table, Text

from service.store.sealed import Sealed
from service.store.tables import metadata, one_of


class Progress(StrEnum):
    """What became of a report."""

    NEW = "new"
    SEEN = "seen"
    ANSWERED = "answered"
    CLOSED = "closed"


OPEN = (Progress.NEW, Progress.SEEN)

reports = Table(
    "reports",
    metadata,
    Column("id", Text, primary_key=True),  # the reference number that the citizen got
    Column("office", Text, nullable=False),
    Column("permit", Text, ForeignKey("permits.id")),  # a released one of this office, or none
    Column("code", Text),  # as the paper has it; also where nothing is known of it
    Column("differs", Text, nullable=False),  # JSON list
    Column("text", Sealed("reports.text")),
    Column("contact", Sealed("reports.contact")),
    Column("at", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("note", Text),
    Column("by", Text, ForeignKey("accounts.id")),
    Column("ended_at", Text),
    Column("erased_at", Text),
    one_of("state", list(Progress)),
)
Index("reports_of_office", reports.c.office, reports.c.state, reports.c.at)
Index("reports_to_erase", reports.c.erased_at, reports.c.at)
