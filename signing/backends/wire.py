"""Asks a service over HTTP and JSON, and knows whether a request had left when something failed.

The difference decides everything for signatures: before dispatch one may try again, after it one may not.
"""

from __future__ import annotations

import base64
import http.client
import json
import random
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from signing.errors import KeyUnusable, SigningFailed
from signing.patience import cut_off

_LARGEST_ANSWER: Final = 256 << 20
_LOOPBACK: Final = {"127.0.0.1", "::1", "localhost"}
_TRY_LATER: Final = {429, 503}
_TRIES: Final = 3
_LONGEST_PAUSE: Final = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and its JSON (None where it isn't any). Both belong together: neither alone says what happened."""

    status: int
    json: Any
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Wire:
    """A service's address and this application's login. `seconds` bounds each wait on the network, twice as much the whole talk.

    Plain http is for this machine only. Certificates are always checked, by `ca_file` if the service has its own CA.
    """

    url: str
    user: str = ""
    password: str = field(default="", repr=False)
    seconds: float = 60.0
    ca_file: Path | None = None
    pause: float = 1.5
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)

    def __post_init__(self) -> None:
        checked_address(self.url)

    def ask(self, path: str, body: dict[str, Any], *, seconds: float | None = None) -> Answer:
        """Ask something that may be asked twice: waits and tries again while the service is busy.

        Raises SigningFailed: service_unreachable, service_busy.
        """
        for attempt in range(1, _TRIES + 1):
            try:
                answer = self._post(path, body, seconds or self.seconds)
            except _Lost:
                raise SigningFailed("service_unreachable", "the answer was lost") from None
            if answer.status not in _TRY_LATER:
                return answer
            if attempt < _TRIES:
                self.sleep(self._pause(attempt, answer))
        raise SigningFailed("service_busy", f"HTTP {answer.status}")

    def dispatch(self, path: str, body: dict[str, Any]) -> Answer:
        """Send something that must not happen twice: exactly one request.

        Raises SigningFailed: service_unreachable (nothing left this machine), outcome_unknown.
        """
        try:
            return self._post(path, body, self.seconds)
        except _Lost as lost:
            raise SigningFailed("outcome_unknown", str(lost)) from None

    def _post(self, path: str, body: dict[str, Any], seconds: float) -> Answer:
        connection, content = self._connection(seconds), json.dumps(body).encode()
        line: list[socket.socket | None] = []
        with cut_off(lambda: line[0] if line else connection.sock, seconds):
            try:
                connection.connect()
                line.append(connection.sock)  # the connection forgets it when the answer is to end it
            except (OSError, http.client.HTTPException) as refused:
                raise SigningFailed("service_unreachable", type(refused).__name__) from None
            try:
                connection.request("POST", self._path(path), content, self._headers())
                return _answer(connection.getresponse())
            except (OSError, http.client.HTTPException) as lost:
                raise _Lost(type(lost).__name__) from None
            finally:
                connection.close()

    def _connection(self, seconds: float) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        if parts.scheme == "http":
            return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=seconds)
        trust = ssl.create_default_context(cafile=str(self.ca_file) if self.ca_file else None)
        return http.client.HTTPSConnection(parts.hostname or "", parts.port, timeout=seconds, context=trust)

    def _path(self, path: str) -> str:
        return urlsplit(self.url).path.rstrip("/") + path

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self.user:
            login = base64.b64encode(f"{self.user}:{self.password}".encode()).decode("ascii")
            headers["Authorization"] = f"Basic {login}"
        return headers

    def _pause(self, attempt: int, answer: Answer) -> float:
        """What the service asks for, otherwise doubling with jitter, so that many clients don't come back at once."""
        own: float = self.pause * 2 ** (attempt - 1) * random.uniform(0.8, 1.2)  # noqa: S311  # jitter, not a secret
        return min(_LONGEST_PAUSE, own if answer.retry_after is None else max(own, answer.retry_after))


def checked_address(url: str) -> None:
    """A secret travels to it: https, or plain http on this machine. Raises KeyUnusable service_insecure."""
    parts = urlsplit(url)
    local = parts.scheme == "http" and parts.hostname in _LOOPBACK
    if not parts.hostname or not (parts.scheme == "https" or local) or parts.username or parts.query:
        raise KeyUnusable("service_insecure")


class _Lost(Exception):
    """The request left, and no whole answer came."""


def _answer(response: http.client.HTTPResponse) -> Answer:
    content = response.read(_LARGEST_ANSWER + 1)
    if len(content) > _LARGEST_ANSWER:
        raise _Lost("answer too large")
    if response.length:
        raise _Lost("answer cut off")
    after = response.headers.get("Retry-After", "")
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError):
        parsed = None
    return Answer(response.status, parsed, float(after) if after.isdecimal() else None)
