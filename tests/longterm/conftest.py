"""An office whose PKI the test owns: enrolled certificates, a time-stamping authority and revocation, all without a network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12

from service import qr_keys
from service.clock import SetClock
from service.settings import Settings
from service.sop import load_offices
from service.wiring import Teken, open_teken
from signing import Evidence, EvidenceFailed, OnlineRevocation, TimestampFailed
from tests.procedures.stories import edit, tree_of
from tests.signing.authorities import Authorities, Holder, Stamper
from tests.support.office import NOW, client_of, payload, play, post, row

KINDS = {
    "rokan-hilir": "sip-perekam-medis",
    "rokan-hulu": "surat-izin-perekam-medik",
    "malang": "sik-perekam-medis",
    "kudus": "sip-perekam-medis",
}


@dataclass
class Revocations:
    """What the CA says today, unless it is away; certificates that `silent` names have no source at all."""

    pki: Authorities
    clock: SetClock
    away: bool = False
    asked: int = 0

    def has_source(self, certificate) -> bool:
        return True

    def evidence(self, certificate, issuer, at, used) -> Evidence:
        self.asked += 1
        if self.away:
            raise EvidenceFailed("revocation_unreachable")
        return OnlineRevocation(given=Evidence(crls_der=self.pki.crls(at))).evidence(certificate, issuer, at, used)


@dataclass
class Clocked:
    """A time-stamping authority that may be away; its certificate may be exchanged."""

    tsa: Holder
    clock: SetClock
    away: bool = False

    def token(self, digest: bytes, algorithm) -> bytes:
        if self.away:
            raise TimestampFailed("tsa_unreachable")
        return Stamper(self.tsa, self.clock.now).token(digest, algorithm)


@dataclass
class World:
    teken: Teken
    clock: SetClock
    pki: Authorities
    tsa: Clocked
    ca: Revocations
    office: str
    reopen: Callable[..., Teken] = field(repr=False)

    def post(self, upstream_id: str = "UJI-0001") -> str:
        client = client_of(self.teken, self.office)
        return post(self.teken, client, payload(self.office, KINDS[self.office], upstream_id)).body["id"]

    def issued(self, upstream_id: str = "UJI-0001") -> str:
        permit = self.post(upstream_id)
        play(self.teken, permit)
        assert self.row(permit).state == "in_force", (self.row(permit).state, self.row(permit).fault)
        return permit

    def row(self, permit: str):
        return row(self.teken, permit)


@pytest.fixture
def world(tmp_path):
    """`world(office, least, target)` opens an office with these levels; more keywords change its certificates."""
    opened: list[Teken] = []

    def make(office="rokan-hilir", least="B-B", target="B-B", **more):
        return open_world(tmp_path, opened, office, least, target, **more)

    yield make
    for teken in opened:
        teken.close()


def open_world(
    folder: Path,
    opened: list[Teken],
    office: str,
    least: str,
    target: str,
    *,
    kind="p256",
    tsa_years=10,
    authority=True,
    head=None,
    database="",
) -> World:
    """Open an office in an empty folder; whatever is opened is added to `opened`, for the caller to close."""
    clock = SetClock(NOW)
    pki = Authorities(begin=NOW - timedelta(days=30), kind=kind)
    templates = tree_of(folder, office)
    data = templates / office / "office.toml"
    edit(data, 'issue_at_least = "B-B"', f'issue_at_least = "{least}"')
    edit(data, 'target = "B-B"', f'target = "{target}"')
    offices = load_offices(templates)
    keys = folder / "keys"
    enrol(keys, pki, offices.offices[office], head or {})
    given = {"home": folder / "home", "keys": keys, "templates": templates, "database_url": database}
    settings = Settings(**given, retry_seconds=0)
    tsa, ca = Clocked(pki.tsa("TSA", tsa_years), clock), Revocations(pki, clock)

    def open_(**more) -> Teken:
        teken = open_teken(settings, clock=clock, signing=True, offices=more.get("offices", offices))
        teken = replace(teken, timestamper=tsa if authority else None, revocation=ca)
        opened.append(teken)
        return teken

    return World(open_(), clock, pki, tsa, ca, office, open_)


def enrol(keys: Path, pki: Authorities, office, head: dict) -> None:
    """What lies beside the keys: every official's and the seal's, of this PKI; `head` changes the signer's certificate."""
    keys.mkdir()
    (keys / "passphrase").write_bytes(b"rahasia\n")
    (keys / "root.pem").write_bytes(pki.root.certificate.public_bytes(Encoding.PEM))
    (keys / "issuing.pem").write_bytes(pki.issuing.certificate.public_bytes(Encoding.PEM))
    signs = {role.code for role in office.roles.values() if role.signs}
    for person in office.people:
        mine = head if signs & {role for role, *_ in person.roles} else {}
        write(
            keys / f"{office.code}.{person.code}", mine.get("holder") or pki.signer(person.code, **mine.get("more", {}))
        )
    write(keys / f"{office.code}.segel", pki.signer("segel"))
    if office.qr_offline:
        qr_keys.make(keys, office.code, b"rahasia")


def write(beside: Path, holder: Holder) -> None:
    secret = BestAvailableEncryption(b"rahasia")
    content = pkcs12.serialize_key_and_certificates(b"x", holder.key, holder.certificate, holder.chain, secret)
    Path(f"{beside}.p12").write_bytes(content)
    Path(f"{beside}.cert.pem").write_bytes(holder.certificate.public_bytes(Encoding.PEM))
