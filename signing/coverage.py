"""Proves the level that a file carries, from what lies in it alone.

For every certificate there is a CRL or OCSP answer that is its issuer's own word, and that shows that it was not revoked
when a time-stamp proves its use.
"""

from __future__ import annotations

from collections.abc import Sequence
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


def prove_level(pdf: bytes, anchors_der: tuple[bytes, ...], others_der: tuple[bytes, ...]) -> Level:
    """Return the level of the weakest signature. Without anchors a chain is followed as far as the file brings it.

    The newest document time-stamp needs no evidence of its own yet: it is still to be asked for.
    """
    held = holdings(pdf)
    if not held.stamped:
        return "B-B"
    needed = held.uses[:-1] if held.document_stamps else held.uses
    if not all(_covered(use, held, anchors_der, others_der) for use in needed):
        return "B-T"
    return "B-LTA" if held.document_stamps else "B-LT"


def _covered(use: Use, held: Holdings, anchors_der: tuple[bytes, ...], others_der: tuple[bytes, ...]) -> bool:
    pool = (*map(der_of, use.others), *held.evidence.certificates_der, *others_der)
    try:
        chain = chain_to_anchor(der_of(use.certificate), pool, anchors_der) if anchors_der else _upward(use, pool)
    except EvidenceFailed:
        return False
    if len(chain) == 1:
        return False
    pairs = pairwise(chain)
    return all(_answered(one, issuer, held.evidence, use.proven) for one, issuer in pairs)


def _upward(use: Use, pool: Sequence[bytes]) -> Chain:
    known = [x509.load_der_x509_certificate(der) for der in pool]
    chain: Chain = (use.certificate,)
    while issuer := next((one for one in known if one not in chain and issued(one, chain[-1])), None):
        chain = (*chain, issuer)
    return chain


def _answered(
    certificate: x509.Certificate, issuer: x509.Certificate, evidence: Evidence, used: datetime | None
) -> bool:
    for der in evidence.crls_der:
        begun = x509.load_der_x509_crl(der).last_update_utc
        if _holds(prove_crl, der, certificate, issuer, begun, used or begun):
            return True
    for der in evidence.ocsps_der:
        for answer in ocsp.load_der_ocsp_response(der).responses:
            begun = answer.this_update_utc
            if _holds(prove_ocsp, der, certificate, issuer, begun, used or begun):
                return True
    return False


def _holds(prove: object, *given: object) -> bool:
    try:
        prove(*given)  # type: ignore[operator]  # one of the two above
    except EvidenceFailed:
        return False
    return True
