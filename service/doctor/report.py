"""The findings as people read them: one line each, in columns; wrapped under themselves on a terminal."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from service.doctor.findings import Finding, State, label, phrase, words

MARKS: Final = {State.OK: "✓", State.WARNING: "!", State.FAULT: "✗", State.UNKNOWN: "?"}
_COLOURS: Final = {State.OK: "32", State.WARNING: "33", State.FAULT: "31", State.UNKNOWN: "35"}
_NARROWEST: Final = 40


def lines(findings: Sequence[Finding], *, width: int = 0, colour: bool = False) -> Iterator[str]:
    """Yield the report. `width` is a terminal's: long lines go on beneath, remedies have their own; 0: all on one line."""
    marks = max(len(_mark(one)) for one in findings)
    names = max(len(label(one.check)) for one in findings)
    before = ""
    for one in findings:
        name = "" if width and one.check == before else label(one.check)
        before = one.check
        margin = marks + names + 4
        text = f"\n{' ' * margin}".join(_pieces(one, width - margin))
        yield f"{_painted(_mark(one).ljust(marks), one.state, colour=colour)}  {name.ljust(names)}  {text}"
    yield ""
    yield _summary(findings)


def _mark(one: Finding) -> str:
    return f"{MARKS[one.state]} {words()['state'][one.state]}"


def _pieces(one: Finding, room: int) -> list[str]:
    said = f"{one.subject}: {one.message}" if one.subject else one.message
    if room < _NARROWEST:
        return [f"{said} {one.remedy}".rstrip()]
    told = textwrap.wrap(said, room, break_long_words=False, break_on_hyphens=False)
    return told + textwrap.wrap(one.remedy, room, initial_indent="→ ", subsequent_indent="  ", break_on_hyphens=False)


def _summary(findings: Sequence[Finding]) -> str:
    counted = Counter(one.state for one in findings)
    if counted[State.OK] == len(findings):
        return phrase("all_well", ok=str(len(findings)))
    return phrase("summary", **{state.value: str(counted[state]) for state in State})


def _painted(text: str, state: State, *, colour: bool) -> str:
    return f"\033[{_COLOURS[state]}m{text}\033[0m" if colour else text
