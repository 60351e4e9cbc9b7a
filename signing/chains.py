"""Builds a certificate's chain up to a given anchor. Revocation is asked elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding

from signing.errors import EvidenceFailed, translated

_LONGEST: Final = 8

Chain = tuple[x509.Certificate, ...]


def chain_to_anchor(
    certificate_der: bytes, others_der: Iterable[bytes], anchors_der: Iterable[bytes], at: datetime | None = None
) -> Chain:
    """Return the certificate, its issuers and, last, the anchor. With `at`, each must be valid at that moment.

    Raises EvidenceFailed chain_incomplete: no chain leads to an anchor.
    """
    given = certificate_der, tuple(others_der), tuple(anchors_der)
    with translated(EvidenceFailed, "chain_incomplete"):
        found = _undated(*given)
        if found and at is not None and not all(_in_force(one, at) for one in found):
            found = _first(*given, at)
    if found is None:
        serial = x509.load_der_x509_certificate(certificate_der).serial_number
        raise EvidenceFailed("chain_incomplete", f"serial {serial:x}")
    return found


@lru_cache(maxsize=64)  # a batch asks about the same few certificates for every document; only the moment is another
def _undated(certificate_der: bytes, others_der: tuple[bytes, ...], anchors_der: tuple[bytes, ...]) -> Chain | None:
    return _first(certificate_der, others_der, anchors_der, None)


def _first(
    certificate_der: bytes, others_der: tuple[bytes, ...], anchors_der: tuple[bytes, ...], at: datetime | None
) -> Chain | None:
    anchors = [x509.load_der_x509_certificate(der) for der in anchors_der]
    others = [x509.load_der_x509_certificate(der) for der in others_der]
    leaf = x509.load_der_x509_certificate(certificate_der)
    return next(_chains((leaf,), others, anchors, at), None)


def _in_force(certificate: x509.Certificate, at: datetime) -> bool:
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc


def _chains(
    below: Chain, others: list[x509.Certificate], anchors: list[x509.Certificate], at: datetime | None
) -> Iterator[Chain]:
    """Every chain on top of `below`, nearest anchors first."""
    top = below[-1]
    if at is not None and not _in_force(top, at):
        return
    for anchor in anchors:
        if issued(anchor, top) and (at is None or _in_force(anchor, at)):
            yield (*below, anchor)
    if len(below) < _LONGEST:
        for issuer in others:
            if issuer not in below and issued(issuer, top):
                yield from _chains((*below, issuer), others, anchors, at)


@lru_cache(maxsize=512)  # a batch asks about the same few certificates for every document
def issued(issuer: x509.Certificate, subject: x509.Certificate) -> bool:
    """Tell whether `issuer` is a CA and its key signed `subject`."""
    return issuer.subject == subject.issuer and _is_ca(issuer) and signed_by(issuer, subject)


def signed_by(issuer: x509.Certificate, subject: x509.Certificate) -> bool:
    """Tell whether the key of `issuer`, which `subject` names, signed `subject`."""
    try:
        subject.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _is_ca(certificate: x509.Certificate) -> bool:
    try:
        basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return basic.ca and usage.key_cert_sign


def der_of(certificate: x509.Certificate) -> bytes:
    """The certificate's DER."""
    return certificate.public_bytes(Encoding.DER)
