"""The page itself: one request, no script, sound HTML, its headers, its words in two languages."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote

import pytest

from service.settings import PROJECT
from service.verification import PermitState, Verdict
from service.verification.command import EXIT
from service.web.verify_openapi import ANSWER, OPENAPI_PATHS
from service.web.verify_page import TONE, number_parts
from tests.support.office import NOW
from tests.verification.test_codes import UNKNOWN, on

VOID = {"meta", "link", "img", "input", "br", "wbr", "path"}
PAGES = ["malang", "kudus", "rokan-hilir", "rokan-hulu", "suspended", "resumed", "revoked", "old", None, ""]
OFFLINE = {"rokan-hulu"}
"""Offices whose QR proves its own data: their page brings the script that reads it (nobody needs it to be answered)."""


class Outline(HTMLParser):
    """Collects elements and refuses what is not nested."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open, self.found = [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def all(self, tag):
        return [attrs for name, attrs in self.found if name == tag]


def path_of(world, name, lang=""):
    code = {None: UNKNOWN, "": ""}.get(name) if not name else world[name].code
    return f"/V/{code}{lang}" if code else f"/V{lang}"


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("lang", ["", "?lang=en"])
def test_html_is_sound_and_self_contained(world, browse, name, lang):
    answer = browse().get(path_of(world, name, lang))
    text = answer.get_data(as_text=True)
    page = Outline(text)
    assert text.startswith("<!doctype html>")
    assert page.all("html") == [{"lang": "en" if lang else "id"}]
    assert answer.headers["Content-Language"] == ("en" if lang else "id")
    assert len(page.all("h1")) == len(page.all("title")) == len(page.all("main")) == 1
    ids = [attrs["id"] for _, attrs in page.found if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert all(attrs["for"] in ids for attrs in page.all("label"))
    assert all(attrs.get("alt") for attrs in page.all("img"))
    scripts = page.all("script")
    assert bool(scripts) == (name in OFFLINE)
    assert all(one["src"].startswith("/qr/") and "defer" in one for one in scripts)  # it only adds: the answer is there
    assert not [a for _, attrs in page.found for a in attrs if a.startswith("on") or a == "style"]
    loaded = [attrs.get("src") or "" for tag, attrs in page.found if tag in {"img", "iframe", "link", "source"}]
    assert all(source.startswith("data:") or not source for source in loaded)
    links = [attrs["href"] for attrs in page.all("a")]
    assert all(link.startswith(("/V", "/v", "/periksa", "/lapor", "/api/v1/verify/", "?lang=")) for link in links), (
        links
    )
    assert {"name": "robots", "content": "noindex, nofollow"} in page.all("meta")
    assert len(answer.data) < 30_000
    assert "{{" not in text
    assert not re.search(r"\$[a-z]", text)
    assert "None" not in text


@pytest.mark.parametrize("name", PAGES)
def test_headers(world, browse, name):
    headers = browse().get(path_of(world, name)).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert ("script-src 'self'" in policy) == (name in OFFLINE)
    assert policy.count("script-src") == (name in OFFLINE)
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "style-src 'sha256-" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert "noindex" in headers["X-Robots-Tag"]
    assert "Set-Cookie" not in headers


def test_the_style_is_the_one_that_the_policy_names(world, browse):
    import base64
    import hashlib

    answer = browse().get(path_of(world, "malang"))
    style = re.search(r"<style>(.*?)</style>", answer.get_data(as_text=True), re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in answer.headers["Content-Security-Policy"]


def test_issued_addresses_work_for_ever(world, browse):
    """The address in the QR, and what people and scanners make of it."""
    code = world["malang"].code
    assert world["malang"].verify_url.endswith(f"/V/{code}")
    for path in (f"/V/{code}", f"/v/{code}", f"/V/{code}/", f"/v/{code.lower()}", f"/V/{code[:4]}-{code[4:]}"):
        answer = browse().get(path)
        assert answer.status_code == 200, path
        assert "Izin ini berlaku" in answer.get_data(as_text=True)


def test_form_leads_to_the_address_of_the_code(world, browse):
    code = world["malang"].code
    typed = f"{code[:4]}-{code[4:8]} {code[8:]}".lower()
    answer = browse().get("/V", query_string={"kode": typed})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/V/{code}")
    assert browse().get("/V", query_string={"kode": code, "lang": "en"}).headers["Location"] == f"/V/{code}?lang=en"
    behind = browse().get("/V", query_string={"kode": code}, base_url="https://kab.example/izin")
    assert behind.headers["Location"] == f"/izin/V/{code}"
    assert browse().get("/", follow_redirects=True).status_code == 200  # the paper names the bare host


SLIPS = ["abc", "<script>alert(1)</script>", "7K3M-9QXT-2WPA-5D9", "x" * 5000, "--", "kode: 1/2", "é" * 16, "a\0b"]


@pytest.mark.parametrize("typed", SLIPS)
def test_a_typing_slip_gets_help_and_no_echo(world, browse, typed):
    answer = browse().get("/V", query_string={"kode": typed}, follow_redirects=True)
    text = answer.get_data(as_text=True)
    assert answer.status_code == 404
    assert "Kode tidak terdaftar" in text
    assert "Mungkin salah ketik" in text
    assert typed == "--" or typed not in text


def of(answer) -> tuple[int, list[tuple[str, str]], bytes]:
    """What comes back, but the request's own id: status, headers in their order, body."""
    return answer.status_code, [one for one in answer.headers if one[0] != "Request-Id"], answer.data


@pytest.mark.parametrize("lang", ["", "en"])
def test_what_is_no_code_is_answered_as_what_is_not_registered(world, browse, lang):
    """No oracle in the form: a slip is sent on as a good code is, and what comes then is the same to the last byte."""
    tail = f"?lang={lang}" if lang else ""
    for path in ("/V/", "/v/", "/api/v1/verify/"):
        expected = of(browse().get(f"{path}{UNKNOWN}{tail}"))
        assert expected[0] == 404
        for typed in (*SLIPS, "a/b", "../..", "%2e%2e", "x" * 190):
            assert of(browse().get(f"{path}{quote(typed)}{tail}")) == expected, (path, typed)
    for typed in (UNKNOWN, *SLIPS):
        sent = browse().get("/V", query_string={"kode": typed, "lang": lang})
        assert (sent.status_code, sent.headers["Location"][:3]) == (303, "/V/"), typed
        assert sent.headers["Location"].endswith(tail)
        assert of(browse().get(sent.headers["Location"])) == of(browse().get(f"/V/{UNKNOWN}{tail}"))


def test_the_page_says_whose_address_this_is(world, browse):
    """A copy at another address says so itself, unless somebody took that out; the paper's address is in it anyway."""
    path = path_of(world, "kudus")
    own = browse().get(path, base_url="https://izin.kudus.example").text
    assert "Anda berada di <b>izin.kudus.example</b>. Cocokkan" in own
    for host in ("izin-kudus.example", "izin.malang.example", "izin.kudus.example.contoh", "192.0.2.7:8000"):
        astray = browse().get(path, base_url=f"https://{host}").text
        assert 'class="astray"' in astray
        assert "bukan alamat resmi DPMPTSP Kabupaten Kudus" in astray
        assert "<b>izin.kudus.example</b>" not in astray
        assert "izin.kudus.example. Jangan percaya" in astray
    office = world.teken.offices.offices["kudus"]
    moved = dataclasses.replace(office, public_url="https://perizinan.example", public_url_aliases=(office.public_url,))
    offices = dataclasses.replace(world.teken.offices, offices={**world.teken.offices.offices, "kudus": moved})
    later = browse(offices=offices).get(path, base_url="https://perizinan.example").text
    assert "Di lembar izin tertulis izin.kudus.example; keduanya alamat resmi kami." in later
    assert "Cocokkan dengan alamat" in browse(offices=offices).get(path, base_url="https://izin.kudus.example").text


def test_the_first_screen_says_it_all(world, browse):
    text = browse().get(path_of(world, "kudus"), base_url="https://izin.kudus.example").get_data(as_text=True)
    for said in (
        "DPMPTSP Kabupaten Kudus",
        "Anda berada di <b>izin.kudus.example</b>",
        "<b>CONTOH</b>",
        "bukan dokumen resmi",
        "Izin ini berlaku",
        "Diperiksa 20 November 2026 pukul 09.00 WIB",
        "Dewi C*** L***",
        "Plt. Kepala Dinas",
        "20 November 2026 sampai 20 November 2031",
        world["kudus"].released_sha,
        "Cocokkan dengan lembar izin",
    ):
        assert said in text, said


def test_the_new_permit_is_one_press_away(world, browse):
    text = browse().get(path_of(world, "old")).get_data(as_text=True)
    assert f'<a href="/V/{world["new"].code}">' in text
    assert f'<a href="/V/{world["new"].code}?lang=en">' in browse().get(path_of(world, "old", "?lang=en")).text


@pytest.mark.parametrize(
    ("at", "word"),
    [
        (on(2031, 11, 9), "Berlaku, habis 11 hari lagi"),
        (on(2031, 11, 20), "Berlaku, habis hari ini"),
        (on(2031, 11, 21), "Masa berlaku sudah habis"),
        (on(2026, 11, 19), "Izin belum mulai berlaku"),
    ],
)
def test_days_are_counted_on_the_offices_calendar(world, browse, at, word):
    assert word in browse(at).get(path_of(world, "malang")).text


def test_hostile_names_stay_text(world, browse, monkeypatch):
    """Data from a case can't become markup, whatever got into the register."""
    monkeypatch.setattr("service.verification.permit.holder.shown", lambda *_: "<script>alert(1)</script>$word{{7*7}}")
    text = browse().get(path_of(world, "malang")).text
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;$word{{7*7}}" in text


def test_a_number_breaks_only_after_a_slash():
    assert number_parts("500.16/0001/SIK-PM/2026") == ("500.16/", "0001/", "SIK-PM/", "2026")
    assert number_parts("0001") == ("0001",)


def _tomls():
    yield PROJECT / "service/web/templates/verify.toml"
    yield PROJECT / "service/verification/words.toml"


@pytest.mark.parametrize("path", list(_tomls()), ids=lambda path: path.name)
def test_both_languages_say_the_same_things(path: Path):
    words = tomllib.loads(path.read_text("utf-8"))

    def shape(value):
        if isinstance(value, dict):
            return {key: shape(one) for key, one in value.items()}
        return sorted(re.findall(r"\$\w+", value)) if isinstance(value, str) else len(value)

    assert shape(words["id"]) == shape(words["en"])


def test_every_state_and_verdict_has_words_and_colour():
    page, file = (tomllib.loads(path.read_text("utf-8"))["id"] for path in _tomls())
    assert set(page["state"]) == set(PermitState) == set(TONE)
    assert set(file["verdict"]) == set(Verdict) == set(EXIT)
    assert set(file["permit_state"]) == set(PermitState)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_every_tone_is_readable_on_its_tint():
    """WCAG 2.2 AA: 4.5 to 1, for headlines, text and quiet text."""
    style = (PROJECT / "service/web/templates/verify.css").read_text()
    pairs = re.findall(r"--tone:(#\w{6});--tint:(#\w{6})", style)
    assert len(pairs) == 4
    for tone, tint in [
        *pairs,
        *(("#454c54", tint) for _, tint in pairs),
        ("#7a4b00", "#fffaf0"),
        ("#0b4f8a", "#fff4dc"),
    ]:
        light, dark = sorted((_luminance(tone), _luminance(tint)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (tone, tint)


def _matches(schema, value) -> None:
    """As much of JSON Schema as the answer uses; members that it does not name are faults here."""
    if "oneOf" in schema:
        schema = schema["oneOf"][0] if value is not None else schema["oneOf"][1]
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    kind = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", type(None): "null"}[
        type(value)
    ]
    assert kind in kinds, (kinds, value)
    if kind == "object":
        assert set(value) == set(schema["required"])
        for key, one in value.items():
            _matches(schema["properties"][key], one)
    elif kind == "array":
        for one in value:
            _matches(schema["items"], one)
    if "enum" in schema:
        assert value in schema["enum"]


@pytest.mark.parametrize("name", ["malang", "kudus", "old", "revoked", None])
def test_json_keeps_the_contract(world, browse, name):
    code = world[name].code if name else UNKNOWN
    answer = browse(NOW).get(f"/api/v1/verify/{code}")
    _matches(ANSWER, answer.json)
    assert str(answer.status_code) in OPENAPI_PATHS["/api/v1/verify/{code}"]["get"]["responses"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_other_methods_are_refused(world, browse):
    for path in (path_of(world, "malang"), "/V", f"/api/v1/verify/{UNKNOWN}"):
        assert browse().post(path).status_code == 405
