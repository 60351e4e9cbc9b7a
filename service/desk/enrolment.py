"""Enrolling public certificates of officials and of the office's seal, which two admins decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from service.desk import certificate, proposals
from service.desk.forms import told
from service.errors import Fault, Invalid, NotFound
from service.people import enrol, seal_owner
from service.sop.model import Office
from service.store.tables import certificates, officials

if TYPE_CHECKING:
    from service.desk.accounts import Account
    from service.desk.proposals import Proposal
    from service.wiring import Teken

ENROL = "certificate.enrol"


def propose(teken: Teken, who: Account, owner: str, data: bytes) -> str:
    """Propose to enrol a public certificate (PEM or DER) of an official or of the office's seal. Raises Invalid, NotFound."""
    place, now = teken.offices.office(who.office), teken.clock.now()
    brought = certificate.read(data, now)
    with teken.db.read() as connection:
        _check_owner(connection, place, owner)
        known = (certificates.c.owner == owner) & (certificates.c.sha256 == brought.sha256)
        if connection.execute(select(certificates.c.sha256).where(known)).first() is not None:
            raise Invalid(faults=(Fault("/berkas", "certificate_known"),))
    payload = {
        "owner": owner,
        "certificate_sha256": brought.sha256,
        "subject": brought.subject,
        "issuer": brought.issuer,
        "not_before": brought.not_before,
        "not_after": brought.not_after,
        "pem": brought.pem,
    }
    return proposals.propose(teken, who, ENROL, payload, subject=owner)


def carry(teken: Teken, connection: Connection, found: Proposal) -> None:
    """Carry out. Raises NotFound, and as `people.enrol`."""
    given = found.payload
    _check_owner(connection, teken.offices.office(found.office), given["owner"])
    sha = enrol(connection, given["owner"], given["pem"].encode(), teken.clock.now())
    told(teken, connection, found, owner=given["owner"], certificate_sha256=sha, not_after=given["not_after"])


def _check_owner(connection: Connection, office: Office, owner: str) -> None:
    mine = (officials.c.id == owner) & (officials.c.office == office.code)
    if connection.execute(select(officials.c.id).where(mine)).first() is not None:
        return
    if owner != seal_owner(office) or office.seal_name is None:
        raise NotFound("official_unknown")
