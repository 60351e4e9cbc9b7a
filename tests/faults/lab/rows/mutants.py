"""Spoilt programs (lab/mutants.py): each is put into the machine and must be found by the row that tries its fault."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.lab.bench import Bench
from tests.faults.lab.machines import Machine
from tests.faults.lab.rows import kill, overtaken, poison, rot
from tests.faults.lab.scene import Row, Scene
from tests.faults.oracle import read


@dataclass(frozen=True)
class Trial:
    """A mutant, the scene that finds it, and the invariant that the judge names ("" where the lab notices without the judge)."""

    mutant: str
    play: Callable[[Bench, Scene], None]
    scene: str
    breaks: str


def undisturbed(bench: Bench, scene: Scene) -> None:
    """A day without any fault."""
    with bench.office(scene.engine) as office:
        Machine(bench, office).to_the_end(scene)


def dying(bench: Bench, scene: Scene) -> None:
    """A day on which the mutant itself dies once."""
    with bench.office(scene.engine) as office:
        machine = Machine(bench, office)
        machine.run()
        bench.mutant = ""  # else it would die again
        machine.to_the_end(scene)


def spoilt(bench: Bench, scene: Scene) -> None:
    """A day on which the head's signed file rots before it is released."""
    with bench.office(scene.engine) as office:
        machine = Machine(bench, office)
        scene.expect(machine.died("sign.after_commit:1"), machine.said())
        head = next(row["head_sha"] for row in read(office.store)["permits"] if row["head_sha"])
        rot.spoil(office.home / "archive" / head[:2] / head[2:], "a bit flips", scene.dice)
        machine.run()
        scene.judged(machine.judged(settled=False))


TRIALS = (
    Trial("counter_alone", kill.play, "number.before_commit:2+", "I2"),
    Trial("reused_number", undisturbed, "", ""),  # the tables refuse it: the permit is not issued
    Trial("attempts_after", poison.play, "number kills", ""),
    Trial("no_fence", overtaken.play, "sign of UJI-1 late", ""),
    Trial("lease_ignored", overtaken.play, "sign of UJI-0 at once", ""),
    Trial("late_event:9", dying, "", "I6"),
    Trial("half_written", kill.play, "archive.after_temporary:9+", "I8"),
    Trial("unread", spoilt, "", "I4"),
    Trial("verified_early", undisturbed, "", "I5"),
    Trial("late_released", overtaken.play, "sign of UJI-0 late", "I4"),
    Trial("acknowledged_early:2", undisturbed, "", "I1"),
    Trial("told_secret", undisturbed, "", "I9"),
    Trial("anybody", undisturbed, "", "I10"),
)


def play(bench: Bench, scene: Scene) -> None:
    """The scene must break, and be sound without the mutant (which its own row shows)."""
    trial = TRIALS[int(scene.name.split()[0]) - 1]
    inner = Scene(scene.row, scene.engine, trial.scene, scene.seed)
    scene.fault(scene.name)
    bench.mutant = trial.mutant
    try:
        trial.play(bench, inner)
    finally:
        bench.mutant = ""
    told = {one.split()[0] for one in inner.violations}
    crashed = [one for one in inner.violations if "Error" in one]
    scene.expect(not crashed, f"the mutant itself does not run: {crashed}")
    scene.expect(inner.violations and (not trial.breaks or trial.breaks in told), f"lives: {inner.violations}")


ROW = Row(
    "mutants",
    "a spoilt program: numbers, leases, fences, events, archive, verification, mandates, secrets",
    "the judge or the scene finds each of them",
    lambda _bench, _engine, _seed: [f"{at} {one.mutant}" for at, one in enumerate(TRIALS, 1)],
    play,
)
