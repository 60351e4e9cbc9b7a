"""Officials, roles and dated mandates. The database is the truth; office files only seed a first start.

A person acts only in a role, office and mandate that he holds at that moment (I10).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import Connection, Row, and_, insert, or_, select

from service.canonical import dumps
from service.clock import stamp
from service.errors import MandateExpired, NotFound, RoleForbids
from service.sop.model import Office, RoleCode
from service.store.tables import certificates, mandates, officials

PRECEDENCE = {"plh": 0, "plt": 1, "definitif": 2}
"""A Plh. stands in for a day or a week, a Plt. for a vacancy: the nearer mandate is the one that the paper names."""
PREFIX = {"plh": "Plh.", "plt": "Plt.", "definitif": ""}


@dataclass(frozen=True, slots=True)
class Actor:
    """A person who may act now: the mandate is checked, not claimed."""

    official: str
    mandate: str
    role: str


@dataclass(frozen=True, slots=True)
class NamedSignatory:
    """Who the paper names, with the certificate that must sign."""

    official: str
    mandate: str
    name: str
    nip: str | None
    rank: str | None
    title: str
    prefix: str
    certificate_sha256: str

    def as_dict(self) -> dict[str, Any]:
        """Return the fields by name."""
        return asdict(self)

    def as_json(self) -> str:
        """Return the one text form in which it is stored and compared."""
        return dumps(asdict(self))


def local_day(office: Office, at: datetime) -> date:
    """Return the calendar date in the office's time zone (Asia/Jakarta, Asia/Makassar or Asia/Jayapura)."""
    return at.astimezone(ZoneInfo(office.calendar.timezone)).date()


def seed(connection: Connection, office: Office) -> bool:
    """Store the office file's people if the office has none yet; tell whether it did."""
    if connection.execute(select(officials.c.id).where(officials.c.office == office.code)).first() is not None:
        return False
    for person in office.people:
        official = f"{office.code}/{person.code}"
        connection.execute(
            insert(officials).values(
                id=official, office=office.code, name=person.name, nip=person.nip, rank=person.rank
            )
        )
        for number, (role, kind, since, until, decision) in enumerate(person.roles, start=1):
            connection.execute(
                insert(mandates).values(
                    id=f"{official}/{number}",
                    official=official,
                    office=office.code,
                    role=role,
                    kind=kind,
                    valid_from=since.isoformat(),
                    valid_to=until.isoformat() if until else None,
                    decision=decision,
                )
            )
    return True


def actor(connection: Connection, office: Office, official: str, role: str, day: date) -> Actor:
    """Return the person with the mandate that lets him act in `role` on `day`.

    Raises NotFound (no such person in this office), RoleForbids (never held it), MandateExpired (not on this day).
    """
    if (
        connection.execute(
            select(officials.c.id).where(officials.c.id == official, officials.c.office == office.code)
        ).first()
        is None
    ):
        raise NotFound("official_unknown")
    held = connection.execute(select(mandates).where(mandates.c.official == official, mandates.c.role == role)).all()
    if not held:
        raise RoleForbids(role=role)
    for mandate in held:
        if mandate.valid_from <= day.isoformat() and (mandate.valid_to is None or day.isoformat() <= mandate.valid_to):
            return Actor(official, mandate.id, role)
    raise MandateExpired(role=role)


def signatory(connection: Connection, office: Office, role: str, at: datetime) -> NamedSignatory:
    """Return who signs for `role` now: holds the mandate today and has an enrolled certificate that is valid now.

    Raises MandateExpired (nobody holds the role today) or NotFound("certificate_missing").
    """
    chosen = nearest(connection, office, role, local_day(office, at))
    if chosen is None:
        raise MandateExpired(role=role)
    certificate = enrolled(connection, chosen.official, at)
    return NamedSignatory(
        chosen.official,
        chosen.id,
        chosen.name,
        chosen.nip,
        chosen.rank,
        office.roles[RoleCode(role)].title,
        PREFIX[chosen.kind],
        certificate.sha256,
    )


def nearest(connection: Connection, office: Office, role: str, day: date) -> Row[Any] | None:
    """Return the mandate by which the role is exercised in signatures on a day, with the person's name, NIP and rank.

    A Plh. comes before a Plt., and either before whom he stands in for. None: nobody holds the role.
    """
    today = day.isoformat()
    current = and_(mandates.c.valid_from <= today, or_(mandates.c.valid_to.is_(None), mandates.c.valid_to >= today))
    held = connection.execute(
        select(mandates, officials.c.name, officials.c.nip, officials.c.rank)
        .join(officials, officials.c.id == mandates.c.official)
        .where(mandates.c.office == office.code, mandates.c.role == role, current)
    ).all()
    return min(held, key=lambda row: (PRECEDENCE[row.kind], row.id), default=None)


def enrolled(connection: Connection, owner: str, at: datetime) -> Row[Any]:
    """Return the owner's newest enrolled certificate that is valid at `at`.

    Raises NotFound: certificate_missing, certificate_expired or certificate_not_yet_valid.
    """
    now = stamp(at)
    query = select(certificates).where(
        certificates.c.owner == owner, certificates.c.not_before <= now, certificates.c.not_after > now
    )
    row = connection.execute(query.order_by(certificates.c.enrolled_at.desc(), certificates.c.sha256)).first()
    if row is None:
        raise NotFound(_why_none(connection, owner, now), owner=owner)
    return row


def _why_none(connection: Connection, owner: str, now: str) -> str:
    """Nobody enrolled one, or the one that lasts longest has expired, or is not valid yet."""
    ends = (
        select(certificates.c.not_after).where(certificates.c.owner == owner).order_by(certificates.c.not_after.desc())
    )
    last = connection.execute(ends.limit(1)).scalar_one_or_none()
    if last is None:
        return "certificate_missing"
    return "certificate_expired" if last <= now else "certificate_not_yet_valid"


def enrol(connection: Connection, owner: str, pem: bytes, at: datetime) -> str:
    """Enrol a public certificate (PEM) for an official or for an office's seal; return its SHA-256."""
    certificate = x509.load_pem_x509_certificate(pem)
    sha256 = certificate.fingerprint(hashes.SHA256()).hex()
    if (
        connection.execute(
            select(certificates.c.sha256).where(certificates.c.owner == owner, certificates.c.sha256 == sha256)
        ).first()
        is None
    ):
        connection.execute(
            insert(certificates).values(
                owner=owner,
                sha256=sha256,
                der=certificate.public_bytes(Encoding.DER),
                not_before=stamp(certificate.not_valid_before_utc.astimezone(UTC)),
                not_after=stamp(certificate.not_valid_after_utc.astimezone(UTC)),
                enrolled_at=stamp(at),
            )
        )
    return sha256


def seal_owner(office: Office) -> str:
    """Return the owner id under which an office's seal certificate is enrolled."""
    return f"{office.code}/segel"
