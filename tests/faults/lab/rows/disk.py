"""The disk is full, a file may grow no more, or a write error is reported: nothing half is kept, and no case is blamed for it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random

from tests.faults.lab.bench import Bench
from tests.faults.lab.machine import STUCK, UNABLE
from tests.faults.lab.machines import Machine
from tests.faults.lab.scene import Row, Scene

SIZE = "48m"
LEFT = (0, 4, 12, 30, 60, 110, 200, 320, 480, 700, 1000, 1400)  # KB
LARGEST = (1, 8, 20, 40, 64, 100, 160, 300)  # KB
MIDDAY = (
    "",
    "accept.after_commit:3",
    "claim.after_commit:5",
    "number.after_commit:2",
    "sign.after_signature:1",
    "issue.after_proof:1",
)
"""What has been done before."""
WRITES = 140
"""Fewer than a day's fsyncs of files."""


def scenes(_bench: Bench, _engine: str, seed: int) -> Sequence[str]:
    """Where this machine lets us mount a small disk, mostly that."""
    dice = Random(seed)
    full = [f"full with {left + dice.randint(0, 3)} KB left" for left in LEFT] if mountable() else []
    sizes = [f"files up to {largest + dice.randint(0, 3)} KB" for largest in LARGEST]
    return [*full, *sizes, *(f"write error at fsync {at}" for at in sorted(dice.sample(range(1, WRITES), 12)))]


def play(bench: Bench, scene: Scene) -> None:
    """Work until nothing goes any more; then there is room again."""
    number = next(word for word in scene.name.split() if word.isdecimal())
    with bench.office(scene.engine) as office:
        machine = Machine(bench, office, TEKEN_MAX_ATTEMPTS=5, TEKEN_RETRY_SECONDS=1)
        since = scene.dice.choice(MIDDAY)
        scene.fault(f"{scene.name}, after {since}" if since else scene.name)
        scene.expect(not since or machine.died(since), f"never came to {since}")
        if scene.name.startswith("full"):
            with small_disk(office.home) as filled:
                filled(int(number))
                ended = machine.run()
                (office.home / "filler").unlink()
                scene.expect(ended in {0, STUCK, UNABLE}, f"it ended with {ended}: {machine.said()}")
                scene.judged(machine.judged(settled=False))
                machine.to_the_end(scene)
            return
        patch = f"file_size:{number}" if scene.name.startswith("files") else f"fsync:{number}"
        ended = machine.run(UJI_PATCH=patch)
        scene.expect(ended in {0, STUCK, UNABLE}, f"it ended with {ended}: {machine.said()}")
        scene.judged(machine.judged(settled=False))
        machine.to_the_end(scene)


def mountable() -> bool:
    """Whether we may mount a small disk here."""
    return os.geteuid() == 0 and shutil.which("mount") is not None


@contextmanager
def small_disk(home: Path) -> Iterator[object]:
    """Put a home on a disk of its own; what is yielded fills it up to so many KB."""
    before = home.with_name("before")
    home.rename(before)
    home.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", home], check=True)
    try:
        shutil.copytree(before, home, dirs_exist_ok=True)

        def filled(left: int) -> None:
            free = os.statvfs(home).f_bavail * os.statvfs(home).f_frsize
            (home / "filler").write_bytes(bytes(max(0, free - left * 1024)))

        yield filled
    finally:
        subprocess.run(["umount", "-l", home], check=True)


ROW = Row(
    "disk",
    "a tmpfs with a few KB left (as root), RLIMIT_FSIZE, EIO at the n-th fsync",
    "no half file under a name, no number lost; after there is room again every case ends, none was parked for it",
    scenes,
    play,
)
