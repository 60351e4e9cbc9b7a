"""Bounds what another machine may take of our time, however slowly it sends."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Timer
from typing import Final

ALTOGETHER: Final = 2
"""A socket's own time-out begins anew with every byte: the whole talk may take so many times as long."""


@contextmanager
def cut_off(open_socket: Callable[[], socket.socket | None], seconds: float) -> Iterator[None]:
    """Hang up when the talk inside takes too long: whoever reads then reads an end, or gets an OSError."""

    def hang_up() -> None:
        found = open_socket()
        if found is not None:
            with suppress(OSError):
                found.shutdown(socket.SHUT_RDWR)

    watch = Timer(seconds * ALTOGETHER, hang_up)
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()
