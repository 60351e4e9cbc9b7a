"""A real browser (Debian's Chromium) on a real server, with worker and signing process beside it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.house import House
from tests.browser.street import Street, open_street

CHROMIUM = shutil.which("chromium")


@pytest.fixture(scope="module")
def chromium():
    """One browser a module: while Playwright runs it holds the thread's event loop, which other modules' tests need for themselves."""
    assert CHROMIUM, (
        "Debian's chromium is not installed: `make test` as root installs it, otherwise `apt install chromium`"
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def town(tmp_path_factory, keys, chromium):
    """One installation for a module: people log in once and go on with what is there."""
    home = tmp_path_factory.mktemp("town")
    own = shutil.copytree(keys, home / "keys")  # a stand-in gets a key too
    opened = House.open(home, own, chromium)
    yield opened
    opened.close()


@pytest.fixture
def house(town):
    """The same, held to account after each test."""
    town.told()
    yield town
    assert town.told() == [], (
        "the browser's console, our own policy, axe and the window's width have nothing to complain about"
    )


@pytest.fixture(scope="module")
def street(tmp_path_factory, keys) -> Iterator[Street]:
    """The public page behind the office's own address, one a module."""
    assert CHROMIUM, "Debian's chromium is not installed"
    with (
        sync_playwright() as playwright,
        open_street(tmp_path_factory.mktemp("street"), keys, playwright, CHROMIUM) as one,
    ):
        yield one
