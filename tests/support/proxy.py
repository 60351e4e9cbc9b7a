"""A TCP proxy on loopback that hangs, delays, drops, cuts and moves: a bad network before a real server."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PIECE = 65536
CONNECT_SECONDS = 5
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: the close is a reset


class Proxy:
    """Listens on its own port and passes bytes on to `target`: (host, port), or a unix socket's path.

    A held byte is delivered after `heal()`, as TCP does once a partition ends; `cut()` loses it.
    """

    def __init__(self, target: tuple[str, int] | Path, host: str = "127.0.0.1") -> None:
        self.target, self.host = target, host
        self.accepted = 0
        self.delay = 0.0  # seconds before each piece, in both directions
        self._gate = threading.Condition()
        self._held: frozenset[str] = frozenset()  # of "to" and "from" the server
        self._left: int | None = None  # bytes of answers that still pass, then every line is cut
        self._lines: set[_Line] = set()
        self._closed = False
        self._listener = _listen(host, 0)
        self.port = int(self._listener.getsockname()[1])
        self._serve()

    def hang(self) -> None:
        """Nothing passes either way, on old lines and on new ones, which are accepted."""
        self._hold("to", "from")

    def mute(self) -> None:
        """The server gets what is asked, and its answers are held: done, and nobody knows."""
        self._hold("from")

    def cut(self) -> None:
        """Reset every line there is; new ones are taken."""
        with self._gate:
            lines = list(self._lines)
        for line in lines:
            line.reset()

    def cut_answers_after(self, count: int) -> None:
        """Let `count` more bytes of answers pass, then reset every line; new ones are whole."""
        with self._gate:
            self._left = count

    def refuse(self) -> None:
        """Reset every line and refuse new ones."""
        _shut(self._listener)
        self.cut()

    def heal(self) -> None:
        """All passes again, at full speed, what was held first."""
        self.delay = 0.0
        if self._listener.fileno() < 0:
            self._listener = _listen(self.host, self.port)
            self._serve()
        with self._gate:
            self._left = None
        self._hold()

    def point_to(self, target: tuple[str, int] | Path) -> None:
        """Send new lines elsewhere and reset the old ones: a fail-over."""
        self.target = target
        self.cut()

    def close(self) -> None:
        self._closed = True
        self.refuse()
        self._hold()

    def _hold(self, *directions: str) -> None:
        with self._gate:
            self._held = frozenset(directions)
            self._gate.notify_all()

    def _serve(self) -> None:
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self._open, args=(client,), daemon=True).start()

    def _open(self, client: socket.socket) -> None:
        line = _Line([client])
        with self._gate:
            self._lines.add(line)
        try:
            server = _connect(self.target)
        except OSError:
            line.reset()
        else:
            line.join(server)
            back = threading.Thread(target=self._pass, args=(line, server, client, "from"), daemon=True)
            back.start()
            self._pass(line, client, server, "to")
            back.join()
            line.close()
        with self._gate:
            self._lines.discard(line)

    def _pass(self, line: _Line, source: socket.socket, sink: socket.socket, direction: str) -> None:
        try:
            while piece := source.recv(PIECE):
                time.sleep(self.delay)
                piece, last = self._allowed(piece, direction)
                sink.sendall(piece)
                if last:
                    self.cut()
            if not line.was_reset:
                sink.shutdown(socket.SHUT_WR)  # half-closed, as its sender did
        except OSError:
            line.reset()

    def _allowed(self, piece: bytes, direction: str) -> tuple[bytes, bool]:
        """Wait at the gate; return what may pass, and whether it is the last."""
        with self._gate:
            self._gate.wait_for(lambda: direction not in self._held or self._closed)
            if direction == "to" or self._left is None:
                return piece, False
            allowed, self._left = piece[: self._left], self._left - len(piece)
            if self._left > 0:
                return piece, False
            self._left = None
            return allowed, True


class _Line:
    """One client and its connection to the server."""

    def __init__(self, ends: list[socket.socket]) -> None:
        self.ends = ends
        self.was_reset = False

    def join(self, server: socket.socket) -> None:
        self.ends.append(server)
        if self.was_reset:  # while the connection was made
            self.reset()

    def reset(self) -> None:
        self.was_reset = True
        for end in self.ends:
            _reset(end)

    def close(self) -> None:
        for end in self.ends:
            end.close()


@contextmanager
def proxy_before(target: tuple[str, int] | Path, host: str = "127.0.0.1") -> Iterator[Proxy]:
    """Run a proxy before a server; nothing is left of it."""
    opened = Proxy(target, host)
    try:
        yield opened
    finally:
        opened.close()


def _listen(host: str, port: int) -> socket.socket:
    return socket.create_server((host, port), backlog=128)  # sets SO_REUSEADDR


def _connect(target: tuple[str, int] | Path) -> socket.socket:
    if isinstance(target, tuple):
        return socket.create_connection(target, CONNECT_SECONDS)
    server = socket.socket(socket.AF_UNIX)
    try:
        server.connect(str(target))
    except OSError:
        server.close()
        raise
    return server


def _reset(end: socket.socket) -> None:
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    _shut(end)


def _shut(end: socket.socket) -> None:
    """Wake whoever waits on it, too: closing alone does not. No more than that: a full shutdown would say goodbye first."""
    with suppress(OSError):
        end.shutdown(socket.SHUT_RD)
    with suppress(OSError):
        end.close()
