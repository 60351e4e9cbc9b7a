"""Makes the documents that are judged: the five procedures played by the product itself, kept at every stage."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from service import renewal
from service.clock import SetClock
from service.development import certificates
from service.document.markers import HEAD, SEAL
from service.settings import PROJECT, Settings
from service.sop import load_offices
from service.store.tables import documents, permits
from service.wiring import Teken, open_teken
from tests.conformance import elsewhere
from tests.conformance.pki import DAY, Authority, DevelopmentPki, Responding, publishing, time_stamping
from tests.longterm.conftest import enrol
from tests.procedures.stories import tree_of
from tests.procedures.test_number_at_sign import variant
from tests.signing.authorities import Holder
from tests.support.office import OFFICES, TYPES, case_of, client_of, play, post, row

MADE = datetime(2026, 1, 1, tzinfo=UTC)
"""When the keys of the offices were made, as in the other tests."""


USUAL, OCSP, ORDER, LONE = "pkcs12", "ocsp", "order", "lone"
"""Ways: keys in files and revocation lists; everybody's certificate names an OCSP responder; the number comes with the head's order
(ADR 0032), and there is no seal either (otherwise as usual)."""


@dataclass(frozen=True)
class Stage:
    """A state of the paper: its column in the permit's row, or which released version it is; `signed` by whom at most."""

    name: str
    column: str = ""
    version: int = 0
    signed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Level:
    """A PAdES level, what EU DSS calls it, and whether the file carries its evidence."""

    name: str
    dss: str
    self_contained: bool = False


@dataclass(frozen=True)
class Kind:
    """What is judged alike for every type of permit; unsigned stages have neither key nor level."""

    stage: Stage
    key: str = ""
    level: Level | None = None
    way: str = USUAL

    @property
    def name(self) -> str:
        other = self.way if self.way != USUAL else ""
        return "-".join(filter(None, (self.stage.name, self.key, other, self.level.name if self.level else "")))

    def exists_for(self, sop: str) -> bool:
        """A procedure goes through this stage; in other ways than the usual, one or two procedures are enough."""
        if self.way != USUAL and sop not in OTHERWISE[self.way]:
            return False
        return self.stage.column != "sealed_sha" or sealed(sop, self.way)


@dataclass(frozen=True)
class Paper:
    """One file to judge."""

    sop: str
    kind: Kind

    @property
    def name(self) -> str:
        return f"{self.sop}-{self.kind.name}.pdf"

    @property
    def signed(self) -> tuple[str, ...]:
        """Whose signatures it bears, in order."""
        return tuple(name for name in self.kind.stage.signed if name == HEAD or sealed(self.sop, self.kind.way))


UNSIGNED = (Stage("draft", "draft_sha"), Stage("final", "final_sha"))
HEADED, SEALED = Stage("head", "head_sha", signed=(HEAD,)), Stage("sealed", "sealed_sha", signed=(HEAD, SEAL))
VERSIONS = tuple(
    Stage(name, version=at, signed=(HEAD, SEAL)) for at, name in enumerate(("issued", "archived", "renewed"), 1)
)
UPGRADED = Stage("upgraded", version=2, signed=(HEAD, SEAL))
"""Issued at B-B when the office had no time-stamping authority; the document's time-stamp is then everybody's."""
KEYS = ("rsa2048", "p256")
TSA = "rsa2048"
"""Whose PKI the time-stamping authority belongs to, for every kind of key: it is another's in life too."""
B_B, B_T = Level("B-B", "PAdES-BASELINE-B"), Level("B-T", "PAdES-BASELINE-T")
B_LT, B_LTA = Level("B-LT", "PAdES-BASELINE-LT", True), Level("B-LTA", "PAdES-BASELINE-LTA", True)
LONG = ((HEADED, B_T), (SEALED, B_T), *zip(VERSIONS, (B_LT, B_LTA, B_LTA), strict=True))
"""What one office that issues at B-LT and wants B-LTA leaves behind: signatures at B-T, then its versions."""
ELSEWHERE = "002"
OTHERWISE = {OCSP: ("002",), ORDER: ("002", "003"), LONE: ("003",), **dict.fromkeys(elsewhere.BACKENDS, (ELSEWHERE,))}
"""The procedures for which a way other than the usual is gone."""
KINDS = (
    *(Kind(stage) for stage in UNSIGNED),
    *(Kind(stage, key, B_B) for stage in (HEADED, SEALED) for key in KEYS),
    *(Kind(stage, key, level) for stage, level in LONG for key in KEYS),
    *(Kind(UPGRADED, key, B_LTA) for key in KEYS),
    *(Kind(stage, TSA, level, way) for way in elsewhere.BACKENDS for stage, level in LONG),
    *(Kind(stage, "p256", level, OCSP) for stage, level in LONG if stage.version),
    *(
        Kind(stage, "p256", level, way)
        for way in (ORDER, LONE)
        for stage, level in LONG
        if (way, stage) != (LONE, SEALED)
    ),
)
PROCEDURES = {OFFICES.permit_type(*pair).procedure.sop: pair for pair in TYPES}


