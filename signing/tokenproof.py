"""Proves a time-stamp token (RFC 3161): who signed it, that he may, and when and what he says it stamps.

A token that was proven in full is the measure of its authority's next one: all that is not the same is proven anew.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from asn1crypto import cms
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from signing.certificates import HASHES, verifies
from signing.chains import Chain, chain_to_anchor, der_of, issued
from signing.cmsproof import prove_token_cms
from signing.errors import EvidenceFailed, ProofFailed, TimestampFailed
from signing.stampparts import StampParts, read_stamp

_DIGESTS: Final = {"sha256", "sha384", "sha512"}
_MOST_PROVEN: Final = 64


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


@dataclass(frozen=True, slots=True)
class _Known:
    """A proven token, and the digest algorithm of its signature. Its frame names certificate, algorithms and policy."""

    token: Token
    digest: str

    def next(self, parts: StampParts) -> Token | None:
        """The token of the same frame, if its own digest and signature hold."""
        if hashlib.new(self.digest, parts.content).digest() != parts.digest:
            return None
        if not verifies(self.token.certificate.public_key(), parts.signature, parts.attributes, HASHES[self.digest]):
            return None
        return Token(parts.at, self.token.digest, parts.imprint, self.token.certificate, self.token.others)


_PROVEN: Final[dict[tuple[bytes, ...], _Known]] = {}


def prove_token(der: bytes, anchors_der: tuple[bytes, ...] = (), others_der: tuple[bytes, ...] = ()) -> Token:
    """Prove that a certificate in the token signed it, that time-stamping is all that it may do, and that it was valid then.

    With `anchors_der` its chain must end at one of them, at the moment of the stamp. Raises TimestampFailed tsa_token_wrong.
    """
    token = _proven_before(der) or _prove_in_full(der)
    _check_usage(token)
    if anchors_der:
        pool = (*map(der_of, token.others), *others_der)
        try:
            chain_to_anchor(der_of(token.certificate), pool, anchors_der, token.at)
        except EvidenceFailed as untrusted:
            raise TimestampFailed("tsa_token_wrong", untrusted.code) from untrusted
    return token


def _proven_before(der: bytes) -> Token | None:
    parts = read_stamp(der)
    known = _PROVEN.get(parts.frame) if parts else None
    return known.next(parts) if parts and known else None


def _prove_in_full(der: bytes) -> Token:
    try:
        info, found, others, digest = prove_token_cms(cms.ContentInfo.load(der))
    except ProofFailed as refused:
        raise TimestampFailed("tsa_token_wrong", refused.detail) from refused
    token = _token(info, found, others)
    if parts := read_stamp(der):
        if len(_PROVEN) >= _MOST_PROVEN:
            _PROVEN.clear()
        _PROVEN[parts.frame] = _Known(token, digest)
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
