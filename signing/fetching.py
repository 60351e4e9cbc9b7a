"""Fetches small answers over HTTP(S), capped in size and in time. Never another scheme, also after a redirect."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit

_PIECE: Final = 16 * 1024


class Unfetched(Exception):
    """There is no answer: nobody answered in time, the answer was a refusal, or it was larger than allowed."""

    def __init__(self, why: Literal["unreachable", "refused", "too_large"], detail: str = "") -> None:
        self.why = why
        self.detail = detail
        super().__init__(f"{why}: {detail}" if detail else why)


@dataclass(frozen=True, slots=True)
class Caps:
    """The most that one answer may take: seconds for each wait and for the whole body, and bytes."""

    seconds: float
    size: int


def is_http(url: str) -> bool:
    """Tell whether this is an address that may be fetched at all."""
    parts = urlsplit(url)
    return parts.scheme.lower() in {"http", "https"} and bool(parts.hostname)


def fetch(url: str, caps: Caps, *, body: bytes | None = None, kind: str = "", accept: str = "*/*") -> bytes:
    """GET, or POST `body` of content type `kind`. Raises Unfetched, and nothing else for what the network does."""
    if not is_http(url):
        raise Unfetched("refused", "the address is not http(s)")
    headers = {"Accept": accept} | ({"Content-Type": kind} if kind else {})
    request = urllib.request.Request(url, data=body, headers=headers)  # noqa: S310  # the scheme is checked above
    try:
        with _opener().open(request, timeout=caps.seconds) as answer:
            return _read(answer, caps)
    except urllib.error.HTTPError as refused:
        refused.close()
        raise Unfetched("refused", f"HTTP {refused.code}") from refused
    except (OSError, ValueError) as unreachable:  # URLError and time-outs are OSErrors; odd addresses ValueErrors
        raise Unfetched("unreachable", type(unreachable).__name__) from unreachable


def _read(answer: object, caps: Caps) -> bytes:
    """The body in pieces: a server that drips a byte now and then ends with the time that the whole may take."""
    deadline, found = time.monotonic() + caps.seconds, b""
    while piece := answer.read1(_PIECE):  # type: ignore[attr-defined]  # urllib does not say what it opens
        found += piece
        if len(found) > caps.size:
            raise Unfetched("too_large", f"over {caps.size} bytes")
        if time.monotonic() > deadline:
            raise Unfetched("unreachable", "too slow")
    return found


def _opener() -> urllib.request.OpenerDirector:
    """Without the file, data and FTP handlers, so that no redirect leads there."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.UnknownHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPRedirectHandler,
        urllib.request.HTTPErrorProcessor,
    ):
        opener.add_handler(handler())
    return opener
