"""Makes the documents that are judged: the five procedures played by the product itself, kept at every stage."""

from __future__ import annotations

import contextlib
import itertools
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from service.development import certificates
from service.settings import PROJECT
from service.wiring import Teken
from tests.conformance.pki import time_stamping
from tests.support.office import OFFICES, TYPES, client_of, open_office, payload, play, post, row

MADE = datetime(2026, 1, 1, tzinfo=UTC)
"""When the keys of the offices were made, as in the other tests."""


@dataclass(frozen=True)
class Stage:
    """A state of the paper: its column in the permit's row, and whose signatures it bears, in order."""

    name: str
    column: str
    signed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Level:
    """A PAdES level, what EU DSS calls it, how the product is told to reach it, and whether the file carries its evidence.

    A new level is a new row of LEVELS.
    """

    name: str
    dss: str
    time_stamped: bool
    settings: tuple[tuple[str, str], ...] = ()
    self_contained: bool = False


@dataclass(frozen=True)
class Kind:
    """What is judged alike for every type of permit; unsigned stages have neither key nor level."""

    stage: Stage
    key: str = ""
    level: Level | None = None

    @property
    def name(self) -> str:
        return "-".join(part for part in (self.stage.name, self.key, self.level.name if self.level else "") if part)


@dataclass(frozen=True)
class Paper:
    """One file to judge."""

    sop: str
    kind: Kind

    @property
    def name(self) -> str:
        return f"{self.sop}-{self.kind.name}.pdf"


UNSIGNED = (Stage("draft", "draft_sha"), Stage("final", "final_sha"))
SIGNED = (
    Stage("head", "head_sha", ("ttd_kepala",)),
    Stage("sealed", "sealed_sha", ("ttd_kepala", "segel")),
)
KEYS = ("rsa2048", "p256")
TSA = "rsa2048"
"""Whose PKI the time-stamping authority belongs to, for every kind of key: it is another's in life too."""
LEVELS = (
    Level("B-B", "PAdES-BASELINE-B", time_stamped=False),
    Level("B-T", "PAdES-BASELINE-T", time_stamped=True),
)
KINDS = (
    *(Kind(stage) for stage in UNSIGNED),
    *(Kind(stage, key, level) for stage in SIGNED for key in KEYS for level in LEVELS),
)
PROCEDURES = {OFFICES.permit_type(*pair).procedure.sop: pair for pair in TYPES}


def papers() -> list[Paper]:
    """Every file to judge: a kind exists for a procedure if it goes through that stage."""
    return [
        Paper(sop, kind)
        for kind in KINDS
        for sop, pair in sorted(PROCEDURES.items())
        if len(kind.stage.signed) < 2 or OFFICES.permit_type(*pair).procedure.sealed
    ]


def make(out: Path, keys: Path, home: Path) -> None:
    """Play every procedure once per key and level, and keep each stage as `<Paper.name>` in `out`.

    `keys` gets one PKI per kind of key. Unsigned stages are kept once: nothing in them depends on key or level.
    """
    for key in KEYS:
        certificates(PROJECT / "templates", keys / key, key=key, now=MADE)
    # The one time-stamping authority belongs to the first PKI: whoever takes its stamps has to trust it too.
    trusted = {name: _together(keys, file) for name, file in (("trust", "root.pem"), ("intermediates", "issuing.pem"))}
    with time_stamping(keys / TSA) as tsa:
        for key, level in itertools.product(KEYS, LEVELS):
            settings = dict(level.settings) | ({"tsa_url": tsa, **trusted} if level.time_stamped else {})
            kinds = [kind for kind in KINDS if (kind.key, kind.level) in {(key, level), ("", None)}]
            with contextlib.closing(open_office(home / f"{key}-{level.name}", keys / key, **settings)) as teken:
                _play_all(teken, out, kinds)


def _together(keys: Path, file: str) -> Path:
    bundle = keys / file
    bundle.write_bytes(b"".join((keys / key / file).read_bytes() for key in KEYS))
    return bundle


def _play_all(teken: Teken, out: Path, kinds: list[Kind]) -> None:
    for sop, (office, type_) in PROCEDURES.items():
        permit = post(teken, client_of(teken, office), payload(office, type_)).body["id"]
        play(teken, permit)
        played = row(teken, permit)
        assert played.state == "in_force", (sop, played.state, played.fault)
        for kind in kinds:
            sha = getattr(played, kind.stage.column)
            if sha:
                (out / Paper(sop, kind).name).write_bytes(teken.archive.get(sha))
