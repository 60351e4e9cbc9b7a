"""Keys and certificates that are not what they should be: nothing is numbered for a certificate that can't sign, nothing is signed wrongly."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from tests.faults.lab.bench import Bench, new_keys
from tests.faults.lab.machine import STUCK
from tests.faults.lab.machines import KINDS, Machine
from tests.faults.lab.scene import Row, Scene
from tests.faults.oracle import read

UNFIT = {"expired": datetime(2019, 1, 1, tzinfo=UTC), "not yet valid": datetime(2027, 6, 1, tzinfo=UTC)}


def _swap(files: list[Path], _dice: Random) -> None:
    """Each key under another's name."""
    everybody = sorted(files[0].parent.glob("*.p12"))
    data = [path.read_bytes() for path in everybody]
    for path in files:
        path.write_bytes(data[everybody.index(path) - 1])


def _garbage(files: list[Path], dice: Random) -> None:
    for path in files:
        path.write_bytes(dice.randbytes(900))


def _half(files: list[Path], dice: Random) -> None:
    for path in files:
        path.write_bytes(path.read_bytes()[: dice.randint(1, 700)])


def _gone(files: list[Path], _dice: Random) -> None:
    for path in files:
        path.unlink()


def _secret(files: list[Path], _dice: Random) -> None:
    (files[0].parent / "passphrase").write_text("salah\n")


SPOILT: dict[str, Callable[[list[Path], Random], None]] = {
    "swapped": _swap,
    "garbage": _garbage,
    "half written": _half,
    "gone": _gone,
    "wrong passphrase": _secret,
}


def scenes(_bench: Bench, _engine: str, _seed: int) -> Sequence[str]:
    """Each way in each office."""
    return [f"{how}, {office}" for how in (*UNFIT, *SPOILT) for office, _ in dict.fromkeys(KINDS)]


def play(bench: Bench, scene: Scene) -> None:
    """Work with bad keys as far as it goes; then the good ones are back."""
    how, _, code = scene.name.partition(", ")
    kind = next(kind for kind in KINDS if kind[0] == code)
    keys = bench.place() / "keys"
    if how in UNFIT:
        new_keys(keys, UNFIT[how])
    else:
        shutil.copytree(bench.keys, keys)
        SPOILT[how](sorted(keys.glob(f"{code}.*.p12")), scene.dice)
    with bench.office(scene.engine, keys if how in UNFIT else None) as office:
        machine = Machine(bench, office, [kind], TEKEN_MAX_ATTEMPTS=100, TEKEN_KEYS=keys)
        scene.fault(scene.name)
        ended = machine.run()
        scene.expect(ended in {0, STUCK}, f"it ended with {ended}: {machine.said()}")
        facts = read(office.store)
        scene.expect(not facts["documents"], "something was released")
        scene.expect(how not in UNFIT or not facts["register"], "a number was given for a certificate that can't sign")
        scene.judged(machine.judged(settled=False))
        shutil.rmtree(keys)
        shutil.copytree(bench.keys, keys)
        machine.taken_up()
        machine.to_the_end(scene)
    shutil.rmtree(keys.parent)


ROW = Row(
    "keys",
    "certificates expired or not yet valid; key files swapped, spoilt, cut, gone; a wrong passphrase",
    "refused before a number is given where the certificate says it; the permit waits, and is signed with its one number later",
    scenes,
    play,
)
