"""A worker is so slow that another takes its work: while the lease stands nobody may, and afterwards the slow one has lost it."""

from __future__ import annotations

from collections.abc import Sequence

from tests.faults.lab.bench import Bench
from tests.faults.lab.machines import Machine
from tests.faults.lab.scene import Row, Scene
from tests.faults.oracle import read

STEPS = ("assemble", "number", "sign", "seal", "issue", "notify", "archive")
CASES = ("UJI-0", "UJI-1", "UJI-2")
NOT_SEALED = "UJI-0"


def scenes(_bench: Bench, _engine: str, _seed: int) -> Sequence[str]:
    """Each step of each case, before and after the end of the lease."""
    taken = [(step, case) for case in CASES for step in STEPS if (step, case) != ("seal", NOT_SEALED)]
    return [f"{step} of {case} {when}" for step, case in taken for when in ("late", "at once")]


def play(bench: Bench, scene: Scene) -> None:
    """Two workers, one permit, one step."""
    step, _, case, when = scene.name.split(" ", 3)
    with bench.office(scene.engine) as office:
        machine = Machine(bench, office)
        scene.fault(scene.name)
        machine.to_the_end(scene, UJI_PATCH=f"overtaken:{step}:{case}:{when}")
        found = (office.folder / "overtaken").read_text()
        scene.expect(found == ("taken" if when == "late" else "left alone"), f"it was {found}")
        late = [row["why"] for row in read(office.store)["quarantine"]]
        expected = ["claim_lost"] if when == "late" and step in {"sign", "seal"} else []
        scene.expect(late == expected, f"in quarantine: {late}")


ROW = Row(
    "overtaken",
    "another worker looks at a permit while its step is under way, before and after the lease's end",
    "a lease holds; after it the slow one writes nothing, and its signature is quarantined",
    scenes,
    play,
)
