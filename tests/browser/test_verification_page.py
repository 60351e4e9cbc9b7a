"""The public page in a real browser: every state, on phones and PCs, in both languages, with and without JavaScript, and on paper."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pikepdf
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright
from werkzeug.serving import make_server

from service.app import create_app
from service.clock import SetClock
from tests.browser.conftest import CHROMIUM
from tests.support.office import NOW
from tests.verification.standing import open_world

HOST, ASTRAY = "izin.malang.example", "izin-malang.example"
WIDTHS = (320, 360, 1280)
UNKNOWN = "0123456789ABCDEF"
MOST_BYTES, MOST_REQUESTS = 30_000, 4


@dataclass(frozen=True)
class Shown:
    """One state of the page: whose code, on which day, and the headline in both languages."""

    id: str
    en: str
    code: str = "malang"
    at: datetime = NOW
    host: str = HOST


STATES = {
    "in_force": Shown("Izin ini berlaku", "This permit is in force"),
    "not_yet": Shown("Izin belum mulai berlaku", "Not yet in force", at=datetime(2026, 11, 19, tzinfo=UTC)),
    "expiring": Shown("Berlaku, habis 12 hari lagi", "In force, ends in 12 days", at=datetime(2031, 11, 8, tzinfo=UTC)),
    "tomorrow": Shown("Berlaku, habis besok", "In force, ends tomorrow", at=datetime(2031, 11, 19, tzinfo=UTC)),
    "expired": Shown("Masa berlaku sudah habis", "This permit has expired", at=datetime(2032, 1, 1, tzinfo=UTC)),
    "suspended": Shown("Izin ini dibekukan", "This permit is suspended", "suspended"),
    "revoked": Shown("Izin ini dicabut", "This permit is revoked", "revoked"),
    "replaced": Shown("Sudah digantikan izin baru", "Replaced by a new permit", "old"),
    "unknown": Shown("Kode tidak terdaftar", "The code is not registered", UNKNOWN),
    "undetermined": Shown("Belum dapat dipastikan", "Not certain yet", "away"),
    "form": Shown("Periksa sebuah izin", "Check a permit", ""),
    "astray": Shown("Izin ini berlaku", "This permit is in force", host=ASTRAY),
}


class _Away:
    def read(self) -> Any:
        raise OSError


@dataclass
class Street:
    """The server behind the office's own address, with a clock that the test sets, and a browser that finds it there."""

    world: Any
    clock: SetClock
    browser: Any = None
    heard: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    received: list[int] = field(default_factory=list)

    def path(self, shown: Shown, lang: str) -> str:
        self.clock.at = shown.at
        tail = "?lang=en" if lang == "en" else ""
        if not shown.code:
            return f"http://{shown.host}/V{tail}"
        known = self.world.permits.get(shown.code)
        return f"http://{shown.host}/V/{self.world[shown.code].code if known else shown.code}{tail}"

    def page(self, width: int, *, javascript: bool = True, **more: Any) -> Any:
        context = self.browser.new_context(
            viewport={"width": width, "height": 740 if width < 1000 else 800}, java_script_enabled=javascript, **more
        )
        page = context.new_page()
        page.on("console", lambda said: self._hear(said.text))
        page.on("pageerror", lambda error: self.heard.append(str(error)))
        page.on("request", lambda asked: self.requests.append(asked.url))
        page.on("requestfinished", lambda asked: self.received.append(asked.sizes()["responseBodySize"]))
        return page

    def _hear(self, text: str) -> None:
        if "status of 404" not in text and "status of 503" not in text:  # the state's own status
            self.heard.append(text)


@pytest.fixture(scope="module")
def street(tmp_path_factory, keys) -> Iterator[Street]:
    assert CHROMIUM, "Debian's chromium is not installed"
    world = open_world(tmp_path_factory.mktemp("street"), keys, ("malang", "kudus"))
    clock = SetClock(NOW)
    app = create_app(dataclasses.replace(world.teken, clock=clock))
    away = create_app(dataclasses.replace(world.teken, clock=clock, db=_Away()))

    def served(environ: Any, start: Any) -> Any:
        return (away if environ["PATH_INFO"].endswith("/away") else app)(environ, start)

    server = make_server("127.0.0.1", 0, served, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    found = Street(world, clock)
    own = [
        f"--host-resolver-rules=MAP *.example 127.0.0.1:{server.server_port}",
        f"--unsafely-treat-insecure-origin-as-secure=http://{HOST},http://{ASTRAY}",  # outside it has TLS
    ]
    with sync_playwright() as playwright:
        found.browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *own])
        yield found
        found.browser.close()
    server.shutdown()
    thread.join(20)
    server.server_close()
    world.teken.close()


@pytest.fixture
def walk(street) -> Iterator[Street]:
    """The street, with open ears: neither the console nor the page's own policy may have anything to say."""
    for one in (street.heard, street.requests, street.received):
        one.clear()
    yield street
    assert street.heard == []


