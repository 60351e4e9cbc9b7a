"""The web server's worker: gunicorn's threads, with requests gathered before a thread sees them.

A thread that waits for a slow client serves nobody else: eight such clients would silence the whole service. So the event loop
collects heads and bodies, each within its time, and only whole requests reach a thread; nor does the loop wait for a client that
does not hang up. What the head says is read here only to know how long to wait: gunicorn's parser alone decides what it means.
TLS ends before us, at a proxy.
"""

from __future__ import annotations

import contextlib
import re
import selectors
import socket
import time
from functools import partial
from logging import ERROR, WARNING
from typing import Any

from gunicorn import util
from gunicorn.errors import ConfigError
from gunicorn.http import errors, wsgi
from gunicorn.http.errors import ParseException
from gunicorn.workers.gthread import TConn, ThreadWorker

from service.inbox import IN_MEMORY, Inbox

SEND_SECONDS, LINGER_SECONDS = 60.0, 2.0
MOST_HEAVY = 64
"""Bodies larger than that at a time; they lie in temporary files meanwhile."""
SEND_BUFFER = 1_048_576
"""Asked of the kernel for every connection, so that a page leaves its thread at once, however slowly it is read."""
_EXPECT = re.compile(rb"\r\nexpect:[ \t]*100-continue", re.IGNORECASE)
_MALFORMED, _FAILED = (400, "Bad Request"), (500, "Internal Server Error")
_REFUSALS = {
    errors.LimitRequestLine: (414, "URI Too Long"),
    errors.LimitRequestHeaders: (431, "Request Header Fields Too Large"),
    errors.ExpectationFailed: (417, "Expectation Failed"),
    errors.UnsupportedTransferCoding: (501, "Not Implemented"),
}
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Patient(socket.socket):
    """A socket on which "blocking" means: for so long at most."""

    def setblocking(self, flag: bool) -> None:
        """Wait for a bounded time, or not at all."""
        self.settimeout(SEND_SECONDS if flag else 0)


class Caller(TConn):  # type: ignore[misc]
    """A connection with the request that it is sending."""

    def __init__(self, cfg: Any, sock: socket.socket, client: Any, server: Any) -> None:
        super().__init__(cfg, sock, client, server)
        self.inbox, self.since, self.data_ready, self.told = Inbox(), time.monotonic(), True, False

    def init(self) -> None:
        """Let the parser read from the inbox."""
        super().init()
        self.parser.unreader = self.inbox

    def next_request(self) -> None:
        """Begin anew, with what a hasty client sent already."""
        rest = self.inbox.rest()
        self.inbox.end()
        self.inbox.begin(rest)
        self.since, self.told = time.monotonic(), False

    @property
    def over(self) -> float:
        """Until when the request must be here; a connection on which nothing came yet may also be kept alive for the next one."""
        quiet = self.initialized and not self.inbox.size
        return float(self.since + (self.cfg.keepalive if quiet else self.inbox.seconds))

    def close(self, graceful: bool = False) -> None:  # noqa: ARG002 - lingering is the loop's business
        """Close now."""
        self.inbox.end()
        super().close()


