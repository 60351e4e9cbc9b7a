"""A client that costs next to nothing: ready-made requests over a few kept connections, one outstanding on each."""

from __future__ import annotations

import re
import selectors
import socket
import time
from collections.abc import Iterable

CONNECTIONS = 8
_LENGTH = re.compile(rb"\r\ncontent-length:[ ]*([0-9]+)\r\n", re.IGNORECASE)


class Unexpected(Exception):
    """An answer of another status than the one that is measured."""


def request(method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b"") -> bytes:
    """Return the bytes of a request."""
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: 127.0.0.1",
        *(f"{name}: {said}" for name, said in (headers or {}).items()),
    ]
    length = [f"Content-Length: {len(body)}"] if body else []
    return "\r\n".join([*lines, *length, "", ""]).encode() + body


def volley(port: int, requests: Iterable[bytes], status: int, connections: int = CONNECTIONS) -> float:
    """Send all, each connection its next one as soon as it was answered; return the seconds that it took.

    Raises Unexpected for an answer of another status.
    """
    left = iter(requests)
    begin = time.perf_counter()
    with selectors.DefaultSelector() as selector:
        for _ in range(connections):
            _next(selector, socket.create_connection(("127.0.0.1", port), timeout=30), left)
        while selector.get_map():
            for key, _ in selector.select():
                connection: socket.socket = key.fileobj  # type: ignore[assignment]
                _answered(connection, f"HTTP/1.1 {status} ".encode())
                selector.unregister(connection)
                _next(selector, connection, left)
    return time.perf_counter() - begin


def _next(selector: selectors.BaseSelector, connection: socket.socket, left: Iterable[bytes]) -> None:
    following = next(iter(left), None)
    if following is None:
        connection.close()
        return
    connection.sendall(following)
    selector.register(connection, selectors.EVENT_READ)


def _answered(connection: socket.socket, begins: bytes) -> None:
    data = connection.recv(65_536)
    while (head := data.find(b"\r\n\r\n")) < 0:
        data += _more(connection)
    if not data.startswith(begins):
        raise Unexpected(data[:400].decode(errors="replace"))
    found = _LENGTH.search(data, 0, head + 2)
    missing = head + 4 + int(found[1] if found else 0) - len(data)
    while missing > 0:
        missing -= len(_more(connection))


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(65_536)
    if not data:
        raise Unexpected("the server hung up")
    return data
