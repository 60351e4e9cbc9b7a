"""What attacks begin with: two real permits of each office, their states on the way, and whatever keys a forger may have."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from service.development import certificates
from service.settings import PROJECT
from service.steps.paper import filled_after
from service.wiring import Teken
from signing import Frame, Pkcs12Backend, QrCode, SignatureSpec, fill_and_seal, open_pkcs12, sign
from tests.support.office import client_of, open_office, payload, play, post, row
from tests.verification.conftest import OFFICES
from tests.verification.stamping import authority, authority_beside, time_stamped

OTHER_HOLDER = {"applicant__nama": "Orang Lain Sama Sekali"}


@dataclass(frozen=True)
class Keys:
    """Keys of one office out of a folder; `orang-lain` is another office's seal, of the same CA."""

    folder: Path
    office: str
    people = {"kudus": "plt_kadis"}

    def key(self, who: str) -> Pkcs12Backend:
        other = "kudus" if self.office != "kudus" else "malang"
        name = {
            "kepala": f"{self.office}.{self.people.get(self.office, 'kadis')}",
            "segel": f"{self.office}.segel",
            "orang-lain": f"{other}.segel",
        }[who]
        return open_pkcs12(self.folder / f"{name}.p12", (self.folder / "passphrase").read_bytes().strip())


@dataclass(frozen=True)
class Flow:
    head_spec: SignatureSpec
    seal_spec: SignatureSpec
    values: dict[str, str]


@dataclass(frozen=True)
class Expected:
    signatures: tuple[Any, ...]


@dataclass(frozen=True)
class Run:
    """One real permit on its way: before any signature, with the head's, and as released. `other` is another's, same office."""

    office: str
    preview: bytes
    head: bytes
    final: bytes
    other: bytes
    foreign: bytes
    """Another office's permit."""
    flow: Flow
    expected: Expected
    pki: Keys
    impostor: Keys
    authority: Path

    @property
    def last_field(self) -> str:
        return str(self.expected.signatures[-1].field)

    @property
    def sealed(self) -> bool:
        return self.last_field == "segel"

    def stamped(self, pdf: bytes, field: str = "arsip_1") -> bytes:
        """With a document time-stamp whose authority is trusted."""
        return time_stamped(pdf, self.authority, field)

    def _timestamped(self, *, also_sealed: bool) -> bytes:
        stamper = authority(self.authority)
        head = sign(self.preview, self.pki.key("kepala"), self.flow.head_spec, timestamper=stamper).pdf
        if not also_sealed:
            return head
        seal = self.pki.key("segel")
        return fill_and_seal(head, self.flow.values, seal, self.flow.seal_spec, timestamper=stamper).pdf

    @cached_property
    def timestamped(self) -> bytes:
        """The same permit as another installation with our keys and a time-stamping authority makes it: honest."""
        return self._timestamped(also_sealed=self.sealed)

    @cached_property
    def timestamped_head(self) -> bytes:
        """Another such signature by the head."""
        return self._timestamped(also_sealed=False)

    @cached_property
    def archived(self) -> bytes:
        """The released permit under such a time-stamp: honest."""
        return self.stamped(self.final)


@dataclass(frozen=True)
class Scene:
    """An installation that issued all of them."""

    teken: Teken
    permits: dict[str, Any]
    runs: dict[str, Run]


def build(folder: Path, keys: Path) -> Scene:
    """Issue two permits of each office, and make a forger's own CA with all our names."""
    impostors, authority = folder / "impostors", folder / "authority"
    certificates(PROJECT / "templates", impostors, key="p256", now=datetime(2026, 1, 1, tzinfo=UTC))
    authority.mkdir()
    authority_beside(keys, authority)
    teken = open_office(folder / "office", keys)
    permits = {name: _two(teken, name) for name in OFFICES}
    runs = {}
    for office, (mine, other) in permits.items():
        foreign = permits["kudus" if office != "kudus" else "malang"][0]
        runs[office] = _run(teken, mine, other, foreign, (Keys(keys, office), Keys(impostors, office), authority))
    return Scene(teken, {office: both[0] for office, both in permits.items()}, runs)


def _two(teken: Teken, office: str) -> list[Any]:
    client, made = client_of(teken, office), []
    for number, changes in enumerate(({}, OTHER_HOLDER)):
        body = payload(office, OFFICES[office], f"ASLI-{number}", **changes)
        permit = post(teken, client, body).body["id"]
        play(teken, permit)
        made.append(row(teken, permit))
    return made


def _run(teken: Teken, mine: Any, other: Any, foreign: Any, held: tuple[Keys, Keys, Path]) -> Run:
    bundle = teken.pins.open(mine.pin)
    sealed, url = bundle.permit_type.procedure.sealed, QrCode(mine.verify_url)
    head = SignatureSpec("ttd_kepala", "Izin", "Sini", True, 2 if sealed else 1, Frame() if sealed else url)
    seal = SignatureSpec("segel", "Izin", "Sini", permission=1, appearance=url)
    read = teken.archive.get
    return Run(
        mine.office,
        read(mine.ordered_sha),
        read(mine.head_sha),
        read(mine.released_sha),
        read(other.released_sha),
        read(foreign.released_sha),
        Flow(head, seal, filled_after(mine, bundle)),
        Expected((type("One", (), {"field": "segel" if sealed else "ttd_kepala"}),)),
        *held,
    )
