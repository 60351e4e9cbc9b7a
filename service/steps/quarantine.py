"""Late duplicates: a real signature that lost its race is kept and recorded, never released and never deleted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from service.clock import stamp
from service.store.permits import Lost
from service.store.tables import quarantine

if TYPE_CHECKING:
    from service.wiring import Teken


@contextmanager
def quarantined(teken: Teken, permit: str, sha: str) -> Iterator[None]:
    """Record `sha` as quarantined if the commit inside finds the claim lost; the loss is passed on."""
    try:
        yield
    except Lost:
        with teken.db.write() as connection:
            if connection.execute(select(quarantine.c.sha).where(quarantine.c.sha == sha)).first() is None:
                row = {"sha": sha, "permit": permit, "why": "claim_lost", "at": stamp(teken.clock.now())}
                connection.execute(insert(quarantine).values(**row))
        raise
