"""The words of every error and fault code, in Indonesian and English. Knows no HTTP, no framework."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from string import Template
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

LANGUAGES = ("id", "en")
INDONESIAN = "id"
_UNKNOWN = "-"  # a param that an error does not carry


@dataclass(frozen=True, slots=True)
class Words:
    """What happened, and what to do now."""

    title: str
    advice: str


class _Params(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return _UNKNOWN


def problem(code: str, params: Mapping[str, str], language: str = INDONESIAN) -> Words:
    """Return the words of an error code.

    Raises KeyError for a code that has none.
    """
    words = problem_texts()[code][language]
    return Words(words["title"], _filled(words["advice"], params))


def fault(code: str, params: Mapping[str, str], language: str = INDONESIAN) -> str:
    """Return the sentence of a fault or warning code; the code itself if it has none."""
    texts = fault_texts()
    return _filled(texts[code][language], params) if code in texts else code


@cache
def problem_texts() -> dict[str, Any]:
    """Return `problems.toml`."""
    return _read("problems.toml")


@cache
def fault_texts() -> dict[str, Any]:
    """Return `faults.toml`."""
    return _read("faults.toml")


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath(name).read_text("utf-8"))


def _filled(text: str, params: Mapping[str, str]) -> str:
    """Fill in params. Template never looks inside a value, as str.format would."""
    return Template(text).substitute(_Params(params))
