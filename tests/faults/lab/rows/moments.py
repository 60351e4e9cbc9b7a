"""SIGKILL at any moment of real processes that compete for the work, while upstream goes on posting and people go on acting."""

from __future__ import annotations

from tests.faults.lab.bench import Bench
from tests.faults.lab.drills import drilling
from tests.faults.lab.scene import Row, Scene, numbered

KILLS = 12
PLACES = ("work", "work2", "sign", "sign2", "post", "people")


def play(bench: Bench, scene: Scene, kills: int = KILLS) -> None:
    """Whoever dies is started again at once; the others never wait for him longer than a lease."""
    with drilling(bench, scene, *PLACES) as drill:
        drill.at_any_moment(kills, scene.dice, PLACES)
        scene.faults += [f"{scene.name}.{number}: {death}" for number, death in enumerate(drill.deaths, 1)]


ROW = Row(
    "moments",
    "SIGKILL of workers, signing processes, upstream and people at any moment, two of each at work",
    "leases end, fences hold, late signatures are quarantined; nobody is parked for dying",
    numbered(4),
    play,
)
