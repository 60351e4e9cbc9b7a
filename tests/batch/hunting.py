"""Hunts for a secret wherever a batch may have left it: a process's core image, the disk, every row, Redis, every log."""

from __future__ import annotations

import base64
import re
import sqlite3
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from tests.support.servers import RedisServer


def forms(secret: bytes) -> dict[str, bytes]:
    """How a text may lie in memory or in a file."""
    text = secret.decode("latin-1")
    return {
        "bytes": secret,
        "hex": secret.hex().encode(),
        "HEX": secret.hex().upper().encode(),
        "base64": base64.b64encode(secret),
        "utf-16": text.encode("utf-16-be"),
        "utf-16 le": text.encode("utf-16-le"),
        "utf-32": text.encode("utf-32-le"),
    }


def in_memory(pid: int, secret: bytes) -> dict[str, int]:
    """Return in which forms, and how often, a running process's core image holds the secret."""
    found: dict[str, int] = {}
    for image in _core_image(pid):
        for name, form in forms(secret).items():
            if count := image.count(form):
                found[name] = found.get(name, 0) + count
    return found


def _core_image(pid: int) -> Iterator[bytes]:
    """Everything that a core dump would hold: each mapping that can be read, files' own pages among them."""
    with Path(f"/proc/{pid}/maps").open() as maps, Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in maps:
            place = re.match(r"([0-9a-f]+)-([0-9a-f]+) r", line)
            if place is None or "[vvar" in line or "[vsyscall" in line:
                continue
            start, end = (int(part, 16) for part in place.groups())
            try:
                memory.seek(start)
                yield memory.read(end - start)
            except (OSError, OverflowError):
                continue


def on_disk(folder: Path, secret: bytes) -> list[str]:
    """Return files (with the form) that hold the secret; what is packed in a PDF stream is looked at too."""
    found = []
    for path in folder.rglob("*"):
        if path.is_file():
            image = path.read_bytes()
            for stream in re.finditer(rb"stream\r?\n(.*?)endstream", image, re.DOTALL):
                try:
                    image += zlib.decompressobj().decompress(stream.group(1))
                except zlib.error:
                    continue
            found += [f"{path.name}: {name}" for name, form in forms(secret).items() if form in image]
    return found


@dataclass(frozen=True)
class Ground:
    """Where a batch ran: the web process, its home, the database (its server's own folder too), Redis, the processes' log."""

    pid: int
    home: Path
    log: Path
    database: str
    redis: RedisServer

    def found(self, secret: bytes) -> dict[str, object]:
        """Return where the secret is, by place; empty places are left out."""
        server = self._server()
        places: dict[str, object] = {
            "core image": in_memory(self.pid, secret),
            "home": on_disk(self.home, secret),
            "log": _in([self.log.read_bytes()], secret),
            "rows": _in(self._rows(), secret),
            "database's files and log": on_disk(server, secret) if server else [],
            "redis": _in(self._redis_values(), secret),
            "redis's memory": in_memory(self.redis.process.pid, secret),
            "redis's files and log": on_disk(self.redis.folder, secret),
        }
        return {place: hits for place, hits in places.items() if hits}

    def _server(self) -> Path | None:
        host = re.search(r"host=([^&]+)", self.database)
        return Path(host.group(1)) if host else None

    def _rows(self) -> Iterator[bytes]:
        """Every row as text: a server may store a long value packed."""
        if not self.database:
            with sqlite3.connect(self.home / "teken.db") as connection:
                yield from (line.encode() for line in connection.iterdump())
            return
        plain = make_url(self.database).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain) as connection:
            tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            for (table,) in tables:
                for (text,) in connection.execute(f'SELECT t::text FROM "{table}" t'):
                    yield text.encode()

    def _redis_values(self) -> Iterator[bytes]:
        """Keys and values, as stored and as given."""
        with self.redis.client() as client:
            for key in client.scan_iter():
                yield key
                yield client.dump(key) or b""
                if client.type(key) == b"string":
                    yield client.get(key) or b""
                elif client.type(key) == b"hash":
                    for name, value in client.hgetall(key).items():
                        yield name + value
                        yield _unpacked(value)


def _unpacked(value: bytes) -> bytes:
    """rq packs what a job is called with."""
    try:
        return zlib.decompress(value)
    except zlib.error:
        return b""


def _in(images, secret: bytes) -> list[str]:
    return sorted({name for image in images for name, form in forms(secret).items() if form in image})
