"""Asks a time-stamping authority (RFC 3161) over HTTP, and takes only a token that answers our own request."""

from __future__ import annotations

import secrets
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import ClassVar, Final, Protocol
from urllib.parse import urlsplit

from asn1crypto import algos, cms, core, tsp

from signing.backends import Digest
from signing.errors import TimestampFailed, translated

_LARGEST_ANSWER: Final = 64 * 1024
_TYPE_QUERY, _TYPE_REPLY = "application/timestamp-query", "application/timestamp-reply"


class Timestamper(Protocol):
    """Gives the DER of a time-stamp token over a digest; the token's imprint and nonce are checked already."""

    def token(self, digest: bytes, algorithm: Digest) -> bytes:
        """Raises TimestampFailed: tsa_unreachable, tsa_refused, tsa_token_wrong."""


class _Response(core.Sequence):
    """TimeStampResp with its token optional, as RFC 3161 has it: a refusal carries none."""

    _fields: ClassVar = [("status", tsp.PKIStatusInfo), ("time_stamp_token", cms.ContentInfo, {"optional": True})]


@dataclass(frozen=True, slots=True)
class HttpTimestamper:
    """An RFC 3161 client. `timeout` is in seconds, for each wait on the network."""

    url: str
    timeout: float = 10.0

    def __post_init__(self) -> None:
        if urlsplit(self.url).scheme not in {"http", "https"}:
            raise TimestampFailed("tsa_refused", "the address is not http(s)")

    def token(self, digest: bytes, algorithm: Digest) -> bytes:
        request = _request(digest, algorithm)
        with translated(TimestampFailed, "tsa_token_wrong"):
            return _checked(_Response.load(self._post(request.dump()), strict=True), request)

    def _post(self, body: bytes) -> bytes:
        post = urllib.request.Request(  # noqa: S310  # the scheme is checked in __post_init__
            self.url, data=body, headers={"Content-Type": _TYPE_QUERY, "Accept": _TYPE_REPLY}
        )
        try:
            with urllib.request.urlopen(post, timeout=self.timeout) as answer:  # noqa: S310  # as above
                content: bytes = answer.read(_LARGEST_ANSWER + 1)
        except urllib.error.HTTPError as refused:
            refused.close()
            raise TimestampFailed("tsa_refused", f"HTTP {refused.code}") from refused
        except OSError as unreachable:  # URLError and time-outs are OSErrors
            raise TimestampFailed("tsa_unreachable", type(unreachable).__name__) from unreachable
        if len(content) > _LARGEST_ANSWER:
            raise TimestampFailed("tsa_token_wrong", "answer too large")
        return content


def _request(digest: bytes, algorithm: Digest) -> tsp.TimeStampReq:
    return tsp.TimeStampReq(
        {
            "version": "v1",
            "message_imprint": {
                "hash_algorithm": algos.DigestAlgorithm({"algorithm": algorithm}),
                "hashed_message": digest,
            },
            "nonce": secrets.randbits(63) | 1 << 62,
            "cert_req": True,
        }
    )


def _checked(response: _Response, request: tsp.TimeStampReq) -> bytes:
    status = response["status"]["status"].native
    if status not in {"granted", "granted_with_mods"}:
        raise TimestampFailed("tsa_refused", status)
    token = response["time_stamp_token"]
    if not isinstance(token, cms.ContentInfo):
        raise TimestampFailed("tsa_token_wrong", "no token")
    content = token["content"]["encap_content_info"]
    if content["content_type"].native != "tst_info":
        raise TimestampFailed("tsa_token_wrong", "not a TSTInfo")
    info = content["content"].parsed
    asked, got = request["message_imprint"], info["message_imprint"]
    if got["hashed_message"].native != asked["hashed_message"].native:
        raise TimestampFailed("tsa_token_wrong", "imprint")
    if got["hash_algorithm"]["algorithm"].native != asked["hash_algorithm"]["algorithm"].native:
        raise TimestampFailed("tsa_token_wrong", "imprint algorithm")
    if info["nonce"].native != request["nonce"].native:
        raise TimestampFailed("tsa_token_wrong", "nonce")
    if len(token["content"]["signer_infos"]) != 1:
        raise TimestampFailed("tsa_token_wrong", "signers")
    der: bytes = token.dump()
    return der
