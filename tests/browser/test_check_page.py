"""The check of a file in a real browser: chosen, sent and answered on a phone and a PC, with and without JavaScript, within the budget."""

from __future__ import annotations

import pikepdf
import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.street import HOST
from tests.browser.test_verification_page import MOST_BYTES, MOST_REQUESTS, fits

FORM = {"": f"http://{HOST}/periksa", "en": f"http://{HOST}/periksa?lang=en"}


@pytest.fixture
def files(street, tmp_path):
    """By verdict: a file to choose, and the headlines of its panels in both languages."""
    genuine = street.world.pdf("malang")
    made = {
        "identical": (genuine, ["Berkas asli, izin berlaku", "Authentic file, permit in force"]),
        "revoked": (street.world.pdf("revoked"), ["Berkas asli, tetapi izin dicabut", "Authentic file, but the permit is revoked"]),
        "altered": (genuine + b"\n% tambahan", ["Berkas ini tidak asli", "This file is not authentic"]),
        "unsigned": (street.world.pdf("malang", "final"), ["Tidak bertanda tangan elektronik", "No electronic signature"]),
        "undetermined": (b"Halo", ["Belum dapat dipastikan", "Could not be determined"]),
    }  # fmt: skip
    for name, (content, _) in made.items():
        (tmp_path / f"{name}.pdf").write_bytes(content)
    return {name: (tmp_path / f"{name}.pdf", heads) for name, (_, heads) in made.items()}


def _send(page) -> None:
    """Press the form's button and have the whole answer: a click alone comes back when the answer has only begun."""
    with page.expect_navigation(wait_until="load"):
        page.click("button")


@pytest.mark.parametrize(
    ("javascript", "lang"),
    [
        pytest.param(script, lang, marks=[] if script and not lang else [pytest.mark.thorough])
        for script in (True, False)
        for lang in ("", "en")
    ],
)
def test_every_verdict_on_a_phone_and_a_pc(street, files, lang, javascript):
    street.heard.clear()
    page = street.page(320, javascript=javascript)
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 740})
        for name, (path, heads) in files.items():
            page.goto(FORM[lang])
            page.set_input_files("#berkas", str(path))
            _send(page)
            assert page.locator("h1").all_inner_texts() == [heads[lang == "en"]], name
            page.click("summary")
            assert page.locator("details[open] code").first.is_visible()
            if javascript:
                assert fits(page), (name, width)
                if width == 320 or not lang:
                    found = Axe().run(page).response["violations"]
                    assert not [(one["id"], one["nodes"][0]["html"][:120]) for one in found], (name, width)
    page.context.close()
    assert street.heard == []


def test_the_form_and_its_answer_keep_the_budget(street, files):
    page = street.page(360)
    for act in (
        lambda: page.goto(FORM[""]),
        lambda: (page.set_input_files("#berkas", str(files["identical"][0])), _send(page)),
    ):
        street.requests.clear()
        street.received.clear()
        act()
        page.wait_for_load_state("networkidle")
        asked = [one for one in street.requests if not one.startswith("data:")]
        assert len(asked) <= MOST_REQUESTS
        assert all(one.startswith(f"http://{HOST}/") for one in asked)
        assert sum(street.received) <= MOST_BYTES
    page.context.close()


def test_a_file_is_dropped_on_the_box(street, files):
    """The box is the input itself: a browser lets a file fall into it without any script of ours."""
    page = street.page(1280)
    page.goto(FORM[""])
    box = page.locator("#berkas").bounding_box()
    assert box["height"] >= 80
    assert box["width"] >= 400
    assert page.locator("script").count() == 0
    page.context.close()


def test_the_answer_on_paper(street, files, tmp_path):
    page = street.page(1280)
    page.goto(FORM[""])
    page.set_input_files("#berkas", str(files["revoked"][0]))
    _send(page)
    page.pdf(path=tmp_path / "kertas.pdf", format="A4")
    with pikepdf.open(tmp_path / "kertas.pdf") as paper:
        assert len(paper.pages) == 1
    page.context.close()
