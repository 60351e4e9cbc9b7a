"""What a row of the fault table is to the laboratory, and what a scene of it tells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from tests.faults.lab.bench import ENGINES, Bench
from tests.faults.oracle import Violation


@dataclass
class Scene:
    """One world that is built, broken and judged. `replay` builds and breaks it the same way again."""

    row: str
    engine: str
    name: str
    seed: int
    faults: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def replay(self) -> str:
        """What REPLAY= takes."""
        return f"{self.row}/{self.engine}/{self.seed}/{self.name}"

    @property
    def dice(self) -> Random:
        """This scene's own chance, whatever ran before it."""
        return Random(self.replay)

    def fault(self, name: str) -> None:
        """Note what is done to the world, before it is done."""
        self.faults.append(name)

    def expect(self, holds: object, otherwise: str) -> None:
        """Note a violation unless what must hold holds."""
        if not holds:
            self.violations.append(otherwise)

    def judged(self, found: Sequence[Violation]) -> None:
        """Note what the judge found."""
        self.violations += [f"{one.invariant} {one.where}: {one.what}" for one in found]


@dataclass(frozen=True)
class Row:
    """One line of the fault table: what is injected, what is expected, and the scenes that try it."""

    name: str
    injected: str
    expected: str
    scenes: Callable[[Bench, str, int], Sequence[str]]
    play: Callable[[Bench, Scene], None]
    engines: tuple[str, ...] = ENGINES


def numbered(most: int) -> Callable[[Bench, str, int], Sequence[str]]:
    """So many scenes that differ by their dice alone."""
    return lambda _bench, _engine, _seed: [str(number) for number in range(1, most + 1)]
