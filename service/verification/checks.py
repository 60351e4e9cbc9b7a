"""How many files are checked at once, and whose turn is next: a flood of files costs others a wait, never the pages.

One such object serves one web process. An upload is let in before a byte of it is read, and waits for its turn at the
inspector; what can't be let in is told so at once. Nothing here is an answer about a file.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from service.errors import Busy
from signing.isolation import keep_warm

if TYPE_CHECKING:
    from service.settings import Settings

_MOST_BY_DEFAULT = 3
_WAITING = 3
_PATIENCE_SECONDS = 6.0
_RETRY_SECONDS = 10


class ChecksBusy(Busy):
    """So many files are being checked that this one has to come again."""

    code = "checks_busy"

    def __init__(self) -> None:
        super().__init__(retry_after=_RETRY_SECONDS)


@dataclass(slots=True)
class Checks:
    """At most `at_once` inspections and `inside` uploads, half of them of one asker, each waiting `patience` seconds at most."""

    at_once: int
    inside: int
    patience: float = _PATIENCE_SECONDS
    _here: Counter[str] = field(default_factory=Counter)
    _running: Counter[str] = field(default_factory=Counter)
    _waiting: list[tuple[str]] = field(default_factory=list)  # one object for each, in the order of arrival
    _change: threading.Condition = field(default_factory=threading.Condition)

    @classmethod
    def of(cls, settings: Settings) -> Checks:
        """Make the places that the settings ask for: as many as half of the cores, unless they say otherwise."""
        cores = len(os.sched_getaffinity(0))
        at_once = settings.checks or max(1, min(cores // 2, _MOST_BY_DEFAULT))
        return cls(at_once, at_once + _WAITING)

    def prepare(self) -> None:
        """Have the inspector loaded for files that come: the first one waits no longer than others."""
        keep_warm()

    @contextmanager
    def let_in(self, asker: str) -> Iterator[None]:
        """Hold one of the places inside. An empty `asker` has no share of its own.

        Raises ChecksBusy at once where there is none, or where this asker has his share.
        """
        with self._change:
            if self._here.total() >= self.inside or (asker and self._here[asker] >= max(1, self.inside // 2)):
                raise ChecksBusy
            self._here[asker] += 1
        try:
            yield
        finally:
            with self._change:
                _take_away(self._here, asker)

    @contextmanager
    def turn(self, asker: str) -> Iterator[None]:
        """Wait for a turn at the inspector: whoever has fewest files there goes first, then who came first.

        Raises ChecksBusy when patience ends.
        """
        self._wait((asker,))
        try:
            yield
        finally:
            with self._change:
                _take_away(self._running, asker)
                self._change.notify_all()

    def _wait(self, ticket: tuple[str]) -> None:
        deadline = time.monotonic() + self.patience
        with self._change:
            self._waiting.append(ticket)
            try:
                while not self._is_next(ticket):
                    if not self._change.wait(deadline - time.monotonic()) and not self._is_next(ticket):
                        raise ChecksBusy
                self._running[ticket[0]] += 1
            finally:
                self._waiting[:] = [one for one in self._waiting if one is not ticket]
                self._change.notify_all()

    def _is_next(self, ticket: tuple[str]) -> bool:
        if self._running.total() >= self.at_once:
            return False
        return min(self._waiting, key=lambda one: self._running[one[0]]) is ticket


def _take_away(counts: Counter[str], asker: str) -> None:
    """Forget whom nothing is counted for: askers are many."""
    counts[asker] -= 1
    if not counts[asker]:
        del counts[asker]
