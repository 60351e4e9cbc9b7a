"""Where events go out: each client's endpoints with their place in the journal, and what came of each try."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text

from service.store.tables import metadata, one_of

ENDPOINT_STATES = ["active", "paused", "parked", "disabled"]
"""paused: by a person. parked: it failed for three days. disabled: the receiver said 410 Gone. All three wait for a person."""

endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("id", Text, primary_key=True),
    Column("client", Text, ForeignKey("clients.id"), nullable=False, index=True),
    Column("url", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("types", Text, nullable=False),  # JSON list of event types; empty: all
    Column("state", Text, nullable=False),
    Column("secret", Text, nullable=False),  # sealed (service/vault.py), as is the next one
    Column("old_secret", Text),  # signs too until `old_until`
    Column("old_until", Text),
    Column("cursor", Integer, nullable=False),  # the last event that is done with
    Column("attempts", Integer, nullable=False, default=0),  # failed ones of the event after the cursor
    Column("failing_since", Text),
    Column("fault", Text),  # why the last try failed: a code
    Column("due_at", Text, nullable=False),
    Column("lease_until", Text, nullable=False, default=""),
    Column("fence", Integer, nullable=False, default=0),  # grows with every claim and every change by a person
    Column("created_at", Text, nullable=False),
    one_of("state", ENDPOINT_STATES),
)
Index("webhook_endpoints_due", endpoints.c.state, endpoints.c.due_at)

attempts = Table(
    "webhook_attempts",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("endpoint", Text, ForeignKey("webhook_endpoints.id"), nullable=False),
    Column("event", Text, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("no", Integer, nullable=False),  # the how-manieth try of this event in a row; 0: passed over by a person
    Column("at", Text, nullable=False),
    Column("status", Integer),  # what the receiver answered; null: nothing
    Column("milliseconds", Integer, nullable=False),
    Column("fault", Text),  # null: delivered
)
Index("webhook_attempts_of_endpoint", attempts.c.endpoint, attempts.c.id)
Index("webhook_attempts_at", attempts.c.at)
