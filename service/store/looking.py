"""Opens SQLite to look at it: not one byte of the database or its folder changes, whoever else has it open."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Engine, NullPool, create_engine, make_url


def sqlite_to_look_at(url: str, busy_seconds: float) -> Engine:
    """Return an engine that reads what is committed.

    With a write-ahead log there, its index is only read too. Without one nobody has the database open, and SQLite is told
    to make none.
    """
    path = Path(str(make_url(url).database))

    def connect() -> sqlite3.Connection:
        log = path.with_name(f"{path.name}-wal")
        mode = "mode=ro&readonly_shm=1" if log.exists() and log.stat().st_size else "mode=ro&immutable=1"
        place = f"file:{quote(str(path))}?{mode}"
        return sqlite3.connect(place, uri=True, timeout=busy_seconds, isolation_level=None, check_same_thread=False)

    return create_engine("sqlite://", creator=connect, poolclass=NullPool, hide_parameters=True)
