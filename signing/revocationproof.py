"""Reads CRLs (RFC 5280) and OCSP answers (RFC 6960) and says what they prove about one certificate at one moment."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, NoReturn

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

from signing.certificates import verifies
from signing.chains import issued
from signing.errors import EvidenceFailed, translated

_SKEW: Final = timedelta(minutes=5)
_UNDATED: Final = timedelta(hours=24)
"""How old an answer may be that does not say when the next one comes."""
_WEAK: Final = (hashes.MD5, hashes.SHA1)
_READ_EXTENSIONS: Final = (x509.AuthorityKeyIdentifier, x509.CRLNumber, x509.IssuingDistributionPoint)


def prove_crl(
    der: bytes, certificate: x509.Certificate, issuer: x509.Certificate, at: datetime, used: datetime
) -> None:
    """Prove by a CRL, fresh at `at`, that the certificate was not revoked when it was used.

    Raises EvidenceFailed: certificate_revoked, or revocation_wrong for a list that says nothing about it.
    """
    with translated(EvidenceFailed, "revocation_wrong"):
        crl = x509.load_der_x509_crl(der)
        if crl.issuer != certificate.issuer or crl.issuer != issuer.subject:
            _refuse("another issuer's list")
        if isinstance(crl.signature_hash_algorithm, _WEAK) or not crl.is_signature_valid(issuer.public_key()):  # type: ignore[arg-type]  # other keys raise
            _refuse("not signed by the issuer")
        _check_scope(crl, certificate)
        _check_fresh(crl.last_update_utc, crl.next_update_utc, at)
        entry = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
        if entry is not None and entry.revocation_date_utc <= used:
            raise EvidenceFailed("certificate_revoked", f"serial {certificate.serial_number:x}")


def prove_ocsp(
    der: bytes, certificate: x509.Certificate, issuer: x509.Certificate, at: datetime, used: datetime
) -> x509.Certificate | None:
    """As `prove_crl`, by an OCSP answer. Return the responder's certificate if it must be shown not to be revoked itself."""
    with translated(EvidenceFailed, "revocation_wrong"):
        response = ocsp.load_der_ocsp_response(der)
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            _refuse(response.response_status.name.lower())
        responder = _responder(response, issuer)
        algorithm = response.signature_hash_algorithm
        if algorithm is None or isinstance(algorithm, _WEAK):
            _refuse("weak digest")
        if not verifies(responder.public_key(), response.signature, response.tbs_response_bytes, algorithm):
            _refuse("the answer's signature does not verify")
        single = next((one for one in response.responses if _is_about(one, certificate, issuer)), None)
        if single is None:
            _refuse("another certificate's answer")
        _check_fresh(single.this_update_utc, single.next_update_utc, at)
        _check_status(single, certificate, used)
        return responder if responder != issuer and not _no_check(responder) else None


def _check_status(single: ocsp.OCSPSingleResponse, certificate: x509.Certificate, used: datetime) -> None:
    if single.certificate_status is ocsp.OCSPCertStatus.GOOD:
        return
    revoked = single.revocation_time_utc
    if single.certificate_status is not ocsp.OCSPCertStatus.REVOKED or revoked is None:
        _refuse("status unknown")
    if revoked <= used:
        raise EvidenceFailed("certificate_revoked", f"serial {certificate.serial_number:x}")


def _check_scope(crl: x509.CertificateRevocationList, certificate: x509.Certificate) -> None:
    """The list is whole for this certificate: no delta, no list of other certificates or of some reasons only."""
    for extension in crl.extensions:
        if extension.critical and not isinstance(extension.value, _READ_EXTENSIONS):
            _refuse("a list of a kind that is not used here")
        if isinstance(extension.value, x509.IssuingDistributionPoint):
            _check_point(extension.value, certificate)


def _check_point(point: x509.IssuingDistributionPoint, certificate: x509.Certificate) -> None:
    ca = _is_ca(certificate)
    if point.indirect_crl or point.only_some_reasons or point.only_contains_attribute_certs or point.relative_name:
        _refuse("a list of a kind that is not used here")
    if (point.only_contains_user_certs and ca) or (point.only_contains_ca_certs and not ca):
        _refuse("a list of other certificates")
    named, mine = {name.value for name in point.full_name or ()}, set(crl_urls(certificate))
    if named and mine and not named & mine:  # RFC 5280, 6.3.3 (b) (2); who names no list is in the CA's only one
        _refuse("a list of other certificates")


def _check_fresh(begun: datetime, ends: datetime | None, at: datetime) -> None:
    if not begun - _SKEW <= at <= (ends or begun + _UNDATED):
        _refuse("stale, or from the future")


def _responder(response: ocsp.OCSPResponse, issuer: x509.Certificate) -> x509.Certificate:
    """The CA itself, or one whom it authorised for this by issuing his certificate with OCSPSigning (RFC 6960, 4.2.2.2)."""
    for candidate in (issuer, *response.certificates):
        if not _is_named(candidate, response):
            continue
        if candidate == issuer or (issued(issuer, candidate) and _signs_ocsp(candidate)):
            return candidate
    return _refuse("the responder is not authorised")


def _is_named(certificate: x509.Certificate, response: ocsp.OCSPResponse) -> bool:
    if response.responder_name is not None:
        return certificate.subject == response.responder_name
    return x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest == response.responder_key_hash


def _is_about(single: ocsp.OCSPSingleResponse, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    asked = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, single.hash_algorithm).build()
    return (single.serial_number, single.issuer_key_hash, single.issuer_name_hash) == (
        asked.serial_number,
        asked.issuer_key_hash,
        asked.issuer_name_hash,
    )


def _signs_ocsp(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return ExtendedKeyUsageOID.OCSP_SIGNING in usage


def _no_check(certificate: x509.Certificate) -> bool:
    return any(isinstance(extension.value, x509.OCSPNoCheck) for extension in certificate.extensions)


def _is_ca(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def crl_urls(certificate: x509.Certificate) -> tuple[str, ...]:
    """Where the certificate says that its CRL lies (cRLDistributionPoints)."""
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return ()
    named = [name for point in points for name in point.full_name or ()]
    return tuple(name.value for name in named if isinstance(name, x509.UniformResourceIdentifier))


def ocsp_urls(certificate: x509.Certificate) -> tuple[str, ...]:
    """Where the certificate says that its OCSP responder is (authorityInfoAccess)."""
    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except x509.ExtensionNotFound:
        return ()
    found = [one.access_location for one in access if one.access_method == AuthorityInformationAccessOID.OCSP]
    return tuple(name.value for name in found if isinstance(name, x509.UniformResourceIdentifier))


def _refuse(detail: str) -> NoReturn:
    raise EvidenceFailed("revocation_wrong", detail)
