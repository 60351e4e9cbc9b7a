"""The verification page's words and dates. Sentences live in `templates/verify.toml`; this only fills them in."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib import resources
from string import Template
from typing import Any
from zoneinfo import ZoneInfo

LANGUAGES = ("id", "en")
WESTERN = "Asia/Jakarta"


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
        """Fill a sentence in. Template never looks inside a value."""
        return Template(text).substitute({name: str(value) for name, value in values.items()})

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


@cache
def _words() -> dict[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath("templates/verify.toml").read_text("utf-8"))
