"""A PostgreSQL that is well, as the doctor reads it."""

from __future__ import annotations

from service.doctor.engines import Postgres

SOUND = Postgres(
    version=15,
    follows=False,
    fsync="on",
    full_page_writes="on",
    synchronous_commit="on",
    awaited="",
    most=100,
    used=10,
    standbys=0,
    in_step=0,
)
