"""The month or year that a page is about, as its address says it."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date

from flask import request

from service.errors import BadRequest

_SHAPE = re.compile(r"(2[01]\d\d)(?:-(0[1-9]|1[0-2]))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Period:
    """A month ("2026-11") or a year ("2026") with its first and last day, and what else there is to choose on that day."""

    text: str
    first: date
    last: date
    today: date

    @property
    def choices(self) -> list[str]:
        """This year, the last twelve months, the last year."""
        months = (self.today.year * 12 + self.today.month - 1 - back for back in range(12))
        return [str(self.today.year), *(f"{one // 12}-{one % 12 + 1:02}" for one in months), str(self.today.year - 1)]


def asked(today: date, otherwise: str) -> Period:
    """Return the period of the address, or another one. Raises BadRequest."""
    found = _SHAPE.fullmatch(request.args.get("masa", "") or otherwise)
    if found is None:
        raise BadRequest("query_invalid")
    year, month = int(found[1]), int(found[2] or 0)
    last = date(year, month, monthrange(year, month)[1]) if month else date(year, 12, 31)
    return Period(found[0], date(year, month or 1, 1), last, today)
