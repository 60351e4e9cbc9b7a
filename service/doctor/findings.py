"""What a check says, and the words for it (`words.toml`). A finding is what `--json` prints; its shape is stable."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from importlib import resources
from string import Template
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from service.doctor.view import View


class State(StrEnum):
    """`unknown`: it could not be found out, so it is not well either."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: which check, of what, how it is, why, and what to do. Never holds a secret, a NIK or an address's login."""

    check: str
    subject: str
    state: State
    code: str
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Note:
    """What a check noticed, before it has words."""

    state: State
    code: str
    subject: str
    params: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Check:
    """One subject that is looked at. `look` writes nowhere; what stands in its way it raises as `OutOfSight`."""

    name: str
    look: Callable[[View], Iterator[Note]]


def well(code: str, subject: str = "", **params: str) -> Note:
    """Nothing to do."""
    return Note(State.OK, code, subject, params)


def warning(code: str, subject: str = "", **params: str) -> Note:
    """It works, and somebody should look at it soon."""
    return Note(State.WARNING, code, subject, params)


def fault(code: str, subject: str = "", **params: str) -> Note:
    """Something does not work."""
    return Note(State.FAULT, code, subject, params)


def unknown(code: str, subject: str = "", **params: str) -> Note:
    """Nobody can tell now."""
    return Note(State.UNKNOWN, code, subject, params)


def worded(check: str, note: Note) -> Finding:
    """Give a note its words."""
    texts = words()["code"][note.code]
    given = {**note.params, "subject": note.subject}
    message, remedy = (Template(texts[key]).substitute(given) for key in ("message", "remedy"))
    return Finding(check, note.subject, note.state, note.code, message, remedy)


def label(check: str) -> str:
    """Return a check's name for people."""
    return str(words()["check"][check])


def phrase(name: str, **params: str) -> str:
    """Return a part of a sentence."""
    return Template(words()["phrase"][name]).substitute(params)


def day(at: datetime) -> str:
    """Return a date as people write it."""
    return f"{at.day} {words()['months'][at.month - 1]} {at.year}"


@cache
def words() -> dict[str, Any]:
    """Return `words.toml`."""
    return tomllib.loads(resources.files(__package__).joinpath("words.toml").read_text("utf-8"))