def fits(page: Any) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.mark.parametrize("lang", ["id", "en"])
@pytest.mark.parametrize("javascript", [True, False], ids=["js", "no-js"])
def test_every_state_at_every_width(walk, lang, javascript):
    page = walk.page(WIDTHS[0], javascript=javascript)
    for name, shown in STATES.items():
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 740})
            page.goto(walk.path(shown, lang))
            assert page.locator("h1").all_inner_texts() == [getattr(shown, lang)], (name, width)
            assert page.locator("html").get_attribute("lang") == lang
            assert (page.locator(".astray").count() == 1) == (name == "astray")
            if page.locator("summary").count():
                page.click("summary")
                assert page.locator("details[open] code").first.is_visible()
            assert javascript is False or fits(page), (name, width)
            if javascript and width in {320, 1280}:
                faults = [(one["id"], one["nodes"][0]["html"][:120]) for one in Axe().run(page).response["violations"]]
                assert faults == [], (name, width)
    page.context.close()


def test_the_first_screen_of_a_phone_holds_what_a_counter_asks(walk):
    """State, number, holder, profession, practice place and the last day, without scrolling."""
    page = walk.page(360)
    page.goto(walk.path(STATES["in_force"], "id"))
    labels = page.locator("dl.facts dt").all_inner_texts()
    assert labels[:5] == ["Nomor", "Nama pemegang", "Profesi", "Tempat praktik", "Masa berlaku"]
    lowest = page.locator("dl.facts > div").nth(4).bounding_box()
    assert lowest["y"] + lowest["height"] <= 740
    page.context.close()


@pytest.mark.parametrize("name", ["in_force", "revoked", "unknown"])
def test_the_budget(walk, name):
    """One address, nothing from anywhere else, 30 KB."""
    page = walk.page(360)
    page.goto(walk.path(STATES[name], "id"), wait_until="networkidle")
    assert len([url for url in walk.requests if not url.startswith("data:")]) <= MOST_REQUESTS
    assert {url.split("/")[2] for url in walk.requests if not url.startswith("data:")} == {HOST}
    assert 1_000 < sum(walk.received) <= MOST_BYTES
    page.context.close()


@pytest.mark.parametrize("name", [name for name in STATES if name != "form"])
def test_on_paper(walk, tmp_path, name):
    """One or two A4 pages; the state is a word, which no black-and-white printer loses."""
    page = walk.page(1280)
    page.goto(walk.path(STATES[name], "id"))
    with pikepdf.open(_printed(page, tmp_path)) as printed:
        assert 1 <= len(printed.pages) <= 2
    page.emulate_media(media="print")
    assert page.locator("h1").is_visible()
    assert not page.locator("form, .links, .office a").first.is_visible()
    page.context.close()


def _printed(page: Any, folder: Any) -> Any:
    path = folder / "page.pdf"
    page.pdf(path=path, format="A4")
    return path


def test_text_twice_as_large_still_fits(walk):
    """WCAG 2.2, 1.4.4: letters at 200 %, on a narrow phone, folded part open."""
    page = walk.page(320)
    for name in ("in_force", "replaced", "unknown"):
        page.goto(walk.path(STATES[name], "id"))
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        if page.locator("summary").count():
            page.click("summary")
        assert fits(page), name
    page.context.close()
    walk.heard.clear()


@pytest.mark.parametrize("media", [{"color_scheme": "dark"}, {"forced_colors": "active"}])
def test_dark_and_forced_colours(walk, media):
    """A page of a public office is light, as its paper is; whoever forces his own colours still sees panel and icon."""
    page = walk.page(360, **media)
    page.goto(walk.path(STATES["in_force"], "id"))
    light = page.evaluate("getComputedStyle(document.querySelector('.sheet')).backgroundColor")
    assert light == "rgb(255, 255, 255)"
    icon, stroke = page.evaluate(
        "(() => { const s = getComputedStyle(document.querySelector('.panel svg')); return [s.backgroundColor, s.stroke] })()"
    )
    assert icon != stroke
    assert page.locator(".panel").evaluate("one => getComputedStyle(one).borderTopWidth") == "2px"
    page.context.close()


def test_the_way_to_the_new_permit_and_back_to_the_form(walk):
    page = walk.page(360, javascript=False)
    page.goto(walk.path(STATES["replaced"], "en"))
    page.click(".panel a")
    assert page.locator("h1").inner_text() == "This permit is in force"
    assert page.url.endswith(f"/V/{walk.world['new'].code}?lang=en")
    page.click("footer a")
    page.fill("#kode", walk.world["revoked"].code.lower())
    page.click("main form button")
    assert page.locator("h1").inner_text() == "This permit is revoked"
    page.click("header a")
    assert page.locator("h1").inner_text() == "Izin ini dicabut"
    page.context.close()