class GatheringWorker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's thread worker whose threads never wait for a client's request."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.gathering: dict[Caller, None] = {}
        self.lingering: dict[Caller, float] = {}

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """Refuse what this worker can't do."""
        if cfg.is_ssl:
            raise ConfigError("TLS ends at a proxy before Teken; certfile and keyfile are of no use here")
        super().check_config(cfg, log)

    def accept(self, listener: socket.socket) -> None:
        """Take a connection and begin to collect."""
        with contextlib.suppress(BlockingIOError, ConnectionAbortedError):
            taken, client = listener.accept()
            sock = Patient(fileno=taken.detach())
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
            self.nr_conns += 1
            self._gather(Caller(self.cfg, sock, client, listener.getsockname()))

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: Exception) -> None:  # noqa: ARG002 - as the base calls it
        """Refuse what can't be parsed. Neither log nor answer repeats it: addresses hold codes."""
        refused = isinstance(exc, ParseException)
        status, reason = _REFUSALS.get(type(exc), _MALFORMED) if refused else _FAILED
        self.log.log(
            WARNING if refused else ERROR, "request %s: %s", "refused" if refused else "failed", type(exc).__name__
        )
        with contextlib.suppress(OSError):
            util.write_error(client, status, reason, "")

    def finish_request(self, conn: Caller, fs: Any) -> None:
        """Wait for the next request, or say good-bye. On the event loop, like all below."""
        try:
            kept = bool(fs.result()) if not fs.cancelled() else False
        except Exception:  # noqa: BLE001 - what happened is in the log
            kept = False
        if kept:
            conn.next_request()
            self._gather(conn)
        else:
            self._leave(conn)

    def murder_pending(self) -> None:
        """Drop whoever is too slow; when there is hardly room left, whoever has been longest about it."""
        now = time.monotonic()
        crowded = self.nr_conns >= self.worker_connections * 9 // 10
        longest = min(self.gathering, key=lambda one: one.since, default=None) if crowded else None
        for conn in list(self.gathering):
            stopping = not self.alive and not conn.inbox.size
            if now >= conn.over or stopping or conn is longest:
                self._forget(conn)
        for conn, until in list(self.lingering.items()):
            if now >= until:
                self._gone(conn)

    def _keepalive_after(self, conn: Caller, keepalive: bool) -> bool:
        """Only after a request that was read whole it is known where the next one begins; much that nobody read is left unread."""
        return bool(keepalive and conn.inbox.whole and conn.parser.finish_body(max_bytes=IN_MEMORY))

    def _gather(self, conn: Caller) -> None:
        conn.sock.setblocking(False)
        self.gathering[conn] = None
        if self._judged(conn):
            return
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._more, conn))

    def _more(self, conn: Caller, sock: socket.socket) -> None:
        try:
            data = sock.recv(65_536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._forget(conn)
            return
        if not conn.inbox.size:
            conn.since = time.monotonic()
        if self._room_for(conn, data):
            self._judged(conn)
        else:
            self._refuse(conn, "503 Service Unavailable", b"Retry-After: 10\r\n")

    def _room_for(self, conn: Caller, data: bytes) -> bool:
        was_heavy = conn.inbox.heavy
        try:
            conn.inbox.add(data)
        except OSError:  # the disk is full: that ends one request, not the loop
            return False
        return was_heavy or not conn.inbox.heavy or sum(one.inbox.heavy for one in self.gathering) <= MOST_HEAVY

    def _judged(self, conn: Caller) -> bool:
        """Hand a whole request to a thread, refuse a hopeless one; tell whether one of both was done."""
        if conn.inbox.refusal:
            self._refuse(conn, conn.inbox.refusal)
        elif conn.inbox.ready:
            self._unwatch(conn)
            conn.inbox.rewind()
            self.enqueue_req(conn)
        else:
            if conn.inbox.end_of_head and not conn.told and _EXPECT.search(conn.inbox.head):
                conn.told = True
                with contextlib.suppress(OSError):
                    conn.sock.send(CONTINUE)
            return False
        return True

    def _refuse(self, conn: Caller, status: str, more: bytes = b"") -> None:
        with contextlib.suppress(OSError):
            conn.sock.send(b"HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: 0\r\n%s\r\n" % (status.encode(), more))
        self._unwatch(conn)
        self._leave(conn)

    def _forget(self, conn: Caller) -> None:
        self._unwatch(conn)
        self.nr_conns -= 1
        conn.close()

    def _unwatch(self, conn: Caller) -> None:
        self.gathering.pop(conn, None)
        with contextlib.suppress(KeyError, ValueError, OSError):
            self.poller.unregister(conn.sock)

    def _leave(self, conn: Caller) -> None:
        """Hang up as RFC 9112, section 9.6, wants it: ours first, then read on for a moment, without holding anybody up."""
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            conn.sock.setblocking(False)
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._lingers, conn))
        except (OSError, ValueError, KeyError):
            self._gone(conn)
        else:
            self.lingering[conn] = time.monotonic() + LINGER_SECONDS

    def _lingers(self, conn: Caller, sock: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError):
            try:
                if sock.recv(65_536):
                    return
            except ConnectionError:
                pass
            self._gone(conn)

    def _gone(self, conn: Caller) -> None:
        self.lingering.pop(conn, None)
        with contextlib.suppress(KeyError, ValueError, OSError):
            self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()


def _nameless(response: Any, given: Any = wsgi.Response.default_headers) -> list[str]:
    """Which program serves is nobody's business."""
    return [line for line in given(response) if not line.startswith("Server:")]


wsgi.Response.default_headers = _nameless
