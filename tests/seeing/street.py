"""A browser over the network, for the people of tests/desk: the real server answers, and every refusal is kept."""

from __future__ import annotations

import http.cookiejar
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from service.clock import SystemClock


@dataclass
class Answer:
    status_code: int
    headers: Any
    body: bytes

    def get_data(self, *, as_text: bool = False) -> Any:
        return self.body.decode("utf-8", "replace") if as_text else self.body


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_more: Any) -> None:
        return None


@dataclass
class Street:
    """Everything that is asked of one server; `refusals` are the bodies of all answers with an error."""

    url: str
    refusals: list[bytes] = field(default_factory=list)

    def browser(self) -> Browser:
        return Browser(self)


@dataclass
class Browser:
    """What a test client of Flask offers, as far as it is used here."""

    street: Street
    cookies: http.cookiejar.CookieJar = field(default_factory=http.cookiejar.CookieJar)

    def get(self, path: str) -> Answer:
        return self.ask(path)

    def post(self, path: str, data: Any = None, headers: dict[str, str] | None = None) -> Answer:
        raw = data if isinstance(data, bytes) else urllib.parse.urlencode(data or {}, doseq=True).encode()
        return self.ask(path, raw, headers)

    def ask(self, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
        opener = urllib.request.build_opener(_Stay, urllib.request.HTTPCookieProcessor(self.cookies))
        request = urllib.request.Request(urllib.parse.urljoin(self.street.url, path), body, headers or {})
        try:
            with opener.open(request, timeout=60) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as refused:
            with refused:
                found = Answer(refused.code, refused.headers, refused.read())
            if found.status_code >= 400:
                self.street.refusals.append(found.body)
            return found


@dataclass
class Hurried:
    """The real clock, as far ahead as people have waited for their next authenticator code."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        return SystemClock().now() + self.ahead

    def forward(self, **delta: float) -> None:
        self.ahead += timedelta(**delta)
