"""Proves a time-stamp token (RFC 3161): who signed it, that he may, and when and what he says it stamps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from asn1crypto import cms
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from signing.chains import Chain, chain_to_anchor, der_of, issued
from signing.cmsproof import prove_token_cms
from signing.errors import EvidenceFailed, ProofFailed, TimestampFailed

_DIGESTS: Final = {"sha256", "sha384", "sha512"}


@dataclass(frozen=True, slots=True)
class Token:
    """A proven time-stamp: the moment, what it stamps, and its certificate with all others that came along."""

    at: datetime
    digest: str
    imprint: bytes
    certificate: x509.Certificate
    others: tuple[x509.Certificate, ...]

    @property
    def chain(self) -> Chain:
        """The certificate and, as far as the token brings them, its issuers."""
        chain: Chain = (self.certificate,)
        while issuer := next((one for one in self.others if one not in chain and issued(one, chain[-1])), None):
            chain = (*chain, issuer)
        return chain


def prove_token(der: bytes, anchors_der: tuple[bytes, ...] = (), others_der: tuple[bytes, ...] = ()) -> Token:
    """Prove that a certificate in the token signed it, that time-stamping is all that it may do, and that it was valid then.

    With `anchors_der` its chain must end at one of them, at the moment of the stamp. Raises TimestampFailed tsa_token_wrong.
    """
    try:
        info, found, others = prove_token_cms(cms.ContentInfo.load(der))
    except ProofFailed as refused:
        raise TimestampFailed("tsa_token_wrong", refused.detail) from refused
    token = _token(info, found, others)
    _check_usage(token)
    if anchors_der:
        pool = (*map(der_of, token.others), *others_der)
        try:
            chain_to_anchor(der_of(found), pool, anchors_der, token.at)
        except EvidenceFailed as untrusted:
            raise TimestampFailed("tsa_token_wrong", untrusted.code) from untrusted
    return token


def _token(info: Any, certificate: x509.Certificate, others: tuple[x509.Certificate, ...]) -> Token:
    imprint = info["message_imprint"]
    digest = imprint["hash_algorithm"]["algorithm"].native
    if digest not in _DIGESTS:
        raise TimestampFailed("tsa_token_wrong", "weak digest")
    at = info["gen_time"].native.astimezone(UTC)
    return Token(at, digest, imprint["hashed_message"].native, certificate, others)


def _check_usage(token: Token) -> None:
    """RFC 3161, 2.3: the certificate is for time-stamping, for nothing else, and says so as critical."""
    certificate = token.certificate
    if not certificate.not_valid_before_utc <= token.at <= certificate.not_valid_after_utc:
        raise TimestampFailed("tsa_token_wrong", "certificate not valid at that time")
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        raise TimestampFailed("tsa_token_wrong", "certificate usage") from None
    if not usage.critical or list(usage.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise TimestampFailed("tsa_token_wrong", "certificate usage")
