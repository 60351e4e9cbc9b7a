"""The host's clock jumps: over new year, for years, back before the last number; and is put right again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from tests.faults.lab.bench import Bench
from tests.faults.lab.machine import STUCK
from tests.faults.lab.machines import Machine
from tests.faults.lab.scene import Row, Scene
from tests.faults.oracle import read

JUMPS = {
    "over new year": timedelta(days=45),
    "a day on": timedelta(days=1),
    "eleven years on": timedelta(days=4018),
    "an hour back": timedelta(hours=-1),
    "a day back": timedelta(days=-1),
    "half a year back": timedelta(days=-180),
    "400 days back": timedelta(days=-400),
    "to 1970": datetime(1970, 1, 2) - datetime(2026, 11, 20, 2),
}
MOMENTS = (
    "accept.after_commit:3",
    "number.after_commit:1",
    "number.after_commit:2",
    "sign.after_commit:1",
    "issue.after_commit:1",
)


def scenes(_bench: Bench, _engine: str, _seed: int) -> Sequence[str]:
    """Each jump at each moment."""
    return [f"{jump}, after {moment}" for jump in JUMPS for moment in MOMENTS]


def play(bench: Bench, scene: Scene) -> None:
    """Work until then; jump; work as far as it goes; put the clock right; finish."""
    jump, _, moment = scene.name.partition(", after ")
    with bench.office(scene.engine) as office:
        machine = Machine(bench, office, TEKEN_MAX_ATTEMPTS=100)
        scene.expect(machine.died(moment), f"never came to {moment}: {machine.said()}")
        before = {row["id"]: row["set_on"] for row in read(office.store)["permits"] if row["number"]}
        right = datetime.fromisoformat((office.folder / "clock").read_text())
        (office.folder / "clock").write_text((right + JUMPS[jump]).isoformat())
        scene.fault(scene.name)
        ended = machine.run()
        scene.expect(ended in {0, STUCK}, f"it ended with {ended}: {machine.said()}")
        scene.judged(machine.judged(settled=False))
        (office.folder / "clock").write_text((right + timedelta(hours=2)).isoformat())
        machine.taken_up()
        machine.to_the_end(scene)
        after = {row["id"]: row["set_on"] for row in read(office.store)["permits"]}
        scene.expect(before.items() <= after.items(), f"dates that were fixed changed: {before} {after}")


ROW = Row(
    "clock",
    "the clock goes 45 days or eleven years on, an hour, a day, half a year, 400 days or to 1970 back, and is put right",
    "a number's day is fixed once; nothing is numbered before its predecessor; nobody waits for ever",
    scenes,
    play,
)
