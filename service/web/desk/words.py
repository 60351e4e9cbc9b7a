"""The desk's words and dates: one file per screen in `words/`, Indonesian first. A missing word is an error, never a blank."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib import resources
from string import Template
from typing import Any

from service.clock import instant
from service.web.verify_words import LANGUAGES
from service.web.verify_words import Tongue as Dates

__all__ = ["LANGUAGES", "Words"]


@dataclass(frozen=True, slots=True)
class Words:
    """One language, with the office's time zone."""

    code: str
    zone: str

    def __call__(self, key: str, **values: object) -> str:
        """Return the words of `screen.key`, with $names filled in. Values are never looked into."""
        found: Any = _words(self.code)
        for part in key.split("."):
            found = found[part]
        assert isinstance(found, str), key
        return Template(found).substitute({name: str(value) for name, value in values.items()})

    def has(self, key: str) -> bool:
        """Tell whether there are words of this key."""
        found: Any = _words(self.code)
        for part in key.split("."):
            if not isinstance(found, dict) or part not in found:
                return False
            found = found[part]
        return isinstance(found, str)

    def day(self, day: date | str) -> str:
        """Return "20 November 2026" for a date, or its ISO text."""
        return Dates(self.code, self.zone).day(date.fromisoformat(day) if isinstance(day, str) else day)

    def month(self, month: str) -> str:
        """Return "November 2026" for "2026-11"."""
        return self.day(f"{month}-01").split(" ", 1)[1]

    def moment(self, at: datetime | str) -> str:
        """Return "20 November 2026 pukul 09.00 WIB" for an instant, as `clock.stamp` or ISO 8601 writes it."""
        return Dates(self.code, self.zone).moment(_instant(at))

    def short(self, at: datetime | str) -> str:
        """Return "20/11 09.00" on the office's clocks: for lists."""
        local = Dates(self.code, self.zone).local(_instant(at))
        return local.strftime("%d/%m %H.%M")


def _instant(at: datetime | str) -> datetime:
    if isinstance(at, datetime):
        return at
    try:
        return instant(at)
    except ValueError:
        return datetime.fromisoformat(at)


@cache
def _words(language: str) -> dict[str, Any]:
    folder = resources.files(__package__).joinpath("words")
    screens = {one.name.removesuffix(".toml"): one for one in folder.iterdir() if one.name.endswith(".toml")}
    return {name: tomllib.loads(file.read_text("utf-8"))[language] for name, file in screens.items()}
