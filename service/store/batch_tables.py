"""Tables of batches: one authorisation for many documents, and what signing processes need to take part."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, text

from service.store.tables import metadata, one_of


class BatchState(StrEnum):
    """Where a batch stands. The first three hold a secret; from the next four the official may go on; the last is the end."""

    OPEN = "open"
    PROVING = "proving"
    RUNNING = "running"
    PAUSED = "paused"
    REFUSED = "refused"
    EXPIRED = "expired"
    STOPPED = "stopped"
    DONE = "done"


class Result(StrEnum):
    """What became of one document of a batch."""

    WAITING = "waiting"
    SIGNED = "signed"
    FAILED = "failed"
    SKIPPED = "skipped"


class Asked(StrEnum):
    """What became of a request for a one-time code. `sending`: a signing process asks the service; if it dies, nobody knows."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


signers = Table(
    "signers",
    metadata,
    Column("id", Text, primary_key=True),  # a process: gone with it
    Column("host_key", Text, nullable=False),
    Column("public_key", Text, nullable=False),
    Column("announced_at", Text, nullable=False),
    Column("expires_at", Text, nullable=False),
    Column("signature", Text, nullable=False),  # of all the above, by the host's identity: only this is believed
)

batches = Table(
    "batches",
    metadata,
    Column("id", Text, primary_key=True),
    Column("office", Text, nullable=False, index=True),
    Column("official", Text, ForeignKey("officials.id"), nullable=False),
    Column("certificate_sha256", Text, nullable=False),
    Column("state", Text, nullable=False, index=True),
    Column("cause", Text),
    Column("prover", Text),  # the one signing process that may try the passphrase
    Column("vouch", Text, nullable=False),  # signature of batch, official and list: what is resumed is what was opened
    Column("opened_at", Text, nullable=False),
    Column("expires_at", Text, nullable=False),
    Column("ended_at", Text),
    one_of("state", list(BatchState)),
)

batch_items = Table(
    "batch_items",
    metadata,
    Column("batch", Text, ForeignKey("batches.id"), primary_key=True),
    Column("permit", Text, ForeignKey("permits.id"), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("seen_sha", Text, nullable=False),
    Column("ordered", Integer, nullable=False, default=0),  # 1 while the permit waits for this batch's signature
    Column("result", Text, nullable=False),
    Column("cause", Text),
    Column("retryable", Integer, nullable=False, default=0),
    Column("settled_at", Text),
    one_of("result", list(Result)),
)
ORDERED = text("ordered = 1")
Index(
    "one_order_per_permit",
    batch_items.c.permit,
    unique=True,
    sqlite_where=ORDERED,
    postgresql_where=ORDERED,
)

sealed_secrets = Table(
    "sealed_secrets",
    metadata,
    Column("batch", Text, ForeignKey("batches.id"), primary_key=True),
    Column("signer", Text, primary_key=True),
    Column("sender_key", Text, nullable=False),
    Column("ciphertext", Text, nullable=False),
    Column("host_key", Text, nullable=False),  # of the web host that sealed it
    Column("sealed_at", Text, nullable=False),
    Column("signature", Text, nullable=False),  # of all the above, by that host: only this is looked at
)

code_requests = Table(
    "code_requests",
    metadata,
    Column("id", Text, primary_key=True),
    Column("official", Text, ForeignKey("officials.id"), nullable=False),
    Column("documents", Integer, nullable=False),  # that the code is wanted for
    Column("state", Text, nullable=False, index=True),
    Column("asked_at", Text, nullable=False),
    Column("ended_at", Text),
    Column("cause", Text),
    one_of("state", list(Asked)),
    Index("codes_of_official", "official", "asked_at"),
)
"""A person's wish for a one-time code: only a signing process knows his account, so it asks the service. The code is never here."""
