"""What the first release left behind, on either database: its tables as its own migration made them, and its archive."""

from __future__ import annotations

import hashlib
import lzma
import sqlite3
import tarfile
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import psycopg

from service.clock import SetClock
from service.settings import PROJECT
from service.wiring import Teken
from tests.support.office import NOW, open_office
from tests.upgrade.first_release.make import SENTENCE

SAMPLE = Path(__file__).parent / "first_release"
LATER = NOW + timedelta(hours=2)


def sql(engine: str) -> str:
    return lzma.decompress((SAMPLE / f"{engine}.sql.xz").read_bytes()).decode()


def leave(home: Path, database: str) -> None:
    """Lay out the home and fill the (empty) database."""
    with tarfile.open(SAMPLE / "archive.tar.xz") as packed:
        packed.extractall(home, filter="data")
    for font in (PROJECT / "templates").rglob("*.otf"):
        name = hashlib.sha256(font.read_bytes()).hexdigest()
        place = home / "archive" / name[:2] / name[2:]
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(font.read_bytes())
    (home / "checkpoint.key").write_bytes(hashlib.sha256(SENTENCE).digest())
    (home / "checkpoint.key").chmod(0o600)
    if database:
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute(sql("postgresql"))
    else:
        with closing(sqlite3.connect(home / "teken.db")) as connection:
            connection.executescript(sql("sqlite"))


def upgraded(home: Path, keys: Path, database: str) -> Teken:
    """Open it with the program of today. The keys are others than then; certificates of both PKIs are trusted."""
    for name in ("root", "issuing"):
        both = (SAMPLE / f"{name}.crt").read_text() + (keys / f"{name}.pem").read_text()
        (home / f"{name}.pem").write_text(both)
    trusted = {"trust": home / "root.pem", "intermediates": home / "issuing.pem"}
    return open_office(home, keys, database=database, clock=SetClock(LATER), **trusted)
