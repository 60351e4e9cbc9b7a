"""SIGKILL at every passage of every named point of a fixed day's work, and once more while what it left is taken up."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from tests.faults.lab.bench import Bench
from tests.faults.lab.machines import Machine, hits
from tests.faults.lab.scene import Row, Scene


def passages(bench: Bench, engine: str, seed: int) -> Sequence[str]:
    """Count one undisturbed run; each scene is a passage, and one of those that come after it: `number.before_commit:2+act.after_commit:4`."""
    with bench.office(engine) as office:
        passed = Machine(bench, office).passed()
    named, dice = hits(passed), Random(seed)
    last = [dice.choice(hits(passed[at:])[1:]) for at in range(len(passed) - 1)]
    return [f"{first}+{then}" for first, then in zip(named, [*last, ""], strict=True)]


def play(bench: Bench, scene: Scene) -> None:
    """Die there; die again at some passage of what follows; then finish."""
    first, _, then = scene.name.partition("+")
    with bench.office(scene.engine) as office:
        machine = Machine(bench, office)
        scene.fault(first)
        scene.expect(machine.died(first), f"never died at {first}: {machine.said()}")
        if then and machine.died(then):  # what was done before the first death is not always passed again
            scene.fault(scene.name)
        machine.to_the_end(scene)


ROW = Row(
    "kill",
    "SIGKILL at the n-th passage of each named point, for every n; and again while the rest is done",
    "every case ends once; a lease ends by itself; late signatures are quarantined",
    passages,
    play,
)
