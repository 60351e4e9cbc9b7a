"""Register number patterns, `{klas}/{seq:03}/{type}/DPMPTSP/{MM_roman}/{yyyy}`: parse once, refuse what is ambiguous.

A rendered number can be read back in one way only (see `_refuse_ambiguous`), so two entries of one series never print
the same number. The register keeps its own UNIQUE on top of that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKENS: Final = (
    "klas", "seq", "type", "place", "place_roman", "dd", "mm", "MM_roman", "yyyy", "yy",
)  # fmt: skip
_DATES: Final = frozenset({"dd", "mm", "yyyy", "yy"})  # fixed width: may touch each other
_ROMAN: Final = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")
_WIDEST_DAY: Final = date(2088, 8, 28)  # VIII is the widest month
_PIECE: Final = re.compile(r"\{([^{}]*)\}|([^{}]+)|([{}])")
_PAD: Final = re.compile(r"0([1-9]|1[0-2])", re.ASCII)


class PatternInvalid(ValueError):
    """The pattern is refused; `code` and `params` choose the sentence in `faults.MESSAGES`."""

    def __init__(self, code: str, **params: str) -> None:
        self.code = code
        self.params = params
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class Token:
    name: str
    pad: int = 0


Part = Token | str


@lru_cache(256)
def parse(pattern: str) -> tuple[Part, ...]:
    """The pattern's tokens and literals in order. Raises PatternInvalid."""
    parts = tuple(_parts(pattern))
    if sum(isinstance(part, Token) and part.name == "seq" for part in parts) != 1:
        raise PatternInvalid("pattern_seq")
    _refuse_ambiguous(parts)
    return parts


def render(pattern: str, *, seq: int, klas: str, type: str, place: int | None, day: date) -> str:  # noqa: A002 - the token's name
    """The register number. `place` (practice.ke) may be None only where the pattern shows no place."""
    if seq < 1:
        raise ValueError("a register counts from one")
    values = {
        "klas": klas,
        "type": type,
        "dd": f"{day.day:02}",
        "mm": f"{day.month:02}",
        "MM_roman": _ROMAN[day.month - 1],
        "yyyy": f"{day.year:04}",
        "yy": f"{day.year % 100:02}",
    }
    if place is not None:
        if not 1 <= place <= len(_ROMAN):
            raise ValueError("practices are counted from one to twelve")
        values |= {"place": str(place), "place_roman": _ROMAN[place - 1]}
    return "".join(_text(part, seq, values) for part in parse(pattern))


def longest(pattern: str, digits: int, *, klas: str, type: str, place: int | None) -> str:  # noqa: A002 - the token's name
    """The widest number that the rehearsal must find room for: `digits` nines and the widest month."""
    return render(pattern, seq=10**digits - 1, klas=klas, type=type, place=place, day=_WIDEST_DAY)


def period(reset: str, day: date) -> str:
    """Which counter a day belongs to: "2026", "2026-11", or "" for a series that never restarts."""
    if reset == "yearly":
        return f"{day.year:04}"
    return f"{day.year:04}-{day.month:02}" if reset == "monthly" else ""


def refuse_repeats(pattern: str, *, reset: str, scope: str) -> None:
    """Raise PatternInvalid when a restarting or divided counter does not show what tells its numbers apart."""
    shown = {part.name for part in parse(pattern) if isinstance(part, Token)}
    if reset != "never" and not shown & {"yyyy", "yy"}:
        raise PatternInvalid("pattern_year", reset={"yearly": "tahun", "monthly": "bulan"}[reset])
    if reset == "monthly" and not shown & {"mm", "MM_roman"}:
        raise PatternInvalid("pattern_month")
    if scope == "type" and not shown & {"type", "klas"}:
        raise PatternInvalid("pattern_type")


def shape(pattern: str, *, klas: str, type: str) -> str:  # noqa: A002 - the token's name
    """Fill in one type's codes and make all running numbers alike: equal shapes may give equal numbers."""
    filled = {"klas": klas, "type": type, "MM_roman": "@", "place_roman": "@"}
    return "".join(part if isinstance(part, str) else filled.get(part.name, "#") for part in parse(pattern))


def _parts(pattern: str) -> Iterator[Part]:
    for match in _PIECE.finditer(pattern):
        token, literal, brace = match.groups()
        if brace:
            raise PatternInvalid("pattern_brace")
        yield literal if literal is not None else _token(token)


def _token(text: str) -> Token:
    name, colon, pad = text.partition(":")
    if name not in TOKENS:
        raise PatternInvalid("pattern_token", token=text, known=" ".join(f"{{{known}}}" for known in TOKENS))
    if not colon:
        return Token(name)
    if name != "seq" or not _PAD.fullmatch(pad):
        raise PatternInvalid("pattern_pad")
    return Token(name, int(pad))


def _text(part: Part, seq: int, values: dict[str, str]) -> str:
    if isinstance(part, str):
        return part
    return f"{seq:0{part.pad}}" if part.name == "seq" else values[part.name]


def _refuse_ambiguous(parts: tuple[Part, ...]) -> None:
    """Refuse what can be read in two ways.

    {klas} and {type} hold no slash or space (schema), so slashes and spaces split a number into fixed segments.
    In a segment at most one part is free text, and neighbours are told apart by punctuation or fixed width.
    """
    for left, right in pairwise(parts):
        _refuse_touching(left, right)
    for segment in _segments(parts):
        free = sum(name in {"klas", "type"} for name in segment)
        if free > 1 or (free and "seq" in segment):
            raise PatternInvalid("pattern_segment")


def _refuse_touching(left: Part, right: Part) -> None:
    if isinstance(left, Token) and isinstance(right, Token):
        if not {left.name, right.name} <= _DATES:
            raise PatternInvalid("pattern_touch", left=left.name, right=right.name)
    elif isinstance(left, Token) and isinstance(right, str):
        _refuse_bound(left, right[0])
    elif isinstance(left, str) and isinstance(right, Token):
        _refuse_bound(right, left[-1])


def _refuse_bound(token: Token, neighbour: str) -> None:
    if token.name not in _DATES and neighbour.isalnum():
        raise PatternInvalid("pattern_bound", token=token.name)


def _segments(parts: tuple[Part, ...]) -> Iterator[set[str]]:
    """Names of the tokens between two slashes or spaces."""
    names: set[str] = set()
    for part in parts:
        if isinstance(part, Token):
            names.add(part.name)
        elif re.search(r"[/ ]", part):
            yield names
            names = set()
    yield names
