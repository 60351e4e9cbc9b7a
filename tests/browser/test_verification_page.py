"""The public page in a real browser: every state, on phones and PCs, in both languages, with and without JavaScript, and on paper."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pikepdf
import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.street import HOST, STATES, Street

WIDTHS = (320, 360, 1280)
AXED = {"id": {320, 1280}, "en": {320}}
MOST_BYTES, MOST_REQUESTS = 30_000, 4


@pytest.fixture
def walk(street) -> Iterator[Street]:
    """The street, with open ears: neither the console nor the page's own policy may have anything to say."""
    for one in (street.heard, street.requests, street.received):
        one.clear()
    yield street
    assert street.heard == []


def _follow(page, selector: str) -> None:
    with page.expect_navigation(wait_until="load"):
        page.click(selector)


def fits(page: Any) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.mark.parametrize(
    ("javascript", "lang"),
    [
        pytest.param(script, lang, marks=[] if script and lang == "id" else [pytest.mark.thorough])
        for script in (True, False)
        for lang in ("id", "en")
    ],
)
def test_every_state_at_every_width(walk, lang, javascript):
    page = walk.page(WIDTHS[0], javascript=javascript)
    for name, shown in STATES.items():
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 740})
            page.goto(walk.address(shown, lang))
            assert page.locator("h1").all_inner_texts() == [getattr(shown, lang)], (name, width)
            assert page.locator("html").get_attribute("lang") == lang
            assert (page.locator(".astray").count() == 1) == (name == "astray")
            if page.locator("summary").count():
                page.click("summary")
                assert page.locator("details[open] code").first.is_visible()
            assert javascript is False or fits(page), (name, width)
            if javascript and width in AXED[lang]:
                faults = [(one["id"], one["nodes"][0]["html"][:120]) for one in Axe().run(page).response["violations"]]
                assert faults == [], (name, width)
    page.context.close()


def test_the_first_screen_of_a_phone_holds_what_a_counter_asks(walk):
    """State, number, holder, profession, practice place and the last day, without scrolling."""
    page = walk.page(360)
    page.goto(walk.address(STATES["in_force"], "id"))
    labels = page.locator("dl.facts dt").all_inner_texts()
    assert labels[:5] == ["Nomor", "Nama pemegang", "Profesi", "Tempat praktik", "Masa berlaku"]
    lowest = page.locator("dl.facts > div").nth(4).bounding_box()
    assert lowest["y"] + lowest["height"] <= 740
    page.context.close()


@pytest.mark.parametrize("name", ["in_force", "revoked", "unknown"])
def test_the_budget(walk, name):
    """One address, nothing from anywhere else, 30 KB."""
    page = walk.page(360)
    page.goto(walk.address(STATES[name], "id"), wait_until="networkidle")
    assert len([url for url in walk.requests if not url.startswith("data:")]) <= MOST_REQUESTS
    assert {url.split("/")[2] for url in walk.requests if not url.startswith("data:")} == {HOST}
    assert 1_000 < sum(walk.received) <= MOST_BYTES
    page.context.close()


@pytest.mark.thorough
@pytest.mark.parametrize("name", [name for name in STATES if name != "form"])
def test_on_paper(walk, tmp_path, name):
    """One or two A4 pages; the state is a word, which no black-and-white printer loses."""
    page = walk.page(1280)
    page.goto(walk.address(STATES[name], "id"))
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
        page.goto(walk.address(STATES[name], "id"))
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
    page.goto(walk.address(STATES["in_force"], "id"))
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
    page.goto(walk.address(STATES["replaced"], "en"))
    _follow(page, ".panel a")
    assert page.locator("h1").inner_text() == "This permit is in force"
    assert page.url.endswith(f"/V/{walk.world['new'].code}?lang=en")
    _follow(page, "footer a")
    page.fill("#kode", walk.world["revoked"].code.lower())
    _follow(page, "main form button")
    assert page.locator("h1").inner_text() == "This permit is revoked"
    _follow(page, "header a")
    assert page.locator("h1").inner_text() == "Izin ini dicabut"
    page.context.close()