def sealed(sop: str, way: str) -> bool:
    return way != LONE and OFFICES.permit_type(*PROCEDURES[sop]).procedure.sealed


def papers() -> list[Paper]:
    """Every file to judge."""
    return [Paper(sop, kind) for kind in KINDS for sop in sorted(PROCEDURES) if kind.exists_for(sop)]


def make(out: Path, keys: Path, home: Path) -> None:
    """Play every procedure twice per key, at B-B and up to the renewal, and keep each stage as `<Paper.name>` in `out`.

    `keys` gets one PKI per kind of key. Unsigned stages are kept once: nothing in them depends on key or level.
    """
    for key in KEYS:
        certificates(PROJECT / "templates", keys / key, key=key, now=MADE)
        with _office(home / f"{key}-short", keys / key) as teken:
            _play(teken, out, [kind for kind in KINDS if (kind.key, kind.level) in {(key, B_B), ("", None)}])
    with _world(keys, home) as world:
        for key in KEYS:
            _play_long(world, out, home / key, keys / key, (key, USUAL))
            _upgrade(world, out, home / f"{key}-short", keys / key, key)
        for way in (ORDER, LONE):
            for sop in OTHERWISE[way]:
                here = home / f"{way}-{sop}"
                tree = _archiving(variant(here, PROCEDURES[sop][0], sealed=way == ORDER))
                with_order = replace(world, settings={**world.settings, "templates": tree})
                _play_long(with_order, out, here / "office", keys / "p256", ("p256", way))
        for way, opened in elsewhere.BACKENDS.items():
            with opened(DevelopmentPki(folder=keys / TSA), PROCEDURES[ELSEWHERE][0], home / "elsewhere") as held:
                _play_long(world, out, home / way, keys / TSA, (TSA, way), held)
    with _ocsp_world(keys / OCSP, home / OCSP) as world:
        _play_long(world, out, home / OCSP / "office", keys / OCSP, ("p256", OCSP))


@dataclass
class World:
    """Whom the offices that archive ask: the authority, whose certificate ends before long, and everybody's revocation lists."""

    authority: Authority
    second: Holder
    settings: dict[str, object]

    @contextlib.contextmanager
    def later(self) -> Iterator[None]:
        """Meanwhile the authority has its second certificate."""
        first, self.authority.tsa = self.authority.tsa, self.second
        yield
        self.authority.tsa = first


@contextlib.contextmanager
def _world(keys: Path, home: Path) -> Iterator[World]:
    now, pkis = datetime.now(UTC), {key: DevelopmentPki(folder=keys / key) for key in KEYS}
    # The one time-stamping authority belongs to the first PKI: whoever takes its stamps has to trust it too.
    trusted = {name: _together(keys, file) for name, file in (("trust", "root.pem"), ("intermediates", "issuing.pem"))}
    lists = {f"{key}/{name}.crl": der for key, pki in pkis.items() for name, der in pki.lists(now, days=60).items()}
    first, second = (pkis[TSA].tsa(name, years, begin=now - DAY) for name, years in (("TSA 1", 0.55), ("TSA 2", 10)))
    authority = Authority(first)
    with time_stamping(authority) as tsa, publishing(lists) as urls:
        settings = {
            "tsa_url": tsa,
            "crl_url": ",".join(urls),
            "templates": _archiving(tree_of(home, *OFFICES.offices)),
            **trusted,
        }
        yield World(authority, second, settings)


