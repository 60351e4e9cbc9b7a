"""Tables of the desk: who logs in, his sessions, failed attempts, what he saw and did, and what waits for a second person."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, text

from service.store.sealed import Sealed
from service.store.tables import metadata, one_of, permits


class Decision(StrEnum):
    """What became of a proposal."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


accounts = Table(
    "accounts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("office", Text, nullable=False, index=True),
    Column("login", Text, nullable=False, unique=True),
    Column("official", Text, ForeignKey("officials.id"), unique=True),  # null: admin or auditor who is no official
    Column("name", Text, nullable=False),
    Column(
        "duties", Text, nullable=False
    ),  # JSON list: admin, operator, auditor, ajudan. SOP roles come from mandates alone
    Column("password_hash", Text),  # null until the invitation is used
    Column("totp_sealed", Text),  # sealed by the desk's key: a copy of the database makes no codes
    Column("totp_step", Integer, nullable=False, default=0),  # the newest time step that was used: no code twice
    Column("invite_hash", Text),
    Column("invite_until", Text),
    Column("created_at", Text, nullable=False),
    Column("disabled_at", Text),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", Text, primary_key=True),
    Column("account", Text, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("csrf", Text, nullable=False),
    Column("started_at", Text, nullable=False),
    Column("seen_at", Text, nullable=False),
    Column("strong_at", Text),  # when the second factor was shown; null: may do nothing else
    Column("expires_at", Text, nullable=False),
)

devices = Table(
    "devices",
    metadata,
    Column("token_hash", Text, primary_key=True),
    Column("account", Text, ForeignKey("accounts.id"), nullable=False),
    Column("at", Text, nullable=False),
)

failures = Table(
    "login_failures",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("bucket", Text, nullable=False),  # a keyed hash of account and source: neither can be read from it
    Column("at", Text, nullable=False),
)
Index("login_failures_of", failures.c.bucket, failures.c.at)

desk_log = Table(
    "desk_log",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Text, nullable=False),
    Column("office", Text, nullable=False),
    Column("account", Text, nullable=False),  # "" when nobody was logged in
    Column("action", Text, nullable=False),
    Column("permit", Text),
    Column("outcome", Text, nullable=False),  # ok, or the code of the refusal
    Column("detail", Text, nullable=False, default="{}"),
)
Index("desk_log_of_office", desk_log.c.office, desk_log.c.id)
Index("desk_log_of_permit", desk_log.c.permit, desk_log.c.id)

proposals = Table(
    "proposals",
    metadata,
    Column("id", Text, primary_key=True),
    Column("office", Text, nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("subject", Text),  # a permit, an official, a day: whatever the kind speaks of
    Column("payload", Sealed("proposals.payload"), nullable=False),
    Column("proposed_by", Text, ForeignKey("accounts.id"), nullable=False),
    Column("proposed_at", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("decided_by", Text, ForeignKey("accounts.id")),
    Column("decided_at", Text),
    one_of("state", list(Decision)),
)

case_notes = Table(
    "case_notes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("permit", Text, ForeignKey("permits.id"), nullable=False, index=True),
    Column("account", Text, ForeignKey("accounts.id"), nullable=False),
    Column("text", Sealed("case_notes.text"), nullable=False),
    Column("first", Integer, nullable=False, default=0),  # 1: asks that this case be taken before others
    Column("at", Text, nullable=False),
    Column("withdrawn_at", Text),
)

holidays = Table(
    "holidays",
    metadata,
    Column("office", Text, primary_key=True),
    Column("day", Text, primary_key=True),  # beside those of the office's file
    Column("name", Text, nullable=False),
    Column("decision", Text, nullable=False),
    Column("added_at", Text, nullable=False),
)

PUT_FIRST = text("(first = 1 AND withdrawn_at IS NULL)")
AT_DESK = text("queue = 'person'")
STUCK = text("(parked_from IS NOT NULL OR state IN ('parked','returned'))")
"""What the work lists ask for, in the words of their indexes: with other words SQLite reads every permit."""
Index("case_notes_first", case_notes.c.permit, sqlite_where=PUT_FIRST, postgresql_where=PUT_FIRST)
Index(
    "permits_at_desk",
    permits.c.office,
    permits.c.pin,
    permits.c.position,
    sqlite_where=AT_DESK,
    postgresql_where=AT_DESK,
)
Index("permits_stuck", permits.c.office, sqlite_where=STUCK, postgresql_where=STUCK)
