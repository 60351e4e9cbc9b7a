"""Bytes of the archive change or vanish at some moment of the day: nothing rotten is released, and the second copy heals it."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from random import Random

from service.archive import LocalArchive
from service.archive_scrub import scrub
from service.clock import SetClock
from tests.faults.lab.bench import Bench, Office
from tests.faults.lab.machine import STUCK
from tests.faults.lab.machines import Machine
from tests.faults.lab.scene import Row, Scene
from tests.faults.oracle import named, read
from tests.support.office import open_office

MOMENTS = (
    "assemble.after_commit:1",
    "assemble.after_commit:3",
    "number.after_commit:2",
    "sign.after_commit:1",
    "sign.after_commit:3",
    "seal.after_commit:1",
    "issue.after_commit:1",
    "issue.after_commit:3",
)
HOW = ("a bit flips", "the end is lost", "it is all zeros", "it is gone")


def scenes(_bench: Bench, _engine: str, _seed: int) -> Sequence[str]:
    """Each way at each moment."""
    return [f"{how} after {moment}" for moment in MOMENTS for how in HOW]


def play(bench: Bench, scene: Scene) -> None:
    """Stop, copy, spoil one named file, go on as far as it goes; scrub with the copy; finish."""
    how, _, moment = scene.name.partition(" after ")
    with bench.office(scene.engine) as office:
        machine = Machine(bench, office, TEKEN_MAX_ATTEMPTS=100)
        scene.expect(machine.died(moment), f"never came to {moment}: {machine.said()}")
        archive, second = office.home / "archive", office.folder / "second"
        shutil.copytree(archive, second)
        there = [
            path for path in sorted(archive.glob("??/*")) if path.parent.name + path.name in named(read(office.store))
        ]
        victim = scene.dice.choice(there)
        scene.fault(f"{scene.name}: file {there.index(victim) + 1} of {len(there)}")
        spoil(victim, how, scene.dice)
        ended = machine.run()
        scene.expect(ended in {0, STUCK}, f"it ended with {ended}: {machine.said()}")
        lost = victim.parent.name + victim.name
        naming = {row["id"] for row in read(office.store)["permits"] if lost in row.values()}
        found = [one for one in machine.judged(settled=False) if lost not in one.where]
        scene.judged([one for one in found if one.invariant not in {"I4", "I7"} or one.where.split()[0] not in naming])
        healed = heal(office, bench.keys, second)
        whole = victim.is_file() and hashlib.sha256(victim.read_bytes()).hexdigest() == lost
        scene.expect(
            lost in healed or whole, f"not healed, only {healed}"
        )  # whole: two cases of one content share a draft
        machine.taken_up()
        machine.to_the_end(scene)


def spoil(path: Path, how: str, dice: Random) -> None:
    """Do what a disk does in time."""
    data = bytearray(path.read_bytes())
    if how == "it is gone":
        path.unlink()
        return
    if how == "a bit flips":
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    elif how == "the end is lost":
        del data[dice.randrange(len(data)) :]
    else:
        data = bytearray(len(data))
    path.chmod(0o640)
    path.write_bytes(data)


def heal(office: Office, keys: Path, second: Path) -> set[str]:
    """What a scrub with a second copy says that it healed."""
    clock = SetClock(datetime.fromisoformat((office.folder / "clock").read_text()))
    with closing(open_office(office.home, keys, database=office.database, clock=clock, signing=False)) as teken:
        done = scrub(teken, teken.archive, "archive", second=LocalArchive(second), anew=True)
    return {one.sha256 for one in done.findings if one.healed}


ROW = Row(
    "rot",
    "a flipped bit, a lost end, zeros or no file at all, under every kind of document and moment",
    "what is spoilt is never released; the scrub finds it, heals it from the second copy, and work goes on",
    scenes,
    play,
)
