"""The survey's arithmetic (SKM, Permenpan RB 14/2017): nine elements, one to four, to an index of 25 to 100 and a grade.

Plain Python on answers; knows nobody who gave them. Weights are exactly one ninth, never 0.11.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

ELEMENTS = ("U1", "U2", "U3", "U4", "U5", "U6", "U7", "U8", "U9")
GRADES = ((Decimal("88.31"), "A"), (Decimal("76.61"), "B"), (Decimal("65.00"), "C"), (Decimal("25.00"), "D"))
"""Lower bounds of the index, rounded to two places half up, and the grade from there on."""
_SCALE = 25


@dataclass(frozen=True, slots=True)
class Index:
    """A result: how many forms, the index (two places), its grade, and each element's mean (three places)."""

    forms: int
    value: Decimal
    grade: str
    elements: Mapping[str, Decimal]


def index(forms: Sequence[Mapping[str, int]]) -> Index | None:
    """Return the index of forms that each answer all nine elements; None where nobody answered."""
    if not forms:
        return None
    means = {element: Fraction(sum(form[element] for form in forms), len(forms)) for element in ELEMENTS}
    value = _rounded(sum(means.values(), Fraction()) / len(ELEMENTS) * _SCALE, 2)
    return Index(len(forms), value, grade(value), {element: _rounded(mean, 3) for element, mean in means.items()})


def grade(value: Decimal) -> str:
    """Return A to D for an index of two places."""
    return next(letter for least, letter in GRADES if value >= least)


def _rounded(value: Fraction, places: int) -> Decimal:
    """Round an exact fraction half up: a float would decide ties by its own error."""
    scaled = value * 10**places
    return Decimal(int(scaled + Fraction(1, 2))).scaleb(-places).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
