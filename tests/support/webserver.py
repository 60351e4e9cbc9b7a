"""The real web server on loopback, as `teken run` starts it, and clients that behave badly."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from service.settings import PROJECT


@dataclass
class WebServer:
    """A running server, where it listens, and what it writes."""

    port: int
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def connect(self, seconds: float = 30) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), seconds)

    def ask(self, raw: bytes, seconds: float = 30) -> bytes:
        """Send bytes and return all that comes until the server hangs up."""
        with self.connect(seconds) as line:
            with suppress(ConnectionError):
                line.sendall(raw)
            return rest(line)

    def get(self, path: str, *headers: str) -> bytes:
        lines = [f"GET {path} HTTP/1.1", "Host: localhost", "Connection: close", *headers]
        return self.ask("\r\n".join([*lines, "", ""]).encode("latin-1"))


def rest(line: socket.socket) -> bytes:
    """All that still comes."""
    found = b""
    with suppress(ConnectionError):
        while piece := line.recv(65536):
            found += piece
    return found


@contextmanager
def web_server(home: Path, *options: str, **settings: object) -> Iterator[WebServer]:
    """Serve a home folder."""
    # bound from here on: a port that was only free a moment ago may be another's by the time the server is up
    listener, log = socket.create_server(("127.0.0.1", 0)), home / "web.log"
    port, number = listener.getsockname()[1], listener.fileno()
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TEKEN_")}
    given = {f"TEKEN_{name.upper()}": str(value) for name, value in {"home": home, **settings}.items()}
    command = [sys.executable, "-m", "gunicorn", "-c", "python:service.webserver", "-b", f"fd://{number}", *options]
    with listener, log.open("ab") as out:
        application = [*command, "service.app:from_environment()"]
        process = subprocess.Popen(
            application, cwd=PROJECT, env=clean | given, stdout=out, stderr=out, pass_fds=(number,)
        )
    server = WebServer(port, log, process)
    try:
        _until_it_answers(server)
        yield server
    finally:
        process.terminate()
        process.wait(60)


def _until_it_answers(server: WebServer) -> None:
    deadline = time.monotonic() + 120
    while True:
        with suppress(OSError):
            urllib.request.urlopen(f"{server.url}/healthz", timeout=5).close()
            return
        assert server.process.poll() is None, server.log.read_text()
        assert time.monotonic() < deadline, "the web server does not answer"
        time.sleep(0.1)
