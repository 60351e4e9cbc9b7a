"""Eight hosts of one installation, as docs/operating/scaled-out.md sets them up: engines, two web hosts, three for workers.

What it does not prove: moto is an S3 server in memory that does not die here, and namespaces share one kernel, clock and disk.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from redis import Redis

from service.archive.session import client
from service.archive_place import place_of
from service.checkpoint import Notary
from service.desk.secret import DeskKey
from service.development import certificates
from service.identity import Identity
from service.settings import PROJECT, Settings
from service.vault import Vault
from service.wiring import Teken, open_teken
from tests.hosts.network import HERE, NET, PATIENCE_SECONDS, Host, down, up
from tests.support.proxy import Proxy, proxy_before
from tests.support.servers import _account, program
from tests.support.tls import self_signed

ENGINES = ("database", "redis", "s3")
WEB, WORK, SIGN = ("web-a", "web-b"), ("work-a", "work-b"), "sign"
SIGNER = 64_077
"""The signing host's own user: no other reads the keys."""
SECRETS = ("checkpoint.key", "desk.key", "data.keys")
"""One file each, the same on every host that writes."""
FAR_SECONDS = 0.004
"""How long each piece takes between `work-b` and the database: another building."""


@dataclass
class Town:
    folder: Path
    hosts: dict[str, Host]
    far: Proxy

    def home(self, name: str) -> Path:
        return self.folder / name

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    @property
    def database(self) -> str:
        return f"postgresql://postgres@{self.hosts['database'].address}/teken"

    @property
    def bucket(self) -> str:
        return f"s3://arsip/teken?endpoint=http://{self.hosts['s3'].address}:5000&years=1"

    def web_urls(self) -> list[str]:
        return [f"http://{self.hosts[name].address}:8000" for name in WEB]

    def start(self, name: str) -> None:
        """Start (again) whatever belongs on a host."""
        start = {"database": self._database, "redis": self._redis, "s3": self._s3}.get(name)
        start() if start else self._processes(name)

    def kill(self, name: str) -> None:
        """The power goes; PostgreSQL writes nothing more, Redis forgets all."""
        self.hosts[name].kill(number=signal.SIGQUIT if name == "database" else signal.SIGKILL)

    def open(self) -> Teken:
        """A Teken on this machine itself, as the desk of a web host has it."""
        return open_teken(Settings(**self._settings("desk")))  # type: ignore[arg-type]

    def _database(self) -> None:
        host, data, account = self.hosts["database"], self.home("database") / "data", pwd.getpwnam(_account())
        given = {"listen_addresses": host.address, "unix_socket_directories": "", "max_connections": 200}
        options = [word for name, value in given.items() for word in ("-c", f"{name}={value}")]
        host.start("postgres", [program("postgres"), "-D", data, *options], {}, self.log("database"), account.pw_uid)
        self._until(lambda: psycopg.connect(self.database.replace("/teken", "/postgres"), connect_timeout=2).close())

    def _redis(self) -> None:
        host = self.hosts["redis"]
        command = [
            program("redis-server"),
            "--bind",
            host.address,
            "--protected-mode",
            "no",
            "--dir",
            self.home("redis"),
        ]
        host.start("redis", [*command, "--save", "", "--appendonly", "no"], {}, self.log("redis"))
        self._until(lambda: Redis(host=host.address, socket_timeout=2).ping())

    def _s3(self) -> None:
        host = self.hosts["s3"]
        host.start("moto", [Path(sys.executable).with_name("moto_server"), "-H", host.address], {}, self.log("s3"))
        self._until(lambda: urllib.request.urlopen(f"http://{host.address}:5000/moto-api/", timeout=2).close())

    def _processes(self, name: str) -> None:
        host, given = self.hosts[name], self._settings(name)
        environment = {"RAYON_NUM_THREADS": 1, "PYTHONPATH": PROJECT, "PYTHONDONTWRITEBYTECODE": 1}
        environment |= {f"TEKEN_{key.upper()}": value for key, value in given.items()}
        if name in WEB:
            serve = ["-m", "gunicorn", "-c", "python:service.webserver", "-b", f"{host.address}:8000"]
            host.start("web", [sys.executable, *serve, "service.app:from_environment()"], environment, self.log(name))
            self._until(lambda: urllib.request.urlopen(f"http://{host.address}:8000/healthz", timeout=2).close())
        else:
            queue, user = ("sign", SIGNER) if name == SIGN else ("work", 0)
            host.start(queue, [sys.executable, PROJECT / "worker.py", queue], environment, self.log(name), user)

    def _settings(self, name: str) -> dict[str, object]:
        given: dict[str, object] = {
            "home": self.home(name),
            "database_url": self.database,
            "redis_url": f"redis://{self.hosts['redis'].address}/0",
            "archive_url": self.bucket,
            "archive_credentials": self.home(name) / "s3.ini",
            "trust": self.folder / "public" / "root.pem",
            "intermediates": self.folder / "public" / "issuing.pem",
            "keys": self.folder / "public",
            "lease_seconds": 15,
            "worker_nice": 0,
            "webhook_networks": f"{NET}.0/24",
            "webhook_trust": self.folder / "public" / "receiver.pem",
            "pinned_signers": Identity.at(self.home(SIGN) / "signer-identity.key").public,
            "pinned_web": ",".join(Identity.at(self.home(one) / "web-identity.key").public for one in (*WEB, "desk")),
        }
        if name == SIGN:
            given |= {"keys": self.home(SIGN) / "keys", "passphrase_file": self.home(SIGN) / "passphrase"}
        if name == "work-b":
            given["database_url"] = f"postgresql://postgres@{HERE}:{self.far.port}/teken"
        return given

    def _until(self, answers: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                answers()
            except Exception:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                return


@contextmanager
def town(folder: Path) -> Iterator[Town]:
    """Set the hosts up and start everything; take everything down whatever happens."""
    try:
        hosts = up((*ENGINES, *WEB, *WORK, SIGN))
        with proxy_before((hosts["database"].address, 5432), host=HERE) as far:
            far.delay = FAR_SECONDS
            built = Town(folder, hosts, far)
            _lay_out(built)
            _make_cluster(built)
            for name in ENGINES:
                built.start(name)
            _make_database(built)
            _make_bucket(built)
            for name in (*WEB, *WORK, SIGN):
                built.start(name)
            yield built
    finally:
        down()


def _lay_out(built: Town) -> None:
    """Homes, the secrets that all share, each host's own identity; private keys on the signing host only."""
    shared, keys = built.folder / "shared", built.folder / "keys"
    certificates(PROJECT / "templates", keys, key="p256", now=datetime.now(UTC) - timedelta(days=2))
    for name in (*ENGINES, *WEB, *WORK, SIGN, "desk", "public", "shared", "receiver"):
        built.home(name).mkdir(parents=True)
    shutil.copy(self_signed(built.home("receiver"), HERE), built.folder / "public" / "receiver.pem")
    Notary.at(shared / "checkpoint.key")
    DeskKey.at(shared / "desk.key")
    Vault(shared / "data.keys").keys()
    for name in (*WEB, *WORK, SIGN, "desk"):
        for secret in SECRETS:
            shutil.copy(shared / secret, built.home(name))
        (built.home(name) / "s3.ini").write_text(
            "[default]\naws_access_key_id = kunci-uji\naws_secret_access_key = rahasia-uji-saja\n"
        )
        (built.home(name) / "s3.ini").chmod(0o600)
    for name in (*WEB, "desk"):
        Identity.at(built.home(name) / "web-identity.key")
    Identity.at(built.home(SIGN) / "signer-identity.key")
    for certificate in keys.glob("*.pem"):
        if b"PRIVATE" not in certificate.read_bytes():
            shutil.copy(certificate, built.folder / "public")
    shutil.move(keys, built.home(SIGN) / "keys")
    shutil.copy(built.home(SIGN) / "keys" / "passphrase", built.home(SIGN))
    built.folder.chmod(0o755)
    for path in (built.home(SIGN), *built.home(SIGN).rglob("*")):
        os.chown(path, SIGNER, SIGNER)
    built.home(SIGN).chmod(0o700)
    for path in built.folder.joinpath("public").iterdir():
        path.chmod(0o644)


def _make_database(built: Town) -> None:
    with psycopg.connect(built.database.replace("/teken", "/postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE teken TEMPLATE template0")


def _make_bucket(built: Town) -> None:
    place = place_of(built.bucket, built.folder)
    store = client(place, built.home("desk") / "s3.ini")
    store.create_bucket(Bucket="arsip", ObjectLockEnabledForBucket=True)


def _make_cluster(built: Town) -> None:
    account = pwd.getpwnam(_account())
    home = built.home("database")
    os.chown(home, account.pw_uid, account.pw_gid)
    command = [program("initdb"), "-D", home / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"]
    subprocess.run(
        command, check=True, capture_output=True, cwd=home, user=account.pw_uid, group=account.pw_gid, extra_groups=[]
    )
    with (home / "data" / "pg_hba.conf").open("a") as rules:
        rules.write(f"host all all {NET}.0/24 trust\n")
