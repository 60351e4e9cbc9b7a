"""Honest permits of every kind: all types, both orders, every level and version, several keys and signers. Each with who knows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from service import acts, renewal
from service.development import certificates
from service.permits import State
from service.settings import PROJECT
from service.store.tables import documents
from service.wiring import Teken, open_teken
from tests.longterm.conftest import KINDS, open_world
from tests.procedures.test_number_at_sign import CASES, House
from tests.support.office import TYPES, client_of, holder, open_office, payload, play, post, row
from tests.verification.attacks.genuine import build


@dataclass(frozen=True)
class Honest:
    """One file. `own` released it (None: nobody); `elsewhere` has the same keys and an empty archive."""

    name: str
    pdf: bytes
    own: Teken | None
    elsewhere: Teken


Maker = Callable[[Path, list[Teken]], Iterator[Honest]]
MAKERS: dict[str, tuple[int, Maker]] = {}
"""How many files each makes: `make(folder, opened)` yields them and adds what it opens to `opened`."""


def maker(files: int) -> Callable[[Maker], Maker]:
    """Register a maker of so many files."""

    def registered(make: Maker) -> Maker:
        MAKERS[make.__name__] = (files, make)
        return make

    return registered


def _elsewhere(teken: Teken, folder: Path, opened: list[Teken]) -> Teken:
    """A second installation with the same keys, offices and clock, that issued nothing."""
    settings = teken.settings.model_copy(update={"home": folder / "elsewhere", "database_url": ""})
    opened.append(open_teken(settings, clock=teken.clock, signing=True, offices=teken.offices))
    return opened[-1]


def _versions(teken: Teken, permit: str) -> list[bytes]:
    with teken.db.read() as connection:
        query = select(documents.c.sha).where(documents.c.permit == permit).order_by(documents.c.version)
        return [teken.archive.get(sha) for sha in connection.execute(query).scalars()]


def _types(folder: Path, opened: list[Teken], key: str) -> Iterator[Honest]:
    """Every permit type, as released without a time-stamp."""
    keys = folder / "keys"
    certificates(PROJECT / "templates", keys, key=key, now=datetime(2026, 1, 1, tzinfo=UTC))
    teken = open_office(folder / "own", keys)
    opened.append(teken)
    elsewhere = _elsewhere(teken, folder, opened)
    for office, kind in TYPES:
        permit = post(teken, client_of(teken, office), payload(office, kind)).body["id"]
        play(teken, permit)
        yield Honest(f"{key} {office} {kind}", *_versions(teken, permit), teken, elsewhere)


@maker(len(TYPES))
def types_p256(folder: Path, opened: list[Teken]) -> Iterator[Honest]:
    """P-256."""
    return _types(folder, opened, "p256")


@maker(len(TYPES))
def types_p384(folder: Path, opened: list[Teken]) -> Iterator[Honest]:
    """P-384."""
    return _types(folder, opened, "p384")


@maker(len(TYPES))
def types_rsa(folder: Path, opened: list[Teken]) -> Iterator[Honest]:
    """RSA with 3,072 bits."""
    return _types(folder, opened, "rsa3072")


@maker(4 * len(KINDS))
def stamped_by_others(folder: Path, opened: list[Teken]) -> Iterator[Honest]:
    """B-T of another installation, and a stranger's document time-stamps on what was released: one, two."""
    keys = folder / "keys"
    certificates(PROJECT / "templates", keys, key="p256", now=datetime(2026, 1, 1, tzinfo=UTC))
    scene = build(folder, keys)
    opened.append(scene.teken)
    elsewhere = _elsewhere(scene.teken, folder, opened)
    for office, run in scene.runs.items():
        yield Honest(f"{office} another holder", run.other, scene.teken, elsewhere)
        yield Honest(f"{office} B-T", run.timestamped, None, elsewhere)
        yield Honest(f"{office} one stamp", run.archived, None, elsewhere)
        yield Honest(f"{office} two stamps", run.stamped(run.archived, "arsip_2"), None, elsewhere)


def _levels(office: str, least: str) -> Maker:
    def make(folder: Path, opened: list[Teken]) -> Iterator[Honest]:
        kind = "rsa3072" if office in {"rokan-hulu", "kudus"} else "p256"
        here = open_world(folder, opened, office, least, "B-LTA", kind=kind, tsa_years=1)
        permit = here.issued()
        renewal.keep_up(here.teken)
        if least == "B-B":  # and renewed, before the authority's certificate ends
            here.clock.forward(days=300)
            here.tsa.tsa = here.pki.tsa("TSA baru", 5, begin=here.clock.now())
            renewal.keep_up(here.teken)
        elsewhere = _elsewhere(here.teken, folder, opened)
        for version, pdf in enumerate(_versions(here.teken, permit), start=1):
            yield Honest(f"{office} from {least}, version {version}", pdf, here.teken, elsewhere)

    return make


for _office in KINDS:
    for _least, _files in {"B-B": 3, "B-LT": 2, "B-LTA": 1}.items():
        MAKERS[f"{_office}_{_least}"] = (_files, _levels(_office, _least))


def _with_the_order(case: str) -> Maker:
    def make(folder: Path, opened: list[Teken]) -> Iterator[Honest]:
        keys = folder / "keys"
        certificates(PROJECT / "templates", keys, key="p256", now=datetime(2026, 1, 1, tzinfo=UTC))
        (office, _), sealed = CASES[case]
        house = House(folder, keys, office, sealed=sealed)
        opened.append(house.teken)
        elsewhere = _elsewhere(house.teken, folder, opened)
        permit = house.waiting()
        play(house.teken, permit)
        yield Honest(f"{case} number with the order", *_versions(house.teken, permit), house.teken, elsewhere)

    return make


for _case in CASES:
    MAKERS[f"number_at_sign_{_case}"] = (1, _with_the_order(_case))


@maker(8)
def standings(folder: Path, opened: list[Teken]) -> Iterator[Honest]:
    """What became of a permit changes nothing about its file."""
    keys = folder / "keys"
    certificates(PROJECT / "templates", keys, key="p256", now=datetime(2026, 1, 1, tzinfo=UTC))
    teken = open_office(folder / "own", keys)
    opened.append(teken)
    elsewhere = _elsewhere(teken, folder, opened)
    for office in ("rokan-hilir", "malang"):
        kind = KINDS[office]
        client, head = client_of(teken, office), holder(teken, office, "kepala_dinas")
        made = []
        for name, states in {"suspended": [State.SUSPENDED], "revoked": [State.REVOKED], "replaced": []}.items():
            permit = post(teken, client, payload(office, kind, f"UJI-{name}")).body["id"]
            play(teken, permit)
            for state in states:
                acts.decide(teken, head, permit, to=state, decision="SK 1/2026", reason="uji")
            made.append((name, permit))
        body = payload(office, kind, "UJI-baru", request_kind="PERPANJANGAN", replaces=made[-1][1])
        new = post(teken, client, body).body["id"]
        play(teken, new)
        assert row(teken, made[-1][1]).state == State.REPLACED
        for name, permit in [*made, ("renewal", new)]:
            yield Honest(f"{office} {name}", *_versions(teken, permit), teken, elsewhere)


@contextmanager
def closing_all(opened: list[Teken]) -> Iterator[None]:
    """Close whatever was opened."""
    try:
        yield
    finally:
        for teken in opened:
            teken.close()
