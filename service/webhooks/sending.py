"""Posts to a receiver over a connection to an address that was checked. Trusts nothing that comes back but the status.

No proxy of the environment, no redirect, no cookie; what the answer says besides status and Retry-After is thrown away.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import Final, Self

from service.webhooks.addresses import Address, Resolve, checked, look_up
from service.webhooks.errors import Unsent
from service.webhooks.names import within
from service.webhooks.targets import Rules, Target

CONNECT_SECONDS: Final = 5
TOTAL_SECONDS: Final = 15
"""For one letter: name, connection, TLS, request and answer together, however slowly the receiver drips."""
_MOST_BODY: Final = 16_384
_MOST_ADDRESSES: Final = 3
_STATUSES: Final = range(101, 600)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the receiver said. `wait`: seconds that it asks for (Retry-After)."""

    status: int
    wait: float | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """How this process reaches receivers; chosen once."""

    rules: Rules
    trust: ssl.SSLContext
    resolve: Resolve = look_up
    seconds: float = TOTAL_SECONDS
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))


def trust_of(own_anchors: Path | None) -> ssl.SSLContext:
    """Trust the system's authorities, and the office's own where it has some."""
    context = ssl.create_default_context()
    if own_anchors is not None:
        context.load_verify_locations(own_anchors)
    return context


class Line:
    """A connection to one receiver, kept open between the letters of one burst."""

    def __init__(self, target: Target, network: Network) -> None:
        self._target, self._network = target, network
        self._open: http.client.HTTPConnection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Post once; once more if a kept connection turns out to be closed, which a receiver may do at any time.

        Raises Unsent.
        """
        kept = self._open is not None
        try:
            return self._post(body, headers)
        except Unsent as error:
            self.close()
            if not kept or error.code != "connection_lost":
                raise
        try:
            return self._post(body, headers)
        except Unsent:
            self.close()
            raise

    def close(self) -> None:
        """Hang up."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        alarm = _Alarm(self._network.seconds)
        with alarm, _told_as_unsent(alarm):
            line = self._open or self._connected(alarm)
            assert line.sock is not None
            alarm.watch(line.sock)
            line.request("POST", self._target.path, body, dict(headers))
            answer = line.getresponse()
            if alarm.rang:  # headers that were cut off look like headers that ended
                raise Unsent("timeout")
            if answer.status not in _STATUSES:
                raise Unsent("answer_unreadable")
            told = Answer(answer.status, _seconds(answer.headers.get("retry-after"), self._network.now()))
            self._finish(answer)
            return told

    def _finish(self, answer: http.client.HTTPResponse) -> None:
        """Read a short body, so that the connection can be kept; whatever is wrong with it, the status stands."""
        short = answer.length is not None and answer.length <= _MOST_BODY
        with suppress(OSError, http.client.HTTPException, ValueError):
            if short:
                answer.read(_MOST_BODY)
        if not short or answer.will_close or not answer.isclosed():
            self.close()

    def _connected(self, alarm: _Alarm) -> http.client.HTTPConnection:
        target = self._target
        resolve = partial(within, alarm.left, self._network.resolve)
        found = checked(target.host, target.port, resolve, self._network.rules.networks)
        if target.scheme == "http":
            if not all(map(self._network.rules.allow_plain, found)):
                raise Unsent("address_refused")
            self._open = plain = http.client.HTTPConnection(target.host, target.port)
            plain.sock = self._reached(found, alarm)
            return plain
        self._open = secure = http.client.HTTPSConnection(target.host, target.port, context=self._network.trust)
        bare = self._reached(found, alarm)
        tls = self._network.trust.wrap_socket(bare, server_hostname=target.host, do_handshake_on_connect=False)
        secure.sock = tls
        alarm.watch(tls)
        tls.do_handshake()
        return secure

    def _reached(self, addresses: list[Address], alarm: _Alarm) -> socket.socket:
        """Connect to the first address that answers. No name is looked up here."""
        for address in addresses[:_MOST_ADDRESSES]:
            left = min(CONNECT_SECONDS, alarm.left)
            with suppress(OSError):
                if left > 0:
                    reached = socket.create_connection((str(address), self._target.port), timeout=left)
                    reached.settimeout(self._network.seconds)
                    reached.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    return reached
        raise Unsent("timeout" if alarm.rang or alarm.left <= 0 else "unreachable")


class _Alarm:
    """Ends what is under way on a socket when the time is over: a timeout of each read would let a slow receiver go on for ever."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self._timer = threading.Timer(seconds, self._ring)
        self._timer.daemon = True
        self._socket: socket.socket | None = None
        self.rang = False

    @property
    def left(self) -> float:
        return self._until - time.monotonic()

    def watch(self, watched: socket.socket) -> socket.socket:
        self._socket = watched
        if self.rang:
            raise Unsent("timeout")
        return watched

    def _ring(self) -> None:
        self.rang = True
        if self._socket is not None:
            with suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # not TLS's own: another thread is reading

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()


@contextmanager
def _told_as_unsent(alarm: _Alarm) -> Iterator[None]:
    """Give every failure of a network its code; no message of a library is kept, since it may quote the receiver."""
    try:
        yield
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unsent("timeout" if alarm.rang else _code(error)) from None


def _code(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, ssl.SSLEOFError):
        return "connection_lost"
    if isinstance(error, ssl.SSLCertVerificationError):
        return "certificate_refused"
    if isinstance(error, ssl.SSLError):
        return "tls_failed"
    if isinstance(error, (OSError, http.client.IncompleteRead)):
        return "connection_lost"
    return "answer_unreadable"


def _seconds(said: str | None, now: datetime) -> float | None:
    """Read Retry-After: seconds or a date."""
    if said is None:
        return None
    if said.isascii() and said.isdigit():
        return float(said[:9])
    try:
        return max(0.0, (parsedate_to_datetime(said) - now).total_seconds())
    except (TypeError, ValueError, OverflowError):
        return None
