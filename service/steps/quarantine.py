"""Late duplicates: a real signature that lost its race is kept and recorded, never released and never deleted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import insert, select

from service.clock import stamp
from service.store import StoreBusy
from service.store.permits import Lost, lock
from service.store.tables import quarantine

if TYPE_CHECKING:
    from service.wiring import Teken

log = structlog.get_logger("teken.quarantine")
TRIES = 5
PAUSE_SECONDS = 0.2


@contextmanager
def quarantined(teken: Teken, permit: str, sha: str) -> Iterator[None]:
    """Record `sha` as quarantined if the commit inside finds the claim lost; the loss is passed on."""
    try:
        yield
    except Lost:
        keep(teken, permit, sha, "claim_lost")
        raise


def keep(teken: Teken, permit: str, sha: str, why: str) -> None:
    """Insist: the signature exists, and nothing else will ever tell of it."""
    for _ in range(TRIES):
        try:
            _record(teken, permit, sha, why)
        except StoreBusy:
            time.sleep(PAUSE_SECONDS)
        else:
            return
    log.error("quarantine_not_recorded", permit=permit, sha256=sha)


def _record(teken: Teken, permit: str, sha: str, why: str) -> None:
    """Equal bytes are no duplicate: a deterministic signature in the same second is the winner itself."""
    with teken.db.write() as connection:
        row = lock(connection, permit)
        known = connection.execute(select(quarantine.c.sha).where(quarantine.c.sha == sha)).first()
        if row is None or known is not None or sha in {row.head_sha, row.sealed_sha}:
            return
        late = {"sha": sha, "permit": permit, "why": why, "at": stamp(teken.clock.now())}
        connection.execute(insert(quarantine).values(**late))
