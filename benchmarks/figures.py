"""Figures from many timings: the middle and its spread, and the ratio of two that were taken turn about."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles

DRAWS = 2000
SEED = 20261123


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, 10th and 90th percentile, in the unit of the timings."""

    median: float
    p10: float
    p90: float


@dataclass(frozen=True, slots=True)
class Ratio:
    """The ratio of two medians, with its 95 % interval."""

    value: float
    low: float
    high: float

    def within(self, low: float, high: float) -> bool:
        """Tell whether the whole interval lies inside."""
        return low <= self.low and self.high <= high


def spread(timings: Sequence[float]) -> Spread:
    """Return the middle and the spread of at least two timings."""
    tenths = quantiles(timings, n=10, method="inclusive")
    return Spread(median(timings), tenths[0], tenths[-1])


def ratio(dividend: Sequence[float], divisor: Sequence[float]) -> Ratio:
    """Return the ratio of the medians; its interval by bootstrap over the rounds.

    Entry i of both was measured in round i: they are drawn together, so that what slowed the machine down slows both.
    """
    pairs = list(zip(dividend, divisor, strict=True))
    chance = random.Random(SEED)
    drawn = sorted(_of_medians(chance.choices(pairs, k=len(pairs))) for _ in range(DRAWS))
    return Ratio(_of_medians(pairs), drawn[int(DRAWS * 0.025)], drawn[int(DRAWS * 0.975)])


def _of_medians(pairs: Sequence[tuple[float, float]]) -> float:
    return median(a for a, _ in pairs) / median(b for _, b in pairs)
