"""The world that mutated files are judged in: an archive, its keys, and the files to begin with. It lies in a folder and can be reopened.

The seeds are of three kinds. `archived`: the register released exactly these bytes. `elsewhere`: our keys signed them, but no
register knows the file, so the inspector alone stands against a forger. `foreign`: nobody of ours signed.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives.serialization import Encoding

from service import renewal
from service.clock import SetClock
from service.settings import Settings
from service.sop import load_offices
from service.sop.load import Catalogue
from service.store.tables import documents
from service.verification import Verdict, verify_file
from service.wiring import Teken, open_teken
from signing import Trust, extend_lta, fill_and_seal, gather, sign
from tests.fuzz.strangers import strangers
from tests.fuzz.syntax import layout
from tests.longterm.conftest import Clocked, Revocations, write
from tests.procedures.stories import edit, tree_of
from tests.signing.authorities import Authorities, Holder
from tests.signing.world import FLOWS, prepared
from tests.support.office import NOW, client_of, payload, play, post

Kind = Literal["archived", "elsewhere", "foreign"]
OFFICES = {
    "rokan-hilir": "sip-perekam-medis",
    "rokan-hulu": "surat-izin-perekam-medik",
    "malang": "sik-perekam-medis",
    "kudus": "sip-perekam-medis",
}
LONG_TERM = ("rokan-hilir", "malang")
EXPECTED: dict[Kind, Verdict] = {
    "archived": Verdict.IDENTICAL,
    "elsewhere": Verdict.AUTHENTIC,
    "foreign": Verdict.FOREIGN,
}
_OTHER_MAKERS = Path(__file__).parents[1] / "foreign" / "files.zip"
_LARGEST_STRANGER = 24_000
_FILLABLE = re.compile(rb"/FT\s*/(Tx|Btn|Ch)")
_END = re.compile(rb"%%EOF[\r\n]*")


@dataclass(frozen=True)
class Seed:
    """A signed file before anything happens to it."""

    name: str
    kind: Kind
    pdf: bytes


@dataclass(frozen=True)
class House:
    teken: Teken
    seeds: tuple[Seed, ...]
    genuine: frozenset[bytes]
    """SHA-256 of every version that somebody really signed or released: what a cut may lead back to."""


def build(folder: Path, *, borrowed: bool = True) -> None:
    """Issue a permit of every office, long-term where the office wants it, and lay the seeds beside them.

    `borrowed`: also what other makers' programs signed.
    """
    templates = tree_of(folder, *OFFICES)
    for office in LONG_TERM:
        edit(templates / office / "office.toml", 'target = "B-B"', 'target = "B-LTA"')
    clock, pki = SetClock(NOW), Authorities(begin=NOW - timedelta(days=30))
    tsa = Clocked(pki.tsa("TSA"), clock)
    signers = _enrol(folder / "keys", pki, load_offices(templates))
    teken = _open(folder, signing=True)
    try:
        teken = replace(teken, timestamper=tsa, revocation=Revocations(pki, clock))
        for office, kind in OFFICES.items():
            permit = post(teken, client_of(teken, office), payload(office, kind, f"UJI-{office}")).body["id"]
            play(teken, permit)
            renewal.keep_up(teken)
            with teken.db.read() as connection:
                versions = connection.execute(documents.select().where(documents.c.permit == permit)).all()
            for one in versions:
                _lay(folder, "archived", f"{office}-v{one.version}", teken.archive.get(one.sha))
    finally:
        teken.close()
    for name, pdf in _elsewhere(signers, pki, tsa).items():
        _lay(folder, "elsewhere", name, pdf)
    for name, pdf in strangers().items():
        _lay(folder, "foreign", name, pdf)
    if borrowed:
        _borrow(folder)


def _borrow(folder: Path) -> None:
    """Files of other makers. Those with fields to fill in are left out: a stranger's value in them is no forgery."""
    teken = _open(folder)
    try:
        with zipfile.ZipFile(_OTHER_MAKERS) as archive:
            for name in sorted(archive.namelist()):
                pdf = archive.read(name)
                fillable = any(_FILLABLE.search(text) for text, _ in layout(pdf).objects.values())
                small = len(pdf) <= _LARGEST_STRANGER
                if small and not fillable and verify_file(teken, pdf).verdict is Verdict.FOREIGN:
                    _lay(folder, "foreign", Path(name).stem, pdf)
    finally:
        teken.close()


def open_house(folder: Path) -> House:
    """Open what `build` left."""
    seeds = tuple(
        Seed(path.stem, path.parent.name, path.read_bytes())  # type: ignore[arg-type]
        for path in sorted((folder / "seeds").glob("*/*.pdf"))
    )
    genuine = frozenset(hashlib.sha256(part).digest() for seed in seeds for part in versions(seed.pdf))
    return House(_open(folder), seeds, genuine)


def versions(pdf: bytes) -> list[bytes]:
    """The file as it was at the end of every update."""
    ends = [found.end() for found in _END.finditer(pdf)]
    return [pdf[:end] for end in ends] + [pdf]


def _open(folder: Path, *, signing: bool = False) -> Teken:
    settings = Settings(home=folder / "home", keys=folder / "keys", templates=folder / "templates", retry_seconds=0)
    return open_teken(settings, clock=SetClock(NOW), signing=signing, offices=load_offices(settings.templates))


def _lay(folder: Path, kind: Kind, name: str, pdf: bytes) -> None:
    place = folder / "seeds" / kind
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{name}.pdf").write_bytes(pdf)


def _enrol(keys: Path, pki: Authorities, offices: Catalogue) -> dict[str, Holder]:
    """Keys and certificates of everybody who signs, all of one CA; return them by file name."""
    keys.mkdir(parents=True)
    (keys / "passphrase").write_bytes(b"rahasia\n")
    (keys / "root.pem").write_bytes(pki.root.certificate.public_bytes(Encoding.PEM))
    (keys / "issuing.pem").write_bytes(pki.issuing.certificate.public_bytes(Encoding.PEM))
    holders = {}
    for office in offices.offices.values():
        signs = {role.code for role in office.roles.values() if role.signs}
        people = [one.code for one in office.people if signs & {role for role, *_ in one.roles}]
        holders |= {f"{office.code}.{name}": pki.signer(name) for name in [*people, "segel"]}
    for name, holder in holders.items():
        write(keys / name, holder)
    return holders


def _elsewhere(holders: dict[str, Holder], pki: Authorities, tsa: Clocked) -> dict[str, bytes]:
    """Small documents, signed as our offices sign, in both orders of number and signature; twins begin alike."""
    made = {}
    for office, flow in (
        ("rokan-hilir", FLOWS["head_only"]),
        ("rokan-hulu", FLOWS["head_seal"]),
        ("malang", FLOWS["number_after"]),
    ):
        head, seal = holders[f"{office}.kadis"].backend, holders[f"{office}.segel"].backend
        for twin in ("a", "b"):
            pdf = sign(prepared(flow.fields), head, flow.head_spec, at=NOW).pdf
            if flow.sealed:
                values = {name: f"{value[:-1]}{twin}" for name, value in flow.values.items()}
                pdf = fill_and_seal(pdf, values, seal, flow.seal_spec, at=NOW).pdf
            made[f"{office}-{twin}"] = pdf
    trust = Trust((pki.root.der,), (pki.issuing.der,), at=NOW)
    for office in LONG_TERM:
        pdf = made[f"{office}-a"]
        evidence = gather(pdf, trust, Revocations(pki, tsa.clock), NOW, timestamper=tsa)
        made[f"{office}-lta"] = extend_lta(pdf, tsa, evidence).pdf
    return made
