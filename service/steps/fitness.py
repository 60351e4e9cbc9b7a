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
from signing import EvidenceFailed, Revocation, Trust, chain_to_anchor, describe_certificate

if TYPE_CHECKING:
    from service.pins import Bundle
    from service.wiring import Teken

log = structlog.get_logger("teken.fitness")


class CertificateUnfit(TekenError):
    """The enrolled certificate must not sign today; the code says why."""

    code = "certificate_untrusted"


def fit_signatory(teken: Teken, bundle: Bundle) -> NamedSignatory:
    """Return who signs now, after checking his certificate and, where the procedure seals, the office's.

    Raises NotFound, MandateExpired, CertificateUnfit, EvidenceFailed, NoTimestamper.
    """
    office, procedure, now = bundle.office, bundle.permit_type.procedure, teken.clock.now()
    with teken.db.read() as connection:
        named = signatory(connection, office, procedure.signing_role, now)
        owners = [named.official, *([seal_owner(office)] if procedure.sealed else [])]
        ders = [bytes(enrolled(connection, owner, now).der) for owner in owners]
    required, trusted = not below(office.issue_at_least, "B-LT"), trust(teken.settings)
    for owner, der in zip(owners, ders, strict=True):
        for cause in check_certificate(owner, der, trusted, teken.revocation, now, revocation_required=required):
            log.warning("revocation_unknown", owner=owner, cause=cause)
    if below("B-B", office.issue_at_least) and teken.timestamper is None:
        raise NoTimestamper
    return named


def check_certificate(
    owner: str, der: bytes, trusted: Trust, revocation: Revocation, now: datetime, *, revocation_required: bool
) -> list[str]:
    """Refuse a certificate that must not sign at `now`; return the codes of what nobody could tell of its chain's revocation.

    A revoked certificate is refused everywhere; that nobody answers is, where the office issues with that answer.
    Raises CertificateUnfit, EvidenceFailed.
    """
    for reason in describe_certificate(der).unfit(now):
        raise CertificateUnfit(f"certificate_{reason}", owner=owner)
    try:
        chain = chain_to_anchor(der, trusted.intermediates_der, trusted.anchors_der, now)
    except EvidenceFailed:
        raise CertificateUnfit("certificate_untrusted", owner=owner) from None
    unknown = []
    for certificate, issuer in pairwise(chain):
        if not revocation_required and not revocation.has_source(certificate):
            continue
        try:
            revocation.evidence(certificate, issuer, now, now)
        except EvidenceFailed as failed:
            if revocation_required or failed.code == "certificate_revoked":
                raise
            unknown.append(failed.code)
    return unknown
