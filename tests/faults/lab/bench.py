"""What a laboratory has: keys, a nursery of processes, a PostgreSQL and a Redis of its own, and homes to break. All made when first asked for."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Self

from service.checkpoint import Notary
from service.development import certificates
from service.settings import PROJECT
from service.store import Database
from service.store.migrate import migrate
from tests.faults.nursery import Nursery
from tests.support.office import NOW, client_of, open_office
from tests.support.servers import PostgresServer, RedisServer, postgres_cluster, redis_on_loopback

ENGINES = ("sqlite", "postgresql")


class Bench:
    """One process's laboratory; everything that it started ends with it."""

    mutant = ""
    """A spoilt program for its machines (mutants.py)."""

    def __enter__(self) -> Self:
        self._stack = ExitStack()
        self._numbers = count(1)
        self.folder = Path(tempfile.mkdtemp(prefix="teken-faults-"))
        self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @cached_property
    def keys(self) -> Path:
        """Keys and certificates that hold on the invented day of the tests."""
        return new_keys(self.folder / "keys", datetime(2026, 1, 1, tzinfo=UTC))

    @cached_property
    def rsa_keys(self) -> Path:
        """The same, as the authority of the tests needs them."""
        return new_keys(self.folder / "rsa-keys", datetime(2026, 1, 1, tzinfo=UTC), "rsa2048")

    @cached_property
    def keys_of_today(self) -> Path:
        """Those of processes that use the host's own clock."""
        return new_keys(self.folder / "keys-of-today", datetime.now(UTC) - timedelta(days=2))

    @cached_property
    def nursery(self) -> Nursery:
        """Where real processes come from."""
        return self._stack.enter_context(Nursery())

    @cached_property
    def postgres(self) -> PostgresServer:
        """A cluster that may be stopped, as long as it runs again afterwards."""
        return self._stack.enter_context(postgres_cluster())

    @cached_property
    def redis(self) -> RedisServer:
        """A Redis that may be emptied, paused and killed."""
        return self._stack.enter_context(redis_on_loopback())

    @cached_property
    def begun(self) -> Path:
        """A SQLite database that is migrated already, to copy."""
        path = self.folder / "begun.db"
        first = Database(f"sqlite:///{path}")
        migrate(first)
        first.dispose()
        return path

    def place(self) -> Path:
        """A new empty folder."""
        path = self.folder / f"scene{next(self._numbers)}"
        path.mkdir()
        return path

    @contextmanager
    def database(self, engine: str, home: Path) -> Iterator[str]:
        """A new migrated database: its URL, or an empty text for the file in the home folder."""
        home.mkdir(parents=True, exist_ok=True)
        if engine == "sqlite":
            shutil.copy(self.begun, home / "teken.db")
            yield ""
            return
        name = self.postgres.create_begun()
        try:
            yield self.postgres.url(name)
        finally:
            self.postgres.drop(name)

    @cached_property
    def offices(self) -> dict[tuple[str, Path], Office]:
        """For each engine and keys a home with its clients, opened once and shut: scenes begin with copies."""
        return {}

    @contextmanager
    def office(self, engine: str, keys: Path | None = None) -> Iterator[Office]:
        """A copy of a home on the invented day, nothing posted yet, in a folder of its own; these certificates are enrolled."""
        kind = engine, keys or self.keys
        if kind not in self.offices:
            self.offices[kind] = self._first(*kind)
        first, folder = self.offices[kind], self.place()
        shutil.copytree(first.home, folder / "home")
        name = self.postgres.create(template=first.database) if engine == "postgresql" else ""
        try:
            yield Office(folder, self.postgres.url(name) if name else "", first.clients)
        finally:
            if name:
                self.postgres.drop(name)
            shutil.rmtree(folder, ignore_errors=True)

    def _first(self, engine: str, keys: Path) -> Office:
        folder = self.place()
        (folder / "home").mkdir()
        name = self.postgres.create_begun() if engine == "postgresql" else ""
        if not name:
            shutil.copy(self.begun, folder / "home" / "teken.db")
        teken = open_office(folder / "home", keys, database=self.postgres.url(name) if name else "")
        clients = {office: client_of(teken, office).id for office in teken.offices.offices}
        teken.close()
        return Office(folder, name, clients)


@dataclass(frozen=True)
class Office:
    """Where an office lives: its folder, its database, and the ids of its clients by office."""

    folder: Path
    database: str
    clients: dict[str, str]

    @property
    def home(self) -> Path:
        """TEKEN_HOME."""
        return self.folder / "home"

    @property
    def store(self) -> str:
        """What the judge reads."""
        return self.database or str(self.home / "teken.db")

    @property
    def verifier(self) -> bytes:
        """The key of the office's checkpoints."""
        return Notary.at(self.home / "checkpoint.key").verifier

    def begin(self) -> None:
        """Let its clock stand at the invented day."""
        (self.folder / "clock").write_text(NOW.isoformat())


def new_keys(folder: Path, since: datetime, kind: str = "p256") -> Path:
    """Keys and certificates of every office, valid from that day on."""
    certificates(PROJECT / "templates", folder, key=kind, now=since)
    return folder
