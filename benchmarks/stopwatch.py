"""Tells, while real permits pass through, how much CPU time each stage took for itself, without the stages inside it."""

from __future__ import annotations

import functools
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from service.steps import STEPS

ELSEWHERE = "claims and what is between"
STAGES: dict[str, tuple[str, ...]] = {
    "validate the case, clean the photo": ("service.intake.parse_case", "service.intake.clean_photo"),
    "accept (store the case)": ("service.intake.accept",),
    "typeset": ("service.document.typeset.Typesetter.typeset",),
    "prepare the fields": ("service.document.fields.prepare", "service.document.rehearse.prepare"),
    "rehearse (letters, longest values)": ("service.steps.assemble.rehearse",),
    "assemble, render (transactions)": ("step assemble", "step render"),
    "number (register transaction)": ("step number",),
    "sign": ("service.steps.sign.apply_signature",),
    "seal": ("service.steps.seal.fill_and_seal",),
    "sign, seal (transactions)": ("step sign", "step seal"),
    "prove": ("service.steps.proving.prove",),
    "store (archive)": ("service.archive.LocalArchive.put",),
    "store (issue transaction)": ("step issue",),
    "notify, archive": ("step notify", "step archive"),
    "people's acts": ("benchmarks.office.take_turn",),
}


class Stopwatch:
    """CPU seconds and calls by stage since the last `lap`. The clock runs for the innermost stage only."""

    def __init__(self) -> None:
        self._running = [ELSEWHERE]
        self._since = time.process_time()
        self.seconds: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()

    def lap(self) -> dict[str, float]:
        """Return the seconds by stage and begin anew."""
        self._book()
        lap, self.seconds = dict(self.seconds), Counter()
        return lap

    def timed(self, stage: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function with its time booked on the stage."""

        @functools.wraps(work)
        def watched(*args: Any, **kwargs: Any) -> Any:
            self._book()
            self._running.append(stage)
            self.calls[stage] += 1
            try:
                return work(*args, **kwargs)
            finally:
                self._book()
                self._running.pop()

        return watched

    def _book(self) -> None:
        now = time.process_time()
        self.seconds[self._running[-1]] += now - self._since
        self._since = time.process_time()


@contextmanager
def watching() -> Iterator[Stopwatch]:
    """Put the product's stages under a stopwatch."""
    watch = Stopwatch()
    with ExitStack() as patches:
        for stage, places in STAGES.items():
            for place in places:
                patches.enter_context(_watched(watch, stage, place))
        yield watch


def _watched(watch: Stopwatch, stage: str, place: str) -> Any:
    if place.startswith("step "):
        step = place.removeprefix("step ")
        return patch.dict(STEPS, {step: watch.timed(stage, STEPS[step])})
    import pkgutil

    return patch(place, watch.timed(stage, pkgutil.resolve_name(place)))
