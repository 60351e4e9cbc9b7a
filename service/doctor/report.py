"""The findings as people read them: one line each, in columns; wrapped under themselves on a terminal."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from service.doctor.findings import Finding, State, label, phrase, words

MARKS: Final = {State.OK: "✓", State.WARNING: "!", State.FAULT: "✗", State.UNKNOWN: "?"}
_COLOURS: Final = {State.OK: "32", State.WARNING: "33", State.FAULT: "31", State.UNKNOWN: "35"}
_NARROWEST: Final = 40


def lines(findings: Sequence[Finding], *, width: int = 0, colour: bool = False) -> Iterable[str]:
    """Yield the report. `width` is a terminal's: longer lines go on beneath; 0: a line is a line."""
    marks = max(len(words()["state"][one.state]) for one in findings) + 2
    names = max(len(label(one.check)) for one in findings)
    before = ""
    for one in findings:
        name, before = label(one.check) if one.check != before else "", one.check
        mark = f"{MARKS[one.state]} {words()['state'][one.state]}".ljust(marks)
        column = f"  {name.ljust(names)}  "
        said = _sentence(one)
        room = width - marks - len(column)
        pieces = textwrap.wrap(said, room, break_long_words=False) if room >= _NARROWEST else [said]
        hang = " " * (marks + len(column))
        yield _painted(mark, one.state, colour=colour) + column + f"\n{hang}".join(pieces)
    yield ""
    yield _summary(findings)


def _sentence(one: Finding) -> str:
    named = f"{one.subject}: " if one.subject else ""
    return f"{named}{one.message} {one.remedy}".rstrip()


def _summary(findings: Sequence[Finding]) -> str:
    counted = Counter(one.state for one in findings)
    if counted[State.OK] == len(findings):
        return phrase("all_well", ok=str(len(findings)))
    return phrase("summary", **{state.value: str(counted[state]) for state in State})


def _painted(text: str, state: State, *, colour: bool) -> str:
    return f"\033[{_COLOURS[state]}m{text}\033[0m" if colour else text
