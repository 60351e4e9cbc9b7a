"""The verification page's words and dates. Sentences live in `templates/verify.toml`; this only fills them in."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

LANGUAGES = ("id", "en")
WESTERN = "Asia/Jakarta"
_NAMED = re.compile(r"\$([a-z_]+)")


@dataclass(frozen=True, slots=True)
class Tongue:
    """One language of the page, with the time zone of the office."""

    code: str
    zone: str

    @property
    def words(self) -> dict[str, Any]:
        """All words, as the file groups them."""
        found: dict[str, Any] = _words()[self.code]
        return found

    def say(self, text: str, **values: object) -> str:
        """Fill a sentence in. Nothing looks inside a value."""
        return "".join(str(values[part]) if stands_for else part for part, stands_for in _parts(text))

    def day(self, day: date) -> str:
        """Return "20 November 2026"."""
        return f"{day.day} {self.words['time']['months'][day.month - 1]} {day.year}"

    def local(self, at: datetime) -> datetime:
        """Return the instant on the office's clocks."""
        return at.astimezone(ZoneInfo(self.zone))

    def moment(self, at: datetime) -> str:
        """Return "20 November 2026 pukul 09.00 WIB": the zone is always said."""
        time, local = self.words["time"], self.local(at)
        zone = self.words["zones"].get(self.zone, local.strftime("%Z"))
        return self.say(time["instant"], day=self.day(local.date()), clock=local.strftime(time["clock"]), zone=zone)


@lru_cache(1024)
def _parts(text: str) -> tuple[tuple[str, bool], ...]:
    """Cut a sentence into what it says and, each with True, the names that stand for values there."""
    return tuple((part, bool(at % 2)) for at, part in enumerate(_NAMED.split(text)) if part)


@cache
def _words() -> dict[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath("templates/verify.toml").read_text("utf-8"))
