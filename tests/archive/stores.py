"""S3-compatible servers on loopback, and a wire between that loses, delays, cuts and lies."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from service.archive.s3 import S3Archive
from service.archive.session import client
from service.archive_place import place_of
from tests.support.servers import START_SECONDS, ServerMissing, free_port

KEY, SECRET = "kunci-uji", "rahasia-uji-saja"


@dataclass
class Store:
    """One server with one bucket that has Object Lock, and one that has not."""

    port: int
    credentials: Path
    process: subprocess.Popen[bytes] | None = None
    command: tuple[object, ...] = ()
    environment: dict[str, str] | None = None

    def url(self, prefix: str = "", *, port: int | None = None, bucket: str = "arsip", **more: object) -> str:
        asked = "".join(f"&{name}={value}" for name, value in more.items())
        return f"s3://{bucket}/{prefix}?endpoint=http://127.0.0.1:{port or self.port}{asked}"

    def archive(self, prefix: str = "", **more: object) -> S3Archive:
        return S3Archive(place_of(self.url(prefix, **more), Path()), self.credentials)

    @property
    def raw(self):
        return client(place_of(self.url(), Path()), self.credentials)

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + START_SECONDS
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.command[0]} did not start")
            time.sleep(0.05)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@contextmanager
def moto(folder: Path) -> Iterator[Store]:
    """moto_server: If-None-Match and Object Lock, in memory. It takes wrong checksums, shorter locks and keys of anybody."""
    port = free_port()
    program = Path(sys.executable).with_name("moto_server")
    with _running(folder, port, (program, "-H", "127.0.0.1", "-p", str(port)), {}) as store:
        yield store


@contextmanager
def versitygw(folder: Path) -> Iterator[Store]:
    """versitygw over a folder: all of it, as strict as Amazon's. It is no package of Debian or PyPI, so it is run by hand (strict.py)."""
    found = shutil.which("versitygw")
    if found is None:
        raise ServerMissing("versitygw is not installed: go install github.com/versity/versitygw/cmd/versitygw@latest")
    port = free_port()
    for name in ("data", "versions"):
        (folder / name).mkdir()
    command = (found, "--port", f"127.0.0.1:{port}", "posix", "--versioning-dir", folder / "versions", folder / "data")
    with _running(folder, port, command, {"ROOT_ACCESS_KEY": KEY, "ROOT_SECRET_KEY": SECRET}) as store:
        yield store


@contextmanager
def _running(folder: Path, port: int, command: tuple[object, ...], environment: dict[str, str]) -> Iterator[Store]:
    credentials = folder / "kunci"
    credentials.write_text(f"[default]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n")
    credentials.chmod(0o600)
    store = Store(port, credentials, command=command, environment={"PATH": "/usr/bin:/bin", **environment})
    store.start()
    try:
        store.raw.create_bucket(Bucket="arsip", ObjectLockEnabledForBucket=True)
        store.raw.create_bucket(Bucket="polos")
        yield store
    finally:
        store.stop()


class Wire:
    """A loopback TCP proxy: passes everything on, until it is told to be down, silent, slow to answer, or to cut answers off."""

    def __init__(self, port: int) -> None:
        self.to, self.mode, self.cut_after, self.passed = port, "open", 0, 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        with suppress(OSError):  # either side may be gone by then: that is what a wire is for
            self._carry(near)

    def _carry(self, near: socket.socket) -> None:
        self.passed += 1
        if self.mode == "down":
            near.close()
            return
        if self.mode == "silent":
            time.sleep(60)
        if self.mode == "unwell":
            near.recv(1 << 16)
            near.sendall(b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            near.close()
            return
        far = socket.create_connection(("127.0.0.1", self.to))
        threading.Thread(target=self._pump, args=(near, far, 0), daemon=True).start()
        self._pump(far, near, self.cut_after if self.mode == "cut" else 0)

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket, most: int) -> None:
        passed = 0
        with suppress(OSError):
            while data := source.recv(1 << 14):
                if most and passed + len(data) > most:
                    sink.sendall(data[: most - passed])
                    break
                passed += len(data)
                sink.sendall(data)
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
