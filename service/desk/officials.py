"""The office's people as an admin sees them: officials with their mandates and certificates; a new official, which two admins decide."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, insert, select

from service.clock import instant, stamp
from service.desk import certificate, proposals
from service.desk.forms import Form, refuse, told
from service.errors import Conflict, Fault
from service.identifiers import IdentifierInvalid, parse_nip
from service.people import PREFIX, local_day, seal_owner
from service.sop.model import Office, RoleCode
from service.store.tables import certificates, mandates, officials

if TYPE_CHECKING:
    from service.desk.accounts import Account
    from service.desk.proposals import Proposal
    from service.wiring import Teken

ADD = "official.add"
WARN = timedelta(days=60)
"""A certificate that ends sooner is shown as ending."""
_CODE = re.compile(r"[a-z][a-z0-9_]{1,39}")


@dataclass(frozen=True, slots=True)
class Mandate:
    """One dated mandate; `when` is past, now or later on the office's local day."""

    id: str
    role: str
    title: str
    kind: str
    valid_from: str
    valid_to: str | None
    decision: str | None
    when: str


@dataclass(frozen=True, slots=True)
class Certificate:
    """An enrolled certificate, public."""

    sha256: str
    subject: str
    begins: date
    ends: date
    when: str  # past | now | soon (ends within two months) | later


@dataclass(frozen=True, slots=True)
class Official:
    """One official with all mandates and certificates, newest first."""

    id: str
    name: str
    nip: str | None
    rank: str | None
    mandates: tuple[Mandate, ...]
    certificates: tuple[Certificate, ...]


@dataclass(frozen=True, slots=True)
class People:
    """An office's officials, and the certificates of its seal (None: it has none)."""

    officials: tuple[Official, ...]
    seal: tuple[Certificate, ...] | None


def people(teken: Teken, office: str) -> People:
    """Return everybody of an office, by name."""
    place, now = teken.offices.office(office), teken.clock.now()
    day = local_day(place, now)
    with teken.db.read() as connection:
        rows = connection.execute(
            select(officials).where(officials.c.office == office).order_by(officials.c.name)
        ).all()
        mandated = select(mandates).where(mandates.c.office == office)
        held = connection.execute(mandated.order_by(mandates.c.valid_from.desc(), mandates.c.id.desc())).all()
        mine = certificates.c.owner.in_([*(row.id for row in rows), seal_owner(place)])
        enrolled = connection.execute(
            select(certificates).where(mine).order_by(certificates.c.not_after.desc(), certificates.c.sha256)
        ).all()
    return People(
        tuple(
            Official(
                row.id,
                row.name,
                row.nip,
                row.rank,
                tuple(_mandate(place, one, day) for one in held if one.official == row.id),
                tuple(_certificate(place, one, now) for one in enrolled if one.owner == row.id),
            )
            for row in rows
        ),
        tuple(_certificate(place, one, now) for one in enrolled if one.owner == seal_owner(place))
        if place.seal_name
        else None,
    )


def propose(teken: Teken, who: Account, form: Form) -> str:
    """Propose a new official: fields `kode`, `nama`, `nip`, `pangkat`. Raises Invalid."""
    faults: list[Fault] = []
    code = form.text("kode", faults, 40)
    payload = {
        "official": f"{who.office}/{code}",
        "name": form.text("nama", faults, 120),
        "nip": form.text("nip", faults, 24, required=False),
        "rank": form.text("pangkat", faults, 80, required=False),
    }
    if code and not _CODE.fullmatch(code):
        faults.append(Fault("/kode", "official_code_shape"))
    if payload["nip"]:
        try:
            payload["nip"] = parse_nip(payload["nip"]).digits
        except IdentifierInvalid as unfit:
            faults.append(Fault("/nip", unfit.code))
    with teken.db.read() as connection:
        if connection.execute(select(officials.c.id).where(officials.c.id == payload["official"])).first():
            faults.append(Fault("/kode", "official_code_taken"))
    refuse(faults)
    return proposals.propose(teken, who, ADD, payload, subject=payload["official"])


def add(teken: Teken, connection: Connection, found: Proposal) -> None:
    """Carry out. Raises Conflict if he was added meanwhile."""
    given = found.payload
    if connection.execute(select(officials.c.id).where(officials.c.id == given["official"])).first() is not None:
        raise Conflict("official_known")
    row = {"id": given["official"], "office": found.office, "name": given["name"]}
    connection.execute(insert(officials).values(**row, nip=given["nip"] or None, rank=given["rank"] or None))
    told(teken, connection, found, official=given["official"])


def _mandate(office: Office, row: Row[Any], day: date) -> Mandate:
    today = day.isoformat()
    when = "later" if row.valid_from > today else "now"
    if row.valid_to is not None and (row.valid_to < today or row.valid_to < row.valid_from):
        when = "past"
    role = office.roles.get(RoleCode(row.role))
    title = f"{PREFIX[row.kind]} {role.title if role else row.role}".strip()
    return Mandate(row.id, row.role, title, row.kind, row.valid_from, row.valid_to, row.decision, when)


def _certificate(office: Office, row: Row[Any], now: datetime) -> Certificate:
    when = "now" if row.not_after > stamp(now + WARN) else "soon"
    if row.not_before > stamp(now):
        when = "later"
    if row.not_after <= stamp(now):
        when = "past"
    begins, ends = (local_day(office, instant(one)) for one in (row.not_before, row.not_after))
    return Certificate(row.sha256, certificate.named(row.der), begins, ends, when)
