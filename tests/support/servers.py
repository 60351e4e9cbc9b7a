"""A real PostgreSQL and a real Redis for tests: own folder, own socket or loopback port, gone afterwards."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from service.store import Database
from service.store.migrate import migrate

START_SECONDS = 120
PACKAGES = {"initdb": "postgresql", "postgres": "postgresql", "redis-server": "redis-server"}


class ServerMissing(Exception):
    """A program that the tests need is not installed; the message names its package. Never a reason to skip."""


def program(name: str) -> Path:
    """Find a server's program on the PATH or where Debian keeps PostgreSQL's."""
    found = shutil.which(name)
    if found:
        return Path(found)
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: path.parts[-3].zfill(4))
    if not versions:
        raise ServerMissing(f"{name} is not installed: apt-get install {PACKAGES[name]}")
    return versions[-1]


@dataclass
class PostgresServer:
    """One cluster, reachable over its unix socket only. It can be killed and started again."""

    folder: Path
    process: subprocess.Popen[bytes] | None = None
    begun: str = ""  # a migrated database, to copy
    settings: dict[str, str] = field(default_factory=dict)  # instead of those for tests

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def url(self, database: str) -> str:
        return f"postgresql:///{database}?host={self.folder}&user=postgres"

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        return psycopg.connect(f"host={self.folder} user=postgres dbname={database}", autocommit=True)

    def make(self) -> None:
        """Make the cluster. `fsync` is off: tests kill processes, they do not pull the plug."""
        command = [program("initdb"), "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"]
        made = subprocess.run([*command, "--no-sync"], capture_output=True, check=False, **_as_whom(self.folder))
        if made.returncode:
            raise RuntimeError(made.stderr.decode())

    def start(self) -> None:
        options = {"listen_addresses": "", "unix_socket_directories": self.folder, "fsync": "off"}
        options |= {"full_page_writes": "off", "max_connections": 200, "shared_buffers": "32MB", "autovacuum": "off"}
        given = [word for name, value in (options | self.settings).items() for word in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [program("postgres"), "-D", self.data, *given],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                **_as_whom(self.folder),
            )
        _until(self._answers, self.process, self.folder / "log")

    def stop(self, number: int = signal.SIGQUIT) -> None:
        """Stop at once (`-m immediate`, as a crash would), with all its children."""
        if self.process is None:
            return
        self.process.send_signal(number)
        try:
            self.process.wait(START_SECONDS)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def create(self, *, template: str = "template0") -> str:
        """Make a fresh database; return its name."""
        name = f"teken_{secrets.token_hex(4)}"
        with self.connect() as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    def create_begun(self) -> str:
        """Make a database that is migrated already; return its name."""
        if not self.begun:
            name = self.create()
            first = Database(self.url(name))
            migrate(first)
            first.dispose()
            self.begun = name
        return self.create(template=self.begun)

    def drop(self, name: str) -> None:
        with self.connect() as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _answers(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def postgres_cluster(**settings: str) -> Iterator[PostgresServer]:
    """Run a cluster in a folder of its own, with these `settings` instead of those for tests; nothing is left of it."""
    folder = Path(tempfile.mkdtemp(prefix="teken-pg-", dir="/tmp"))
    if os.geteuid() == 0:
        account = pwd.getpwnam(_account())
        os.chown(folder, account.pw_uid, account.pw_gid)
    server = PostgresServer(folder, settings=settings)
    try:
        server.make()
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class RedisServer:
    """A Redis without persistence, as Debian ships it for a cache: what it forgets must not matter."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self) -> Redis:
        return Redis.from_url(self.url, socket_timeout=30, retry=Retry(NoBackoff(), 0))

    def start(self) -> None:
        command = [program("redis-server"), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.folder]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--save", "", "--appendonly", "no"], stdout=log, stderr=log, start_new_session=True
            )
        _until(self._answers, self.process, self.folder / "log")

    def stop(self) -> None:
        """Kill it, also when it was paused."""
        if self.process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def forget(self) -> None:
        with self.client() as client:
            client.flushall()

    def pause(self) -> None:
        """Let it hang: connections stay open, nothing answers."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def _answers(self) -> bool:
        with self.client() as client, suppress(RedisError, OSError):
            return self.process is not None and client.info("server")["process_id"] == self.process.pid
        return False


@contextmanager
def redis_on_loopback() -> Iterator[RedisServer]:
    """Run a Redis in a folder of its own; nothing is left of it."""
    folder = Path(tempfile.mkdtemp(prefix="teken-redis-"))
    server = RedisServer(folder, free_port())
    try:
        _at_a_free_port(server)
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _at_a_free_port(server: RedisServer) -> None:
    """A port that was free a moment ago may be somebody's by now: then another one."""
    for _ in range(5):
        with suppress(RuntimeError):
            server.start()
            return
        server.stop()
        server.port = free_port()
    server.start()


def free_port() -> int:
    """A loopback port that nobody listens at, below those that the kernel hands out: no connection and no port 0 can take it first."""
    while True:
        port = 10_000 + secrets.randbelow(20_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The run's PostgreSQL."""
    with postgres_cluster() as server:
        yield server


@pytest.fixture
def postgres(postgres_server: PostgresServer) -> Iterator[str]:
    """The URL of a fresh database, migrated and otherwise empty; in tests/store it is empty altogether."""
    name = postgres_server.create_begun()
    yield postgres_server.url(name)
    postgres_server.drop(name)


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """A Redis of this test's own: it may be emptied, paused and killed."""
    with redis_on_loopback() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """Both databases, one after the other: the URL, or an empty text for the file in the home folder."""
    return "" if request.param == "sqlite" else str(request.getfixturevalue("postgres"))


def _account() -> str:
    """PostgreSQL refuses to run as root: Debian's account for it, or nobody."""
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        return "nobody"


def _as_whom(folder: Path) -> dict[str, object]:
    if os.geteuid() != 0:
        return {"cwd": folder}
    account = pwd.getpwnam(_account())
    return {"cwd": folder, "user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _until(answers, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not answers():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{process.args[0]} did not start: {log.read_text()[-2000:]}")
        time.sleep(0.02)
