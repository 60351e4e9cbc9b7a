"""A real browser (Debian's Chromium) on a real server, with worker and signing process beside it."""

from __future__ import annotations

import shutil

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.house import House

CHROMIUM = shutil.which("chromium")


@pytest.fixture(scope="session")
def chromium():
    assert CHROMIUM, (
        "Debian's chromium is not installed: `make test` as root installs it, otherwise `apt install chromium`"
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def house(tmp_path, keys, chromium):
    opened = House.open(tmp_path, keys, chromium)
    yield opened
    opened.close()
    assert opened.complaints == [], "the browser's console and our own policy have nothing to complain about"
