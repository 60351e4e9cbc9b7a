"""May the enrolled certificates sign today? Asked before a number is spent on a paper that can't be issued."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING

import structlog

from service.errors import TekenError
from service.longterm import NoTimestamper, below
from service.people import NamedSignatory, enrolled, seal_owner, signatory
from service.trust import trust
from signing import Chain, EvidenceFailed, chain_to_anchor, describe_certificate

if TYPE_CHECKING:
    from service.pins import Bundle
    from service.sop.model import Office
    from service.wiring import Teken

log = structlog.get_logger("teken.fitness")


class CertificateUnfit(TekenError):
    """The enrolled certificate must not sign today; the code says why."""

    code = "certificate_untrusted"


def fit_signatory(teken: Teken, bundle: Bundle, role: str | None) -> NamedSignatory:
    """Return who signs now, after checking his certificate and, where the procedure seals, the office's.

    Raises NotFound, MandateExpired, CertificateUnfit, EvidenceFailed, NoTimestamper.
    """
    assert role is not None, "the sign row has an actor"
    office, now = bundle.office, teken.clock.now()
    with teken.db.read() as connection:
        named = signatory(connection, office, role, now)
        owners = [named.official, *([seal_owner(office)] if bundle.permit_type.procedure.sealed else [])]
        ders = [bytes(enrolled(connection, owner, now).der) for owner in owners]
    for owner, der in zip(owners, ders, strict=True):
        _check(teken, office, owner, der, now)
    if below("B-B", office.issue_at_least) and teken.timestamper is None:
        raise NoTimestamper
    return named


def _check(teken: Teken, office: Office, owner: str, der: bytes, now: datetime) -> None:
    for reason in describe_certificate(der).unfit(now):
        raise CertificateUnfit(f"certificate_{reason}", owner=owner)
    trusted = trust(teken.settings)
    try:
        chain = chain_to_anchor(der, trusted.intermediates_der, trusted.anchors_der, now)
    except EvidenceFailed:
        raise CertificateUnfit("certificate_untrusted", owner=owner) from None
    for certificate, issuer in pairwise(chain):
        _check_revocation(teken, office, owner, (certificate, issuer), now)


def _check_revocation(teken: Teken, office: Office, owner: str, pair: Chain, now: datetime) -> None:
    """A revoked certificate is refused everywhere; that nobody answers is, where the office issues with that answer."""
    required = not below(office.issue_at_least, "B-LT")
    if not required and not teken.revocation.has_source(pair[0]):
        return
    try:
        teken.revocation.evidence(pair[0], pair[1], now, now)
    except EvidenceFailed as unknown:
        if required or unknown.code == "certificate_revoked":
            raise
        log.warning("revocation_unknown", owner=owner, cause=unknown.code)
