"""What went out to a signing service: one row before bytes leave this machine, its outcome afterwards."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import Column, ForeignKey, Table, Text

from service.store.tables import metadata, one_of


class Outcome(StrEnum):
    """What is known of one dispatch. `dispatched` and `unknown` forbid another one until the signer has confirmed it."""

    DISPATCHED = "dispatched"
    RETURNED = "returned"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    RESEND_CONFIRMED = "resend_confirmed"


dispatches = Table(
    "dispatches",
    metadata,
    Column("id", Text, primary_key=True),
    Column("permit", Text, ForeignKey("permits.id"), nullable=False, index=True),
    Column("batch", Text, ForeignKey("batches.id")),  # null: a seal, or ordered alone
    Column("field", Text, nullable=False),
    Column("backend", Text, nullable=False),
    Column("sent_sha", Text, nullable=False),
    Column("by", Text, nullable=False),  # whose signature or seal it is
    Column("process", Text, nullable=False),  # the signing process that sent it
    Column("dispatched_at", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("cause", Text),
    Column("returned_sha", Text),  # what came back, also if it was not believed
    Column("ended_at", Text),
    one_of("outcome", list(Outcome)),
)
