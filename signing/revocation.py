"""Collects CRLs and OCSP answers for chains of certificates: given, or fetched from where the certificates point to.

What was fetched is used again while it is fresh, so that a batch asks once; a source that is down is not asked for every
document either.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Final, Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from signing.chains import Chain, der_of
from signing.errors import EvidenceFailed
from signing.fetching import Caps, Unfetched, fetch
from signing.revocationproof import crl_urls, ocsp_urls, prove_crl, prove_ocsp

CRL_CAPS: Final = Caps(seconds=10.0, size=8 * 1024 * 1024)
OCSP_CAPS: Final = Caps(seconds=5.0, size=64 * 1024)
_FRESH: Final = timedelta(hours=1)
"""How long an answer is used again without asking anew; its own next update may end it earlier."""
_DOWN: Final = timedelta(seconds=60)
_MOST_URLS: Final = 4


@dataclass(frozen=True, slots=True)
class Evidence:
    """What long-term validity rests on (ETSI EN 319 142-1, 5.4): certificates, CRLs and OCSP answers, DER all of them."""

    certificates_der: tuple[bytes, ...] = ()
    crls_der: tuple[bytes, ...] = ()
    ocsps_der: tuple[bytes, ...] = ()

    def __or__(self, other: Evidence) -> Evidence:
        """Both together, each piece once, in order."""
        return Evidence(
            tuple(dict.fromkeys(self.certificates_der + other.certificates_der)),
            tuple(dict.fromkeys(self.crls_der + other.crls_der)),
            tuple(dict.fromkeys(self.ocsps_der + other.ocsps_der)),
        )


class Revocation(Protocol):
    """Knows whether a certificate was revoked, and gives the proof."""

    def has_source(self, certificate: x509.Certificate) -> bool:
        """Tell whether there is anybody to ask about it."""

    def evidence(
        self, certificate: x509.Certificate, issuer: x509.Certificate, at: datetime, used: datetime
    ) -> Evidence:
        """Return checked proof, fresh at `at`, that the certificate was not revoked when it was used.

        Raises EvidenceFailed: certificate_revoked, revocation_no_source, revocation_unreachable, revocation_wrong.
        """


def collect(chain: Chain, source: Revocation, at: datetime, used: datetime | None = None) -> Evidence:
    """Return the evidence for a whole chain (`chain_to_anchor`), whose anchor is trusted as it is.

    `used` is when the leaf signed (now, unless a time-stamp proves an earlier moment). Raises as `Revocation.evidence`.
    """
    found = Evidence(tuple(der_of(certificate) for certificate in chain))
    for certificate, issuer in pairwise(chain):
        found |= source.evidence(certificate, issuer, at, used or at)
    return found


@dataclass(slots=True)
class OnlineRevocation:
    """Given answers first, then the certificate's own OCSP responders, then its CRLs, then the CRLs at `crl_addresses`.

    Safe for several threads. Times are the caller's: a test's clock may stand still.
    """

    crl_addresses: tuple[str, ...] = ()
    given: Evidence = Evidence()
    ocsp_caps: Caps = OCSP_CAPS
    crl_caps: Caps = CRL_CAPS
    _kept: dict[tuple[str, bytes], tuple[datetime, bytes | Unfetched | None]] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def has_source(self, certificate: x509.Certificate) -> bool:
        given = self.given.crls_der or self.given.ocsps_der
        return bool(given or self.crl_addresses or ocsp_urls(certificate) or crl_urls(certificate))

    def evidence(
        self, certificate: x509.Certificate, issuer: x509.Certificate, at: datetime, used: datetime
    ) -> Evidence:
        failed = EvidenceFailed("revocation_no_source", f"serial {certificate.serial_number:x}")
        for ask in self._answers(certificate, issuer, at, used):
            try:
                return ask()
            except EvidenceFailed as refused:
                if refused.code == "certificate_revoked":
                    raise
                failed = _worse(failed, refused)
        raise failed

    def _answers(
        self, certificate: x509.Certificate, issuer: x509.Certificate, at: datetime, used: datetime
    ) -> Iterator[Callable[[], Evidence]]:
        """Every way to an answer, best first; nothing is fetched before it is called."""

        def by_ocsp(der: bytes) -> Evidence:
            responder = prove_ocsp(der, certificate, issuer, at, used)
            found = Evidence(ocsps_der=(der,))
            return found | self._lists(responder, issuer, at) if responder else found

        def by_crl(der: bytes) -> Evidence:
            prove_crl(der, certificate, issuer, at, used)
            return Evidence(crls_der=(der,))

        for der in self.given.ocsps_der:
            yield partial(by_ocsp, der)
        for der in self.given.crls_der:
            yield partial(by_crl, der)
        body = _ocsp_request(certificate, issuer)
        for url in ocsp_urls(certificate)[:_MOST_URLS]:
            yield partial(self._proved, url, body, at, by_ocsp)
        for url in (*crl_urls(certificate)[:_MOST_URLS], *self.crl_addresses):
            yield partial(self._proved, url, b"", at, by_crl)

    def _lists(self, responder: x509.Certificate, issuer: x509.Certificate, at: datetime) -> Evidence:
        """A responder without id-pkix-ocsp-nocheck is checked itself, by CRL only: no responder vouches for itself."""
        by_list = OnlineRevocation(
            (*crl_urls(responder)[:_MOST_URLS], *self.crl_addresses),
            Evidence(crls_der=self.given.crls_der),
            crl_caps=self.crl_caps,
            _kept=self._kept,
            _lock=self._lock,
        )
        return Evidence((der_of(responder),)) | by_list.evidence(responder, issuer, at, at)

    def _proved(self, url: str, body: bytes, at: datetime, prove: Callable[[bytes], Evidence]) -> Evidence:
        """Prove by what is kept; if that has gone stale meanwhile, by what is said now."""
        kept = self._fresh(url, body, at)
        if isinstance(kept, bytes):
            try:
                return prove(kept)
            except EvidenceFailed as stale:
                if stale.code == "certificate_revoked":
                    raise
        return prove(self._fetched(url, body, at, kept))

    def _fresh(self, url: str, body: bytes, at: datetime) -> bytes | Unfetched | None:
        """What is kept: an answer for an hour, that nobody answered for a minute."""
        with self._lock:
            begun, answer = self._kept.get((url, body), (at, None))
        keep = _DOWN if isinstance(answer, Unfetched) else _FRESH
        return answer if timedelta(0) <= at - begun < keep else None

    def _fetched(self, url: str, body: bytes, at: datetime, kept: bytes | Unfetched | None) -> bytes:
        answer = kept if isinstance(kept, Unfetched) else self._ask(url, body)
        with self._lock:
            if answer is not kept:
                self._kept[url, body] = at, answer
        if isinstance(answer, Unfetched):
            code = "revocation_wrong" if answer.why == "too_large" else "revocation_unreachable"
            raise EvidenceFailed(code, answer.why)
        return answer

    def _ask(self, url: str, body: bytes) -> bytes | Unfetched:
        try:
            if body:
                return fetch(url, self.ocsp_caps, body=body, kind="application/ocsp-request")
            return fetch(url, self.crl_caps)
        except Unfetched as failed:
            return failed


_WEIGHT: Final = ("revocation_no_source", "revocation_wrong", "revocation_unreachable")


def _worse(one: EvidenceFailed, other: EvidenceFailed) -> EvidenceFailed:
    """What to tell: that somebody did not answer, since it may pass, before that an answer was no good."""
    return max(one, other, key=lambda failed: _WEIGHT.index(failed.code) if failed.code in _WEIGHT else len(_WEIGHT))


def _ocsp_request(certificate: x509.Certificate, issuer: x509.Certificate) -> bytes:
    """SHA-1 only names the certificate here; responders index by it (RFC 6960, 4.3), and nothing rests on it."""
    asked = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, hashes.SHA1())  # noqa: S303  # see above
    return asked.build().public_bytes(Encoding.DER)
