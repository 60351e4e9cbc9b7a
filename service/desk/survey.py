"""Results of the satisfaction survey (SKM) for an office: index, grade, elements, by period and type. Knows nobody who answered."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from sqlalchemy import select

from service.skm import ELEMENTS, Index, index
from service.store.tables import surveys

if TYPE_CHECKING:
    from service.wiring import Teken

FEW, SCALE = 30, 25
"""Below so many forms a figure says little."""


@dataclass(frozen=True, slots=True)
class Results:
    """One period. `spread` counts the answers 1 to 4 of each element; `months` and `types` are the same period, divided."""

    whole: Index | None
    spread: Mapping[str, tuple[int, int, int, int]]
    months: tuple[tuple[str, Index], ...]
    types: tuple[tuple[str, Index], ...]

    def value_of(self, code: str) -> Decimal:
        """Return an element's own value of 25 to 100, from the answers and not from the rounded mean."""
        total, forms = sum(grade * many for grade, many in enumerate(self.spread[code], 1)), sum(self.spread[code])
        return (Decimal(total) * SCALE / forms).quantize(Decimal("0.01"), ROUND_HALF_UP)

    @property
    def lowest(self) -> str | None:
        """The element with the lowest mean."""
        means = self.whole.elements if self.whole else {}
        return min(means, key=lambda code: means[code], default=None)


def results(teken: Teken, office: str, period: str) -> Results:
    """Return an office's results for "2026-11" or "2026"."""
    within = (surveys.c.office == office) & surveys.c.month.startswith(period, autoescape=True)
    with teken.db.read() as connection:
        rows = connection.execute(select(surveys.c.type, surveys.c.month, surveys.c.answers).where(within)).all()
    forms = [(row.type, row.month, json.loads(row.answers)) for row in rows]
    return Results(
        index([answers for _, _, answers in forms]),
        _spread([answers for _, _, answers in forms]),
        _divided([(month, answers) for _, month, answers in forms]),
        _divided([(kind, answers) for kind, _, answers in forms]),
    )


def _spread(forms: list[dict[str, int]]) -> dict[str, tuple[int, int, int, int]]:
    counted = {code: Counter(form[code] for form in forms) for code in ELEMENTS}
    return {code: (found[1], found[2], found[3], found[4]) for code, found in counted.items()}


def _divided(forms: list[tuple[str, dict[str, int]]]) -> tuple[tuple[str, Index], ...]:
    groups: dict[str, list[dict[str, int]]] = defaultdict(list)
    for key, answers in forms:
        groups[key].append(answers)
    found = ((key, index(groups[key])) for key in sorted(groups))
    return tuple((key, one) for key, one in found if one is not None)
