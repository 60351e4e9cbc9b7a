"""Tables of the offline QR: every key that ever signed, the newest list of each office, and codes that no paper bears any more."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from sqlalchemy import Column, ForeignKey, Index, Table, Text

from service.store.tables import metadata, one_of


class KeyState(StrEnum):
    """What a key is good for: active signs; retired proves what it signed; compromised proves nothing."""

    ACTIVE = "active"
    RETIRED = "retired"
    COMPROMISED = "compromised"


qr_keys: Final = Table(
    "qr_keys",
    metadata,
    Column("office", Text, primary_key=True),
    Column("kid", Text, primary_key=True),  # hex
    Column("x", Text, nullable=False),
    Column("y", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("not_before", Text, nullable=False),
    Column("ended_at", Text),  # retired or compromised
    one_of("state", list(KeyState)),
)

qr_lists: Final = Table(
    "qr_lists",
    metadata,
    Column("office", Text, primary_key=True),
    Column("kid", Text, nullable=False),
    Column("issued_at", Text, nullable=False),
    Column("body", Text, nullable=False),  # base64url of the signed CBOR
    Column("signature", Text, nullable=False),
)

qr_burned: Final = Table(
    "qr_burned",
    metadata,
    Column("id", Text, primary_key=True),  # hex of the eight bytes that stand for the code
    Column("office", Text, nullable=False),
    Column("permit", Text, ForeignKey("permits.id"), nullable=False),
    Column("at", Text, nullable=False),
)
Index("qr_burned_of_office", qr_burned.c.office)
