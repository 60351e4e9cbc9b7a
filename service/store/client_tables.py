"""Tables of upstream systems' keys: several for one client, so that one can be changed for another without a pause."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Table, Text

from service.store.sealed import Sealed
from service.store.tables import metadata

client_keys = Table(
    "client_keys",
    metadata,
    Column("prefix", Text, primary_key=True),  # the key's public half
    Column("client", Text, ForeignKey("clients.id"), nullable=False, index=True),
    Column("hash", Text, nullable=False),  # SHA-256 of the secret half
    Column("signing", Sealed("client_keys.signing")),  # what its requests are signed with; null: a key of before that
    Column("created_at", Text, nullable=False),
    Column("expires_at", Text),
    Column("revoked_at", Text),
    Column("used_at", Text),  # to the hour
)

request_nonces = Table(
    "request_nonces",
    metadata,
    Column("prefix", Text, ForeignKey("client_keys.prefix"), primary_key=True),
    Column("nonce", Text, primary_key=True),
    Column("at", Text, nullable=False),  # forgotten once a request of that time is too old anyway
)
Index("request_nonces_at", request_nonces.c.at)
