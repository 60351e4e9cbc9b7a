"""Takes one PDF out of a request: at most so large, within so many seconds, and kept nowhere but in this request's memory.

A web server's thread that waits for a slow body serves nobody else. So a body has its time, and one that nobody will read is
cut off. Behind a proxy that collects bodies first (docs/adr/0046) neither happens.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from flask import Response, g, request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from service.errors import BadRequest, LengthRequired, TooLarge, UnsupportedMedia
from service.verification import MOST_BYTES

FIELDS = ("berkas", "file")
IDLE_SECONDS = 5.0
WHOLE_SECONDS = 30.0
_AROUND_A_FILE = 10_000
_POLITE_SECONDS = 0.3
_PAUSE_SECONDS = 0.05
_polite = threading.BoundedSemaphore(2)


def pdf() -> bytes:
    """Return the body of a request: `application/pdf`, or `multipart/form-data` with one file.

    Raises LengthRequired, TooLarge, UnsupportedMedia, BadRequest.
    """
    kind = request.mimetype
    if kind not in {"application/pdf", "multipart/form-data"}:
        raise UnsupportedMedia("file_media")
    most = MOST_BYTES + (_AROUND_A_FILE if kind == "multipart/form-data" else 0)
    if request.content_length is None:
        raise LengthRequired
    if request.content_length > most:
        raise TooLarge("file_too_large")
    request.max_content_length = most
    try:
        with _in_time(_connection()):
            found = _in_form() if kind == "multipart/form-data" else _whole_body(request.content_length)
    except RequestEntityTooLarge:
        raise TooLarge("file_too_large") from None
    except (ClientDisconnected, OSError):
        raise BadRequest("file_incomplete") from None
    g.body_was_read = True
    if not found:
        raise BadRequest("file_missing")
    if len(found) > MOST_BYTES:
        raise TooLarge("file_too_large")
    return found


def cut_unread(response: Response) -> Response:
    """After a refusal: read on for a moment, so that the answer is heard, then no more. The connection ends with it."""
    connection = _connection()
    if request.content_length == 0 or request.method != "POST" or "body_was_read" in g or connection is None:
        return response
    with suppress(OSError):
        if _polite.acquire(blocking=False):
            try:
                _read_away(connection)
            finally:
                _polite.release()
        connection.shutdown(socket.SHUT_RD)
    return response


def _whole_body(length: int) -> bytes:
    found = request.get_data(cache=False)
    if len(found) != length:
        raise BadRequest("file_incomplete")
    return found


def _in_form() -> bytes:
    found = next((request.files[name] for name in FIELDS if name in request.files), None)
    return found.read(MOST_BYTES + 1) if found is not None else b""


def _connection() -> Any:
    """The client's socket, where the web server tells it (gunicorn does)."""
    return request.environ.get("gunicorn.socket")


@contextmanager
def _in_time(connection: Any) -> Iterator[None]:
    """End reading after `IDLE_SECONDS` without a byte, and after `WHOLE_SECONDS` in any case."""
    if connection is None:
        yield
        return
    end = threading.Timer(WHOLE_SECONDS, _no_more, (connection,))
    end.daemon = True
    connection.settimeout(IDLE_SECONDS)
    end.start()
    try:
        yield
    finally:
        end.cancel()
        with suppress(OSError):
            connection.settimeout(None)


def _no_more(connection: Any) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RD)


def _read_away(connection: Any) -> None:
    deadline = time.monotonic() + _POLITE_SECONDS
    connection.settimeout(_PAUSE_SECONDS)
    try:
        while time.monotonic() < deadline and connection.recv(1 << 16):
            pass
    finally:
        connection.settimeout(None)
