"""What a permit costs the database when the register already holds 10, 1,000 or 10,000, measured turn about."""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

from benchmarks.figures import Ratio, Spread, ratio, spread
from benchmarks.filling import fill, sound
from benchmarks.office import NUMBER_AFTER, NUMBER_FIRST, Bench, bench, open_office
from service.archive import sha256
from service.wiring import Teken
from signing import Signed

SIZES = (10, 1_000, 10_000)
EVEN = (0.8, 1.25)
"""The cost is even if the ratio's whole interval lies within."""
ROUNDS_TO_RESET = 5
ORDERS = (NUMBER_FIRST, NUMBER_AFTER)


@dataclass(frozen=True, slots=True)
class Growth:
    """CPU and wall seconds for one permit of each order, by register size; ratios against the smallest."""

    cpu: dict[int, Spread]
    wall: dict[int, Spread]
    cpu_ratios: dict[int, Ratio]
    wall_ratios: dict[int, Ratio]
    rounds: int

    @property
    def even(self) -> bool:
        """Tell whether a permit costs the same CPU time in every register."""
        return all(one.within(*EVEN) for one in self.cpu_ratios.values())


@dataclass(slots=True)
class _Store:
    """One database with so many permits in it, put back to that number now and then."""

    teken: Teken
    benches: list[Bench]
    file: Path
    pristine: Path
    put_back: bool

    def reset(self) -> None:
        """Close it, and put it back if the permits measured so far would count beside those that were there."""
        self.teken.db.dispose()
        if self.put_back:
            shutil.copy(self.pristine, self.file)

    def issue(self) -> tuple[float, float]:
        """Play one permit in each order; return CPU and wall seconds."""
        cpu, wall = time.process_time(), time.perf_counter()
        for one in self.benches:
            one.play(one.post())
        return time.process_time() - cpu, time.perf_counter() - wall


def measure(folder: Path, rounds: int, sizes: Sequence[int] = SIZES) -> Growth:
    """Play the database's side of permits in registers of each size, in turns of changing order."""
    with no_paper():
        stores = {size: _filled(folder, size) for size in sizes}
    with no_paper(), no_files():
        taken: dict[int, list[tuple[float, float]]] = {size: [] for size in sizes}
        for turn in range(rounds):
            if turn % ROUNDS_TO_RESET == 0:
                for store in stores.values():
                    store.reset()
                    store.issue()
            for size in _turned(sizes, turn):
                taken[size].append(stores[size].issue())
    cpu = {size: [one[0] for one in taken[size]] for size in sizes}
    wall = {size: [one[1] for one in taken[size]] for size in sizes}
    return Growth(_spreads(cpu), _spreads(wall), _ratios(cpu), _ratios(wall), rounds)


@contextmanager
def no_paper() -> Iterator[None]:
    """Leave out typesetting, signing and proof, which do not depend on the register."""
    stand_ins: dict[str, Any] = {
        "service.steps.assemble.rehearse": lambda *_, **__: None,
        "service.steps.assemble._final": _paper,
        "service.steps.assemble._draft": _paper,
        "service.steps.sign.apply_signature": _unsigned,
        "service.steps.seal.fill_and_seal": _unsigned,
        "service.steps.proving.prove": lambda *_: None,
    }
    with _instead(stand_ins):
        yield


@contextmanager
def no_files() -> Iterator[None]:
    """Leave out the archive, once the pinned templates have been read from it."""
    archive = "service.archive.LocalArchive"
    stand_ins = {"put": lambda _, data: sha256(data), "get": lambda *_: b"", "keep": lambda *_: None}
    with _instead({f"{archive}.{act}": stand_in for act, stand_in in stand_ins.items()}):
        yield


@contextmanager
def _instead(stand_ins: dict[str, Any]) -> Iterator[None]:
    with ExitStack() as patches:
        for place, stand_in in stand_ins.items():
            patches.enter_context(patch(place, stand_in))
        yield


def _paper(teken: Teken, *_: Any, **__: Any) -> str:
    return teken.archive.put(b"")


def _unsigned(_pdf: bytes, _values: Any, key: Any, *_: Any, **__: Any) -> Signed:
    return Signed(secrets.token_bytes(32), "B-B", key.certificate_sha256, datetime.now(UTC))


def _filled(folder: Path, size: int) -> _Store:
    home = folder / str(size)
    teken = open_office(home, "p256")
    benches = [bench(teken, order) for order in ORDERS]
    for one in benches:
        model = one.post()
        one.play(model)
        fill(teken, one.kind, model, size // len(benches) - 1)
    if not sound(teken):
        raise RuntimeError("the filled register is not chained")
    teken.db.dispose()
    shutil.copy(home / "teken.db", home / "pristine.db")
    return _Store(teken, benches, home / "teken.db", home / "pristine.db", size < 100 * ROUNDS_TO_RESET)


def _turned(sizes: Sequence[int], turn: int) -> list[int]:
    start = turn % len(sizes)
    return [*sizes[start:], *sizes[:start]]


def _spreads(taken: dict[int, list[float]]) -> dict[int, Spread]:
    return {size: spread(timings) for size, timings in taken.items()}


def _ratios(taken: dict[int, list[float]]) -> dict[int, Ratio]:
    smallest, *others = taken
    return {size: ratio(taken[size], taken[smallest]) for size in others}
