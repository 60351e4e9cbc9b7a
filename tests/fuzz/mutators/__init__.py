"""What is done to a file, in six levels. Every mutator is a pure function of its dice, so a number replays it."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from tests.fuzz.mutators import envelopes, objects, octets, structure, tokens, updates

Mutator = Callable[[bytes, random.Random, Sequence[bytes]], bytes]
"""From a file, dice, and the other files that it may take pieces of."""

LEVELS: Final[dict[str, tuple[int, tuple[Mutator, ...]]]] = {
    "octets": (16, octets.ALL),
    "tokens": (16, tokens.ALL),
    "objects": (14, objects.ALL),
    "updates": (28, updates.ALL),
    "structure": (12, structure.ALL),
    "envelopes": (14, envelopes.ALL),
}
"""The share of each level, in hundredths, and its mutators."""


@dataclass(frozen=True)
class Mutation:
    """Which mutator made a file."""

    level: str
    name: str
    pdf: bytes


def mutate(pdf: bytes, dice: random.Random, others: Sequence[bytes]) -> Mutation:
    """Change a file somehow; two changes at once in one case of ten."""
    level = dice.choices(list(LEVELS), [share for share, _ in LEVELS.values()])[0]
    mutator = dice.choice(LEVELS[level][1])
    changed = mutator(pdf, dice, others)
    if dice.random() < 0.1:
        changed = dice.choice(octets.ALL)(changed, dice, others) if changed else changed
    return Mutation(level, mutator.__name__, changed)
