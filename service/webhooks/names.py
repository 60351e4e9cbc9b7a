"""Looks names up for no longer than there is time: the system's resolver knows no deadline, and a name server may say nothing."""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING, Final

from service.webhooks.errors import Unsent

if TYPE_CHECKING:
    from service.webhooks.addresses import Resolve

MOST_AT_ONCE: Final = 32
"""Look-ups under way in this process, those included for which nobody waits any more."""
_places = threading.BoundedSemaphore(MOST_AT_ONCE)


def within(seconds: float, resolve: Resolve, host: str, port: int) -> list[str]:
    """Return what `resolve` says; a look-up that takes longer is left to itself, in a thread of its own.

    Raises Unsent("timeout"), and what `resolve` raises.
    """
    until, places = time.monotonic() + seconds, _places
    if not places.acquire(timeout=max(0.0, seconds)):
        raise Unsent("timeout")
    told: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            told.put(resolve(host, port))
        except Exception as error:  # noqa: BLE001 - whoever waits gets it
            told.put(error)
        finally:
            places.release()

    try:
        threading.Thread(target=ask, name="look-up", daemon=True).start()
    except RuntimeError:  # no more threads
        places.release()
        raise Unsent("timeout") from None
    try:
        answer = told.get(timeout=max(0.0, until - time.monotonic()))
    except queue.Empty:
        raise Unsent("timeout") from None
    if isinstance(answer, Exception):
        raise answer
    return answer
