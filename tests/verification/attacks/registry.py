"""The list of attacks: each a function from a genuine permit to a forged file, with its class and what a reader then shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.verification.attacks.genuine import Run

Make = Callable[["Run"], bytes]
Effect = Callable[[bytes, bytes], bool]
"""Whether some reader takes the forged file (second) for something else than the genuine one."""

ALL = ("rokan-hilir", "rokan-hulu", "malang", "kudus")
SEALED = ALL[1:]
AFTER = ALL[2:]
"""The number after the head's signature: text fields, filled before the seal."""
ATTACKS: dict[str, Attack] = {}


@dataclass(frozen=True)
class Attack:
    """One attack. `says` is its line in the documents; `offices` are those whose flow it applies to."""

    name: str
    group: str
    says: str
    offices: tuple[str, ...]
    effect: Effect | None
    make: Make


def attack(
    group: str, effect: Effect | None = None, *, offices: tuple[str, ...] = ALL, stamped: bool = False
) -> Callable[[Make], Make]:
    """Register an attack. With `stamped`, it comes twice: also with a trusted document time-stamp over all of it.

    The second file covers every byte, so that only what was changed can betray it.
    """

    def registered(make: Make) -> Make:
        says = (make.__doc__ or "").strip().splitlines()[0]
        add(Attack(make.__name__, group, says, offices, effect, make))
        if stamped:
            covered = f"{says.rstrip('.')}; time-stamped."
            add(Attack(f"{make.__name__}_stamped", group, covered, offices, effect, lambda run: run.stamped(make(run))))
        return make

    return registered


def add(one: Attack) -> None:
    """Add an attack that has its own name. Raises ValueError for one that is taken."""
    if one.name in ATTACKS:
        raise ValueError(one.name)
    ATTACKS[one.name] = one
