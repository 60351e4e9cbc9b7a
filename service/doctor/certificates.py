"""Whether each office can sign today: somebody holds the mandate, and the enrolled certificate is fit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from service.doctor.findings import Note, fault, warning, well
from service.doctor.view import backend_of
from service.errors import MandateExpired, NotFound, TekenError
from service.expiring import ending
from service.longterm import below
from service.people import enrolled, signatory
from service.sop.model import OfficeCode, Verb
from service.steps.fitness import check_certificate
from signing import EvidenceFailed

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from service.doctor.view import View
    from service.sop.model import Office, RoleCode

_TRIED: Final = {"pkcs12", "pkcs11"}


def look_at_mandates(view: View) -> Iterator[Note]:
    """For each role that signs a permit type, somebody holds it today."""
    with view.read() as connection:
        for office in view.offices.offices.values():
            for role in _signing_roles(view, office):
                yield _mandate(view, connection, office, role)


def _signing_roles(view: View, office: Office) -> list[RoleCode]:
    acts = [act for one in view.offices.types(office.code) for act in one.procedure.plan]
    return sorted({act.role for act in acts if act.verb is Verb.SIGN and act.role is not None})


def _mandate(view: View, connection: Connection, office: Office, role: RoleCode) -> Note:
    subject = f"{office.code}/{role}"
    try:
        named = signatory(connection, office, role, view.clock.now())
    except MandateExpired:
        return fault("mandate_missing", subject)
    except NotFound:  # somebody holds it; what is wrong with the certificate is told of the certificate
        return well("mandate_held", subject)
    return well("mandate_held_by", subject, official=named.official)


def look_at_certificates(view: View) -> Iterator[Note]:
    """What the pipeline asks before it spends a number (`service/steps/fitness.py`), for everybody who signs or seals today."""
    for office in view.offices.offices.values():
        found: dict[str, bytes] = {}
        with view.read() as connection:
            days = {one["owner"]: one["days"] for one in ending(connection, office, view.clock.now())}
            for owner in view.owners(connection, office):
                try:
                    row = enrolled(connection, owner, view.clock.now())
                except NotFound as none:
                    yield fault(none.code, owner)
                else:
                    found[owner] = bytes(row.der)
        for owner, der in found.items():
            yield from _certificate(view, office, owner, der, days.get(owner))


def _certificate(view: View, office: Office, owner: str, der: bytes, days: int | None) -> Iterator[Note]:
    required = not below(office.issue_at_least, "B-LT")
    trusted, now = view.trusted, view.clock.now()
    try:
        unclear = check_certificate(owner, der, trusted, view.revocation, now, revocation_required=required)
    except (TekenError, EvidenceFailed) as unfit:
        yield fault(unfit.code, owner)
        return
    for code in dict.fromkeys(unclear):
        yield warning(code, owner)
    if days is not None:
        yield warning("certificate_expiring", owner, days=str(days))
    elif not unclear:
        yield well("certificate_fit", owner)


def enrolled_sha256(view: View, owner: str) -> str:
    """Return the certificate that the owner's key must have; empty if none is enrolled, which is told elsewhere."""
    with view.read() as connection:
        try:
            return str(enrolled(connection, owner, view.clock.now()).sha256)
        except NotFound:
            return ""


def look_at_official(view: View) -> Iterator[Note]:
    """The official whose passphrase was asked for: somebody who signs today, with a key that can be tried without signing."""
    asked = view.asked.official
    office = view.offices.offices.get(OfficeCode(asked.partition("/")[0]))
    if not asked:
        return
    with view.read() as connection:
        if office is None or asked not in view.owners(connection, office):
            yield fault("official_unknown", asked)
        elif (backend := backend_of(office, asked)) not in _TRIED:
            yield warning("passphrase_not_tried", asked, backend=backend)
