"""One case kills, crashes or fails whoever touches it at some step: it is set aside, the others flow, and later it flows too."""

from __future__ import annotations

import signal
from collections.abc import Sequence

from tests.faults.lab.bench import Bench
from tests.faults.lab.machines import KINDS, Machine
from tests.faults.lab.patches import ENDS
from tests.faults.lab.scene import Row, Scene
from tests.faults.oracle import read

STEPS = ("assemble", "number", "sign", "seal", "issue", "notify", "archive")
TRIES = 3


def scenes(_bench: Bench, _engine: str, _seed: int) -> Sequence[str]:
    """Each step, each way."""
    return [f"{step} {how}" for step in STEPS for how in ENDS]


def play(bench: Bench, scene: Scene) -> None:
    """Start it again as often as a supervisor would; then cure the case and take it up again."""
    step, _, how = scene.name.partition(" ")
    case = "UJI-1"  # of an office that seals: it passes every step
    with bench.office(scene.engine) as office:
        machine = Machine(bench, office, KINDS, TEKEN_MAX_ATTEMPTS=TRIES)
        scene.fault(scene.name)
        deaths = 0
        while (ended := machine.run(UJI_PATCH=f"poison:{step}:{case}:{how}")) in {-signal.SIGKILL, -signal.SIGSEGV}:
            deaths += 1
            scene.expect(deaths <= TRIES, f"it killed {deaths} times")
            if deaths > TRIES:
                break
        scene.expect(ended == 0, f"it ended with {ended}: {machine.said()}")
        scene.judged(machine.judged())
        ill = next(row for row in read(office.store)["permits"] if row["upstream_id"] == case)
        scene.expect(ill["fault"], "nobody is told why it waits")
        others = {name: state for name, state in machine.states().items() if name != case}
        scene.expect(set(others.values()) == {"in_force"}, f"others wait too: {others}")
        machine.taken_up()
        machine.to_the_end(scene)


ROW = Row(
    "poison",
    "one case ends its process by SIGKILL or SIGSEGV, or fails (error, memory, recursion), at each step",
    "tried three times, parked and shown, its number kept; the others are issued; resumed, it is issued",
    scenes,
    play,
)
