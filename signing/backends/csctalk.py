"""The conversation with a CSC service: credentials/info, credentials/authorize, signatures/signHash.

Imported when a service is used: pyHanko's client brings an HTTP library that no other back-end needs.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from pyhanko.sign.general import SigningError as Refused
from pyhanko.sign.signers.csc_signer import (
    CSCAuthorizationInfo,
    CSCAuthorizationManager,
    CSCCredentialInfo,
    CSCServiceSessionInfo,
    CSCSigner,
    fetch_certs_in_csc_credential,
)

from signing.backends import Digest
from signing.errors import KeyUnusable, SigningFailed

if TYPE_CHECKING:
    from signing.backends.csc import CscSecret, CscService

_WRONG: Final = {"invalid_pin": "passphrase_wrong", "invalid_otp": "totp_wrong"}
_OK, _CLIENT_ERRORS = 200, range(400, 500)


async def credential_info(http: aiohttp.ClientSession, service: CscService) -> CSCCredentialInfo:
    """The credential's certificate and limits; it must be enabled and its certificate valid."""
    try:
        info = await fetch_certs_in_csc_credential(http, _session(service))
    except Refused as refused:
        raise _translated(refused, "service_unclear") from None
    key, certificate = (info.response_data.get(name, {}) for name in ("key", "cert"))
    if key.get("status", "enabled") != "enabled" or certificate.get("status", "valid") != "valid":
        raise KeyUnusable("account_inactive")
    return info


async def signatures(
    http: aiohttp.ClientSession,
    service: CscService,
    info: CSCCredentialInfo,
    secret: CscSecret,
    attributes: list[bytes],
    digest: Digest,
) -> list[bytes]:
    """Sign all at once. The batch is committed when every hash is in it, so nothing waits for it to fill."""
    manager = _Authorisation(_session(service), info, secret, http)
    signer = CSCSigner(
        http, manager, batch_autocommit=False, batch_size=len(attributes), sign_timeout=int(service.seconds)
    )
    waiting = [asyncio.ensure_future(signer.async_sign_raw(one, digest)) for one in attributes]
    await asyncio.sleep(0)  # each puts its hash into the batch and waits
    try:
        await signer.commit()
        return list(await asyncio.gather(*waiting))
    except Refused as refused:
        raise _translated(refused, "backend_failed") from None
    finally:
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


class _Authorisation(CSCAuthorizationManager):
    """Asks for the hashes of the batch and nothing else; a PIN or code that was refused is never sent again."""

    def __init__(
        self, session: CSCServiceSessionInfo, info: CSCCredentialInfo, secret: CscSecret, http: aiohttp.ClientSession
    ) -> None:
        super().__init__(session, info)
        self._secret, self._http = secret, http

    async def authorize_signature(self, hash_b64s: list[str]) -> CSCAuthorizationInfo:
        body = self.format_csc_auth_request(hash_b64s=hash_b64s, pin=self._secret.pin, otp=self._secret.otp)
        url = self.csc_session_info.endpoint_url("credentials/authorize")
        async with self._http.post(url, headers=self.auth_headers, json=body) as response:
            answer = await _json(response)
            if response.status != _OK:
                raise self._refusal(response.status, str(answer.get("error", "")))
            return self.parse_csc_auth_response(answer)

    def _refusal(self, status: int, word: str) -> Exception:
        if word in _WRONG:
            self._secret.refused, self._secret.pin, self._secret.otp = _WRONG[word], None, None
            return KeyUnusable(_WRONG[word])
        known = word if re.fullmatch(r"[a-z_]{1,40}", word) else ""
        return SigningFailed("service_refused", f"HTTP {status} {known}".strip())


async def _json(response: aiohttp.ClientResponse) -> dict[str, Any]:
    try:
        answer = await response.json()
    except (aiohttp.ContentTypeError, ValueError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _session(service: CscService) -> CSCServiceSessionInfo:
    return CSCServiceSessionInfo(service.url.rstrip("/"), service.credential, oauth_token=service.token or None)


def _translated(refused: Refused, otherwise: str) -> SigningFailed:
    """What pyHanko refused, by what caused them."""
    cause = refused.__cause__
    if isinstance(cause, aiohttp.ClientResponseError):
        code = "hash_refused" if cause.status in _CLIENT_ERRORS and otherwise == "backend_failed" else "service_refused"
        return SigningFailed(code, f"HTTP {cause.status}")
    if isinstance(cause, aiohttp.ClientConnectorError):
        return SigningFailed("service_unreachable")
    return SigningFailed(otherwise)
