"""Asks a time-stamping authority (RFC 3161) over HTTP, and takes only a token that answers our own request."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar, Final, Protocol

from asn1crypto import algos, cms, core, tsp

from signing.backends import Digest
from signing.der import Odd, Tag, element, inside, tlv
from signing.errors import TimestampFailed, translated
from signing.fetching import Caps, Unfetched, fetch, is_http
from signing.stampparts import read_stamp
from signing.tokenproof import prove_token

TOKEN_ROOM: Final = 12_288
"""Bytes that a token may have in a document."""
_LARGEST_ANSWER: Final = 64 * 1024
_V1, _TRUE = b"\x02\x01\x01", b"\x01\x01\xff"
_GRANTED: Final = bytes.fromhex("3003020100")
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
    """An RFC 3161 client. `timeout` is in seconds, for each wait on the network and for the whole answer.

    A token's signature and its certificate's usage are always checked; with `anchors_der` also that its chain, from what
    the token and `others_der` hold, ends at one of them.
    """

    url: str
    timeout: float = 10.0
    anchors_der: tuple[bytes, ...] = field(default=(), repr=False)
    others_der: tuple[bytes, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if not is_http(self.url):
            raise TimestampFailed("tsa_refused", "the address is not http(s)")

    def token(self, digest: bytes, algorithm: Digest) -> bytes:
        nonce = secrets.randbits(63) | 1 << 62
        answer = self._post(_request(digest, algorithm, nonce))
        with translated(TimestampFailed, "tsa_token_wrong"):
            der = _granted(answer)
            parts = read_stamp(der) if der else None
            if not (der and parts and (parts.imprint, parts.nonce) == (digest, nonce)):
                der = _checked(_Response.load(answer, strict=True), digest, algorithm, nonce)
            if prove_token(der, self.anchors_der, self.others_der).digest != algorithm:
                raise TimestampFailed("tsa_token_wrong", "imprint algorithm")
            return der

    def _post(self, body: bytes) -> bytes:
        caps = Caps(self.timeout, _LARGEST_ANSWER)
        try:
            return fetch(self.url, caps, body=body, kind=_TYPE_QUERY, accept=_TYPE_REPLY)
        except Unfetched as failed:
            code = {"unreachable": "tsa_unreachable", "refused": "tsa_refused", "too_large": "tsa_token_wrong"}
            raise TimestampFailed(code[failed.why], failed.detail) from failed


@dataclass(slots=True)
class FirstThatAnswers:
    """Several authorities as one: when one fails or lies, the next.

    Who answered last is asked first: an authority that is down costs a batch one time-out, and not one for each document.
    """

    timestampers: Sequence[Timestamper]
    _first: int = 0

    def token(self, digest: bytes, algorithm: Digest) -> bytes:
        failed: TimestampFailed | None = None
        count = len(self.timestampers)
        for at in [(self._first + step) % count for step in range(count)]:
            try:
                token = self.timestampers[at].token(digest, algorithm)
            except TimestampFailed as refused:
                failed = failed or refused
            else:
                self._first = at
                return token
        raise failed or TimestampFailed("tsa_unreachable", "no authority is configured")


def _request(digest: bytes, algorithm: Digest, nonce: int) -> bytes:
    """The DER of a TimeStampReq, version 1, that wants the certificates."""
    imprint = tlv(Tag.SEQUENCE, _algorithm(algorithm), tlv(Tag.OCTETS, digest))
    return tlv(Tag.SEQUENCE, _V1, imprint, tlv(Tag.INTEGER, nonce.to_bytes(8, "big")), _TRUE)


@lru_cache
def _algorithm(name: Digest) -> bytes:
    der: bytes = algos.DigestAlgorithm({"algorithm": name}).dump()
    return der


def _granted(answer: bytes) -> bytes | None:
    """The token of an answer that says nothing but that it is granted."""
    try:
        whole = element(answer, 0, len(answer))
        status, token = inside(answer, whole, Tag.SEQUENCE, Tag.SEQUENCE)
    except Odd:
        return None
    is_plain = whole.stop == len(answer) and answer[status.start : status.stop] == _GRANTED
    return answer[token.start : token.stop] if is_plain else None


def _checked(response: _Response, digest: bytes, algorithm: Digest, nonce: int) -> bytes:
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
    imprint = info["message_imprint"]
    if imprint["hashed_message"].native != digest:
        raise TimestampFailed("tsa_token_wrong", "imprint")
    if imprint["hash_algorithm"]["algorithm"].native != algorithm:
        raise TimestampFailed("tsa_token_wrong", "imprint algorithm")
    if info["nonce"].native != nonce:
        raise TimestampFailed("tsa_token_wrong", "nonce")
    if len(token["content"]["signer_infos"]) != 1:
        raise TimestampFailed("tsa_token_wrong", "signers")
    der: bytes = token.dump()
    return der
