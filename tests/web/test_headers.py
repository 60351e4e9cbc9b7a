"""Every route that the public can reach, good answer or refusal: one table of headers, and not a cookie."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from service.web.desk.routing import WHO

FOR_EVERYTHING = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}
MAY_BE_KEPT = {
    "wellknown.robots", "wellknown.security", "about.get_openapi", "about.read_openapi", "about.read_problem", "api.get_schema",
    "qr.read_keys", "qr.read_revocations", "qr.read_script", "qr.read_worker", "qr.read_shell", "qr.read_known",
}  # fmt: skip
"""The same for everybody, and of nobody. Whatever else there is, and whatever comes, is `no-store`."""
FOR_OTHER_SITES = {"qr.read_keys", "qr.read_revocations"}
"""Public keys and signed lists, for other people's readers of our QR codes."""
FILLED = {"code": "7K3M9QXT2WPA5D8H", "permit": "izn_1", "office": "kudus", "type_": "x", "token": "x"} | {
    "webhook": "whk_1",
    "act": "pause",
}


def rules(app):
    for rule in app.url_map.iter_rules():
        if rule.endpoint not in WHO:
            path = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: FILLED[found[1]], rule.rule)
            for method in sorted(rule.methods):
                yield rule.endpoint, path, method


@pytest.fixture(scope="module")
def answers(shared_house):
    browser = shared_house.app.test_client(use_cookies=False)
    asked = [
        *rules(shared_house.app),
        ("", "/there-is-no-such", "GET"),
        ("verify.read_code", "/V/x", "PUT"),
        ("", "/V/x", "TRACE"),
    ]
    return [(*one, browser.open(one[1], method=one[2], base_url="https://izin.kudus.example")) for one in asked]


def test_the_table_has_every_face(answers):
    assert {endpoint.partition(".")[0] for endpoint, *_ in answers} >= {
        "api",
        "about",
        "verify",
        "qr",
        "check",
        "report",
        "holder",
        "wellknown",
    }
    assert len(answers) > 90


def test_every_answer_has_the_strict_headers(answers):
    for endpoint, path, method, answer in answers:
        at = (endpoint, method, path, answer.status_code)
        assert answer.status_code < 500 or path == "/readyz", at
        for name, value in FOR_EVERYTHING.items():
            open_to_all = name == "Cross-Origin-Resource-Policy" and endpoint in FOR_OTHER_SITES and method != "OPTIONS"
            assert answer.headers[name] == ("cross-origin" if open_to_all else value), (at, name)
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000", at
        assert answer.headers["Request-Id"], at


def test_every_policy_begins_with_nothing_and_loosens_nothing(answers):
    for endpoint, path, _, answer in answers:
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'"), (endpoint, path)
        for wrong in ("unsafe", "*", "http:", "https:"):
            assert wrong not in policy, (endpoint, path, policy)
        if answer.mimetype == "text/html":
            assert "frame-ancestors 'none'" in policy, (endpoint, path)
            assert "base-uri 'none'" in policy, (endpoint, path)


def test_nothing_is_kept_but_what_is_the_same_for_everybody(answers):
    for endpoint, path, method, answer in answers:
        kept = answer.headers["Cache-Control"]
        assert "no-store" in kept or (endpoint in MAY_BE_KEPT and answer.status_code == 200), (
            endpoint,
            method,
            path,
            kept,
        )
        assert "immutable" not in kept, (
            endpoint,
            path,
        )  # only the desk's files have addresses that change with their content


def test_no_cookie_for_whoever_verifies(answers):
    for endpoint, path, method, answer in answers:
        assert "Set-Cookie" not in answer.headers or endpoint == "holder.leave", (endpoint, method, path)


def test_no_strict_transport_where_there_is_none(shared_house):
    assert "Strict-Transport-Security" not in shared_house.app.test_client().get("/V").headers


def test_robots_may_read_that_they_may_not_keep(shared_house):
    lines = shared_house.app.test_client().get("/robots.txt").text.splitlines()
    assert lines == ["User-agent: *", "Allow: /V", "Allow: /v", "Disallow: /"]


def test_whoever_finds_a_weakness_knows_whom_to_tell(shared_house):
    browser = shared_house.app.test_client()
    text = browser.get("/.well-known/security.txt", base_url="https://izin.kudus.example").text
    fields = dict(line.split(": ", 1) for line in reversed(text.splitlines()))
    assert set(fields) == {"Contact", "Expires", "Preferred-Languages", "Canonical"}
    assert fields["Contact"].startswith(("mailto:", "https://izin.kudus.example/lapor"))
    assert datetime.fromisoformat(fields["Expires"]) > datetime.now(UTC)
