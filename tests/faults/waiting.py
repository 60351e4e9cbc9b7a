"""The outside world waits for the database as worker.py does: a machine starts in any order."""

from __future__ import annotations

import time

from service.settings import Settings
from service.store import StoreBusy
from service.wiring import Teken, open_teken

PAUSE = 0.1


def opened() -> Teken:
    """Open what the environment says as soon as its database answers."""
    while True:
        try:
            return open_teken(Settings.from_environment())
        except StoreBusy:
            time.sleep(PAUSE)
