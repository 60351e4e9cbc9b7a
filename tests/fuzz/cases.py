"""Case number so and so: which file, which change. The same seed, number and house make the same bytes."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass

from tests.fuzz.house import House, Kind, Seed
from tests.fuzz.mutators import Mutation, mutate

SHARES: dict[Kind, int] = {"archived": 4, "elsewhere": 41, "foreign": 55}
_TRIES = 50


@dataclass(frozen=True)
class Case:
    number: int
    seed: Seed
    mutation: Mutation


def case(house: House, seed: int, number: int) -> Case:
    """Change a file until it is none that anybody released or signed. Small files come more often: they cost less."""
    dice = random.Random(f"{seed}/{number}")
    kind = dice.choices(list(SHARES), list(SHARES.values()))[0]
    files = [one for one in house.seeds if one.kind == kind]
    others = [one.pdf for one in house.seeds]
    for _ in range(_TRIES):
        one = dice.choices(files, [1 / len(file.pdf) for file in files])[0]
        mutation = mutate(one.pdf, dice, others)
        if hashlib.sha256(mutation.pdf).digest() not in house.genuine:
            return Case(number, one, mutation)
    raise RuntimeError(f"case {number} of seed {seed}: nothing but genuine files")
