"""Opens SQLite to look at it: not one byte of the database or its folder changes, whoever else has it open."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from sqlalchemy import Engine, NullPool, create_engine, make_url


def sqlite_to_look_at(url: str, busy_seconds: float) -> Engine:
    """Return an engine that reads what is committed.

    With a write-ahead log there, its index is only read too. Without one nobody has the database open, and SQLite is told
    to make none. A log without its index was put back from a backup: it is read in memory.
    """
    path = Path(str(make_url(url).database))
    log, index = (path.with_name(f"{path.name}-{part}") for part in ("wal", "shm"))

    def connect() -> sqlite3.Connection:
        if not log.exists() or not log.stat().st_size:
            return _opened(path, "mode=ro&immutable=1", busy_seconds)
        return _opened(path, "mode=ro&readonly_shm=1", busy_seconds) if index.exists() else _in_memory(path, log)

    return create_engine("sqlite://", creator=connect, poolclass=NullPool, hide_parameters=True)


def _opened(path: Path, mode: str, busy_seconds: float) -> sqlite3.Connection:
    place = f"file:{quote(str(path))}?{mode}"
    return sqlite3.connect(place, uri=True, timeout=busy_seconds, isolation_level=None, check_same_thread=False)


def _in_memory(path: Path, log: Path) -> sqlite3.Connection:
    """A copy of the database and its log, joined where nobody else is."""
    with TemporaryDirectory() as folder:
        for one in (path, log):
            shutil.copyfile(one, Path(folder) / one.name)
        with closing(sqlite3.connect(Path(folder) / path.name)) as joined:
            memory = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
            joined.backup(memory)
    return memory
