"""The composition root: the one place where real things are chosen."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import inspect

from service import failpoints, gate, journal, people
from service.archive import Archive, open_archive
from service.checkpoint import Notary
from service.clock import Clock, SystemClock
from service.custody import Custody
from service.data_keys import recognise, stand_ready
from service.doorbell import Doorbell, RedisDoorbell, SilentDoorbell
from service.host import read_host
from service.identity import Identity, pin_once, pins_of, web_identity
from service.keys import AskCode, KeyRing, NoKeys, Opened
from service.openers import OfficeKeys
from service.pins import Pins
from service.qr import coordinates, kid_of
from service.qr_keys import QrKeyMissing
from service.settings import Settings
from service.sop.load import Catalogue, load_offices
from service.store import Database
from service.store.migrate import migrate, start_alone
from service.store.qr import record
from service.trust import trust
from service.vault import Vault
from signing import FirstThatAnswers, HttpTimestamper, OnlineRevocation, Revocation, Timestamper

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey


class Keys(Protocol):
    """Gives the key of an owner whose certificate is the enrolled one."""

    def key(self, owner: str, certificate_sha256: str) -> Opened:
        """Return the key, or raise KeyMissing or KeyDiffers."""
        ...

    def open_with(self, owner: str, certificate_sha256: str, passphrase: bytearray) -> Opened:
        """Open the key with a typed passphrase: one attempt, nothing kept."""
        ...

    def qr(self, office: str) -> EllipticCurvePrivateKey:
        """Return the office's QR key, or raise QrKeyMissing."""
        ...

    def asker(self, official: str) -> AskCode | None:
        """Return what has the official's service send him a one-time code, if this process can ask it."""
        ...


@dataclass(frozen=True, slots=True)
class Teken:
    """Everything that a use case or a step needs, chosen once per process."""

    settings: Settings
    clock: Clock
    db: Database
    archive: Archive
    vault: Vault
    offices: Catalogue
    pins: Pins
    notary: Notary
    doorbell: Doorbell
    keys: Keys
    custody: Custody | None  # only in a signing process
    timestamper: Timestamper | None
    revocation: Revocation

    def close(self) -> None:
        """Wipe what is held, give back database connections."""
        if self.custody is not None:
            self.custody.close()
        self.db.dispose()


_opened: Teken | None = None


def open_teken(
    settings: Settings, *, clock: Clock | None = None, signing: bool = False, offices: Catalogue | None = None
) -> Teken:
    """Open the database (migrated), archive and offices; with `signing`, this process may use the keys."""
    failpoints.arm(settings.fail_at)
    settings.home.mkdir(parents=True, exist_ok=True)
    vault = Vault(settings.data_keys_file)
    database = Database(settings.database, busy_seconds=settings.busy_seconds, vault=vault)
    archive = open_archive(settings.archive, settings.archive_credentials)
    catalogue = offices or load_offices(settings.templates)
    teken = Teken(
        settings=settings,
        clock=clock or SystemClock(),
        db=database,
        archive=archive,
        vault=vault,
        offices=catalogue,
        pins=Pins(archive, settings.templates, settings.home / "typeset"),
        notary=_notary(database, settings.home / "checkpoint.key"),
        doorbell=RedisDoorbell.at(settings.redis_url) if settings.redis_url else SilentDoorbell(),
        keys=_keys(settings, catalogue) if signing else NoKeys(),
        custody=_custody(settings) if signing else None,
        timestamper=_timestamper(settings),
        revocation=OnlineRevocation(settings.crl_urls),
    )
    try:
        _first_start(teken)
    except BaseException:
        database.dispose()
        raise
    gate.watch(teken, starting=True)
    if signing:
        _record_qr_keys(teken)
    if not signing:
        web_identity(settings)
    return teken


def remember(teken: Teken) -> None:
    """Make this the Teken that answers rings of the bell in this process."""
    global _opened  # noqa: PLW0603 - RQ calls a function by name and can't pass it
    _opened = teken


def opened() -> Teken:
    """Return the process's Teken."""
    assert _opened is not None, "worker.py opens it before it listens"
    return _opened


class CheckpointKeyMissing(Exception):
    """The journal was begun with a checkpoint key that is not on this host; with one of its own, audits could not read what it adds."""


def _notary(database: Database, path: Path) -> Notary:
    """Read the key; make it only where the journal is still empty."""
    if not path.exists():
        with database.read() as connection:
            begun = inspect(connection).has_table("chains") and journal.length(connection)
        if begun and not path.exists():  # nobody here made it meanwhile
            raise CheckpointKeyMissing(f"{path}: copy the file of the first host, or of the backup")
    return Notary.at(path)


def _keys(settings: Settings, catalogue: Catalogue) -> Keys:
    """Key files, and what the signing host's own file says of tokens and services."""
    ring = KeyRing(settings.keys, settings.passphrase, settings.seal_passphrase)
    return OfficeKeys(ring, read_host(settings.signing_host), catalogue.offices)


def _custody(settings: Settings) -> Custody:
    """Read this host's identity; on one machine, pin it for the web process that shares the folder."""
    identity = Identity.at(settings.identity)
    if not settings.pinned_signers:
        pin_once(settings.pins, identity)
    return Custody(identity, partial(pins_of, settings.pinned_web, settings.web_pins))


def _timestamper(settings: Settings) -> Timestamper | None:
    """Ask the authorities in their order; only tokens whose chain ends at our trust anchors count."""
    if not settings.tsa_urls:
        return None
    trusted = trust(settings)
    asked = [
        HttpTimestamper(url, anchors_der=trusted.anchors_der, others_der=trusted.intermediates_der)
        for url in settings.tsa_urls
    ]
    return asked[0] if len(asked) == 1 else FirstThatAnswers(asked)


def _record_qr_keys(teken: Teken) -> None:
    """Note the QR keys of this signing host, so that the world may read what they sign."""
    found = {}
    for office in teken.offices.offices.values():
        if office.qr_offline:
            with suppress(QrKeyMissing):
                found[office.code] = teken.keys.qr(office.code).public_key()
    if found:
        with teken.db.write() as connection:
            for code, key in found.items():
                record(connection, code, kid_of(key).hex(), *coordinates(key), teken.clock.now())


def _first_start(teken: Teken) -> None:
    """Migrate, open the journal, seed people of offices that have none, enrol the certificates that lie beside the keys."""
    stand_ready(teken.db, teken.vault)
    migrate(teken.db)
    now = teken.clock.now()
    with teken.db.write() as connection:
        start_alone(connection)
        recognise(connection, teken.vault, now)
        journal.open_chain(connection)
        for office in teken.offices.offices.values():
            people.seed(connection, office)
            owners = [f"{office.code}/{person.code}" for person in office.people] + [people.seal_owner(office)]
            for owner in owners:
                pem = teken.settings.keys / f"{owner.replace('/', '.')}.cert.pem"
                if (found := _beside_keys(pem)) is not None:
                    people.enrol(connection, owner, found, now)


def _beside_keys(pem: Path) -> bytes | None:
    """Return a certificate's file; nothing where there is none, or where only the signing user may look."""
    try:
        return pem.read_bytes()
    except (FileNotFoundError, PermissionError):
        return None
