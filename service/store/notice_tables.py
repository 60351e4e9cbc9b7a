"""What applicants are told: one row for each message and channel. Neither address nor text is in it; both are made when it is sent."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, text

from service.store.tables import metadata, one_of


class Outcome(StrEnum):
    """What became of one notice. All but `waiting` are ends; a person may send what failed once more."""

    WAITING = "waiting"
    SENT = "sent"  # the gateway or mail server has taken it
    REFUSED = "refused"  # it said that this can't be sent, now or later
    GIVEN_UP = "given_up"  # a day of tries
    NO_ADDRESS = "no_address"  # the case says none for any of the office's channels
    MOOT = "moot"  # no longer true when its turn came


notices = Table(
    "notices",
    metadata,
    Column("id", Text, primary_key=True),  # follows from occasion and channel: the same after a restore
    Column("office", Text, nullable=False),
    Column("permit", Text, ForeignKey("permits.id"), nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("occasion", Text, nullable=False),  # the event's id, or the day on which the permit ends
    Column("channel", Text, nullable=False),
    Column("made_at", Text, nullable=False),
    Column("due_at", Text, nullable=False),
    Column("until", Text, nullable=False),  # no try after this
    Column("lease_until", Text, nullable=False, default=""),
    Column("fence", Integer, nullable=False, default=0),
    Column("attempts", Integer, nullable=False, default=0),
    Column("outcome", Text, nullable=False),
    Column("cause", Text),  # why the last try failed: a code
    Column("ended_at", Text),
    one_of("kind", ["ready", "issued", "returned", "expiring"]),
    one_of("channel", ["whatsapp", "sms", "email"]),
    one_of("outcome", list(Outcome)),
)
_WAITING = text("outcome = 'waiting'")
Index("notices_due", notices.c.due_at, notices.c.id, sqlite_where=_WAITING, postgresql_where=_WAITING)
FAILED = text("outcome IN ('refused','given_up')")
"""In the words of its index."""
Index("notices_failed", notices.c.office, notices.c.ended_at, sqlite_where=FAILED, postgresql_where=FAILED)

followed = Table(
    "notices_followed",
    metadata,
    Column("name", Text, primary_key=True),  # journal
    Column("seq", Integer, nullable=False),  # the last event of which notices were made
)
