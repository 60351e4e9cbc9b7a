"""A key at a remote signing service that speaks the Cloud Signature Consortium's API, v1.0.4, by pyHanko's client.

Only hashes leave this machine. One authorisation covers all hashes of a call, and with SCAL 2 it is bound to exactly those.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar

from signing.backends import Capabilities, Digest
from signing.backends.publickey import fit_to_sign, proven
from signing.backends.wire import checked_address
from signing.errors import KeyUnusable, SigningError, SigningFailed

if TYPE_CHECKING:
    import aiohttp
    from asn1crypto import x509
    from pyhanko.sign.signers.csc_signer import CSCCredentialInfo

_Result = TypeVar("_Result")

CAPABILITIES: Final = Capabilities(
    prepared_field=True, certify=True, vector_appearance=True, seal_last=True, batch=True, look_up=False
)


@dataclass(frozen=True, slots=True)
class CscService:
    """A service's address, the credential there, and the bearer token of this application. `seconds` bounds every call."""

    url: str
    credential: str
    token: str = field(default="", repr=False)
    seconds: float = 60.0

    def __post_init__(self) -> None:
        checked_address(self.url)


@dataclass(slots=True)
class CscSecret:
    """What authorises: a PIN, a one-time code, or both as the service wants. Spent after a refusal."""

    pin: str | None = field(default=None, repr=False)
    otp: str | None = field(default=None, repr=False)
    refused: str = ""


def open_csc(service: CscService, secret: CscSecret, *, chain_der: tuple[bytes, ...] = ()) -> CscBackend:
    """Ask for the credential's certificate and limits; nothing is authorised yet.

    Raises KeyUnusable: service_insecure, certificate_unfit, key_unsupported, account_inactive; SigningFailed
    service_unreachable, service_unclear.
    """
    from signing.backends.csctalk import credential_info

    info = _run(service, lambda http: credential_info(http, service))
    certificate: bytes = info.signing_cert.dump()
    chain = chain_der or _chain(info.signing_cert, info.chain)
    return CscBackend(certificate, chain, fit_to_sign(certificate), info.max_batch_size, service, secret, info)


@dataclass(frozen=True, slots=True)
class CscBackend:
    """See `signing.backends.BatchBackend`. `most` is how many hashes one authorisation may cover."""

    certificate_der: bytes = field(repr=False)
    chain_der: tuple[bytes, ...] = field(repr=False)
    digest: Digest
    most: int
    _service: CscService = field(repr=False)
    _secret: CscSecret = field(repr=False)
    _info: CSCCredentialInfo = field(repr=False)
    certificate_sha256: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "certificate_sha256", hashlib.sha256(self.certificate_der).hexdigest())

    @property
    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    def sign_attributes(self, attributes: bytes) -> bytes:
        """Sign one, with an authorisation of its own."""
        (signature,) = self.sign_many([attributes])
        return signature

    def sign_many(self, attributes: Sequence[bytes]) -> tuple[bytes, ...]:
        """Sign all with one authorisation and one request, and verify each.

        Raises KeyUnusable: passphrase_wrong, totp_wrong (and from then on, without asking); SigningFailed: spec_invalid
        (more than `most`), hash_refused, signature_wrong, service_unreachable, backend_failed.
        """
        from signing.backends.csctalk import signatures

        if self._secret.refused:
            raise KeyUnusable(self._secret.refused, "its secret is spent")
        if len(attributes) > self.most:
            raise SigningFailed("spec_invalid", f"{len(attributes)} at once, the credential allows {self.most}")
        found = _run(
            self._service,
            lambda http: signatures(http, self._service, self._info, self._secret, list(attributes), self.digest),
        )
        pairs = zip(found, attributes, strict=True)
        return tuple(proven(signature, signed, self.certificate_der, self.digest) for signature, signed in pairs)

    def forget(self) -> None:
        """Drop PIN and code: the next signature needs a newly opened back-end."""
        self._secret.pin = self._secret.otp = None
        self._secret.refused = "pin_needed"

    def __reduce__(self) -> str:
        raise TypeError("a key is never pickled")


def _chain(signer: x509.Certificate, others: Sequence[x509.Certificate]) -> tuple[bytes, ...]:
    """The issuing certificates nearest first, without the root; the service may list them in any order."""
    by_name = {one.subject.hashable: one for one in others if one.self_issued is False}
    found: list[bytes] = []
    while len(found) < len(others) and (issuer := by_name.get(signer.issuer.hashable)):
        found.append(issuer.dump())
        signer = issuer
    return tuple(found)


def _run(service: CscService, work: Callable[[aiohttp.ClientSession], Awaitable[_Result]]) -> _Result:
    """Run one conversation in a loop of its own, never longer than the service's `seconds`."""
    import aiohttp

    async def conversation() -> _Result:
        limits = aiohttp.ClientTimeout(total=service.seconds)
        async with aiohttp.ClientSession(timeout=limits) as http:
            return await asyncio.wait_for(work(http), service.seconds)

    try:
        return asyncio.run(conversation())
    except SigningError:
        raise
    except (aiohttp.ClientConnectorError, ConnectionRefusedError) as unreachable:
        raise SigningFailed("service_unreachable", type(unreachable).__name__) from None
    except Exception as foreign:  # noqa: BLE001  # time-outs, aiohttp's and pyHanko's errors; told by type only
        raise SigningFailed("backend_failed", type(foreign).__name__) from None
