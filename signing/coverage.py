"""Proves the level that a file carries, from what lies in it alone.

For every certificate there is a CRL or OCSP answer that is its issuer's own word, and that shows that it was not revoked
when a time-stamp proves its use.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import pairwise

from cryptography import x509
from cryptography.x509 import ocsp

from signing.chains import Chain, chain_to_anchor, der_of, issued
from signing.errors import EvidenceFailed
from signing.holdings import Holdings, Use, holdings
from signing.model import Level
from signing.revocation import Evidence
from signing.revocationproof import prove_crl, prove_ocsp

_Proves = Callable[..., object]


def prove_level(pdf: bytes, anchors_der: tuple[bytes, ...], others_der: tuple[bytes, ...]) -> Level:
    """Return the level of the weakest signature. Without anchors a chain is followed as far as the file brings it.

    The newest document time-stamp needs no evidence of its own yet: it is still to be asked for.
    """
    held = holdings(pdf)
    if not held.stamped:
        return "B-B"
    needed = held.uses[:-1] if held.document_stamps else held.uses
    answered = all(is_answered(use, held.evidence, anchors_der, others_der) for use in needed)
    if not (answered and _unbroken(held)):
        return "B-T"
    return "B-LTA" if held.document_stamps else "B-LT"


def _unbroken(held: Holdings) -> bool:
    """Each certificate was in force when a time-stamp first vouched for its use: nobody was late with a renewal."""
    proven = [use for use in held.uses if use.proven]
    return all(
        use.certificate.not_valid_before_utc <= use.proven <= use.certificate.not_valid_after_utc
        for use in proven
        if use.proven
    )


def is_answered(
    use: Use,
    evidence: Evidence,
    anchors_der: tuple[bytes, ...],
    others_der: tuple[bytes, ...],
    *,
    after_use: bool = False,
) -> bool:
    """Tell whether the evidence answers for a certificate and its issuers; with `after_use`, only answers given since."""
    pool = (*map(der_of, use.others), *evidence.certificates_der, *others_der)
    try:
        chain = chain_to_anchor(der_of(use.certificate), pool, anchors_der) if anchors_der else _upward(use, pool)
    except EvidenceFailed:
        return False
    if len(chain) == 1:
        return False
    since = use.proven if after_use else None
    return all(_has_answer(one, issuer, evidence, use.proven, since) for one, issuer in pairwise(chain))


def _upward(use: Use, pool: Sequence[bytes]) -> Chain:
    known = [x509.load_der_x509_certificate(der) for der in pool]
    chain: Chain = (use.certificate,)
    while issuer := next((one for one in known if one not in chain and issued(one, chain[-1])), None):
        chain = (*chain, issuer)
    return chain


def _has_answer(
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    evidence: Evidence,
    used: datetime | None,
    since: datetime | None,
) -> bool:
    """An answer given after the certificate expired is none: who has expired leaves the list (RFC 5280, 3.3)."""
    dated: list[tuple[_Proves, bytes, datetime]]
    dated = [(prove_crl, der, x509.load_der_x509_crl(der).last_update_utc) for der in evidence.crls_der]
    for der in evidence.ocsps_der:
        dated += [(prove_ocsp, der, one.this_update_utc) for one in ocsp.load_der_ocsp_response(der).responses]
    return any(
        _holds(prove, der, certificate, issuer, begun, used or begun)
        for prove, der, begun in dated
        if begun <= certificate.not_valid_after_utc and (since is None or begun >= since)
    )


def _holds(prove: _Proves, der: bytes, certificate: x509.Certificate, issuer: x509.Certificate, *at: datetime) -> bool:
    try:
        prove(der, certificate, issuer, *at)
    except EvidenceFailed:
        return False
    return True