@contextlib.contextmanager
def _ocsp_world(keys: Path, home: Path) -> Iterator[World]:
    """One PKI for everybody, whose CA answers by OCSP; only the issuing CA itself is on a list."""
    now, pki = datetime.now(UTC), Responding(begin=datetime.now(UTC) - DAY)
    lists = {"root.crl": pki.crl(pki.root, now, 60)}
    with publishing(lists, pki.answer) as urls:
        pki.url = urls[0].replace("root.crl", "ocsp")
        enrol(keys, pki, OFFICES.offices[PROCEDURES[ELSEWHERE][0]], {})
        first, second = pki.tsa("TSA 1", 0.55), pki.tsa("TSA 2", 10)
        authority = Authority(first)
        with time_stamping(authority) as tsa:
            settings = {"tsa_url": tsa, "crl_url": urls[0], "templates": _archiving(tree_of(home, *OFFICES.offices))}
            yield World(authority, second, settings)


def _archiving(templates: Path) -> Path:
    """Let all these offices issue at B-LT and want B-LTA."""
    for file in templates.glob("*/office.toml"):
        text = re.sub(r"^issue_at_least = .+$", 'issue_at_least = "B-LT"', file.read_text(), flags=re.MULTILINE)
        file.write_text(re.sub(r"^target = .+$", 'target = "B-LTA"', text, flags=re.MULTILINE))
    return templates


@contextlib.contextmanager
def _office(home: Path, keys: Path, **more: object) -> Iterator[Teken]:
    settings = Settings(home=home, keys=keys, retry_seconds=0, **more)
    clock = SetClock(datetime.now(UTC))
    with contextlib.closing(
        open_teken(settings, clock=clock, signing=True, offices=load_offices(settings.templates))
    ) as teken:
        yield teken


def _together(keys: Path, file: str) -> Path:
    bundle = keys / file
    bundle.write_bytes(b"".join((keys / key / file).read_bytes() for key in KEYS))
    return bundle


def _play_long(
    world: World, out: Path, home: Path, keys: Path, what: tuple[str, str], held: elsewhere.Held | None = None
) -> None:
    """Issue, let the upkeep archive, and once more when the authority's certificate is about to end."""
    mine = [kind for kind in KINDS if (kind.key, kind.way) == what and (kind.stage, kind.level) in LONG]
    with _office(home, keys, **world.settings) as opened:
        teken = replace(opened, keys=elsewhere.Keys(opened.keys, held)) if held else opened
        played = _play(teken, out, mine)
        renewal.keep_up(teken)
        teken.clock.forward(days=30)
        with world.later():
            renewal.keep_up(teken)
        _keep_versions(teken, out, played, [kind for kind in mine if kind.stage.version])


def _upgrade(world: World, out: Path, home: Path, keys: Path, key: str) -> None:
    """The office that issued at B-B gets an authority and wants B-LTA now."""
    with _office(home, keys, **world.settings) as teken:
        renewal.survey(teken)
        renewal.keep_up(teken)
        with teken.db.read() as connection:
            issued = {(one.office, one.type): one.id for one in connection.execute(select(permits))}
        played = {sop: issued[pair] for sop, pair in PROCEDURES.items()}
        _keep_versions(teken, out, played, [Kind(UPGRADED, key, B_LTA)])


def _keep_versions(teken: Teken, out: Path, played: dict[str, str], kinds: list[Kind]) -> None:
    for sop, permit in played.items():
        for kind in kinds:
            (out / Paper(sop, kind).name).write_bytes(_version(teken, permit, kind.stage.version))


def _version(teken: Teken, permit: str, version: int) -> bytes:
    query = select(documents.c.sha).where(documents.c.permit == permit, documents.c.version == version)
    with teken.db.read() as connection:
        return teken.archive.get(connection.execute(query).scalar_one())


def _play(teken: Teken, out: Path, kinds: list[Kind]) -> dict[str, str]:
    """Play the procedures for which any of these kinds exists; return the permits."""
    found = {}
    for sop, (office, type_) in PROCEDURES.items():
        mine = [kind for kind in kinds if kind.exists_for(sop)]
        if not mine or office not in teken.offices.offices:
            continue
        body = case_of(teken.offices.permit_type(office, type_), "UJI-0001", teken.clock.now())
        found[sop] = permit = post(teken, client_of(teken, office), body).body["id"]
        play(teken, permit)
        played = row(teken, permit)
        assert played.state == "in_force", (sop, played.state, played.fault)
        for kind in mine:
            if kind.stage.column:
                (out / Paper(sop, kind).name).write_bytes(teken.archive.get(getattr(played, kind.stage.column)))
    return found
