"""Every screen that links lead to, by whoever it is for, on a phone and on a PC: usable by all, and it fits."""

from __future__ import annotations

import re

import pytest

from tests.browser.crew import Crew
from tests.browser.house import SIZES, Visitor
from tests.support.office import TYPES

pytestmark = pytest.mark.played

OFFICE, TYPE = TYPES[0]
DUTIES = ("admin", "auditor")
FEWEST = {"kadis": 8, "back_office_1": 15, "admin": 10, "auditor": 6}
NO_PAGE = re.compile(r"\.(pdf|png|csv|xlsx|json)|/bahasa/|/contoh/")


@pytest.fixture
def worked(house):
    """An office with one permit that has been handed over and one that waits for the signature."""
    if not house.people:
        Crew(house, OFFICE, "phone").play(house.post(OFFICE, TYPE, "LIHAT-1"))
        house.settle(house.post(OFFICE, TYPE, "LIHAT-2"))
        for duty in DUTIES:
            house.people[OFFICE, duty, True] = house.staff(OFFICE, duties=[duty]).log_in()
    return house


def screen(path: str) -> str:
    """The address without what is one case's or one day's."""
    return re.sub(r"izn_\w+|[0-9a-f]{16,}|\w+_[0-9a-f]{8,}", "*", path.partition("?")[0])


def links(window: Visitor) -> list[str]:
    """Where the page leads to within the desk."""
    found = window.page.locator("a[href^='/meja']:not([target])").all()
    addresses = [str(one.get_attribute("href")).partition("#")[0] for one in found]
    return [one for one in addresses if not NO_PAGE.search(one)]


@pytest.mark.parametrize("who", FEWEST)
def test_every_screen_is_for_everybody(worked, who):
    window = worked.at_work(OFFICE, who)
    seen, ahead = {}, ["/meja/", "/meja/?cari=Siti", "/meja/?cari=tidak-ada"]
    while ahead:
        path = ahead.pop(0)
        for size in SIZES:
            answer = window.at(size).page.goto(worked.url + path)
            assert answer.status == 200, path
            window.look()
        seen[screen(path)] = path
        known = {*seen, *map(screen, ahead)}
        ahead += [one for each, one in {screen(one): one for one in links(window)}.items() if each not in known]
    assert len(seen) >= FEWEST[who], sorted(seen)


@pytest.mark.parametrize("path", ["/meja/masuk", "/izin-saya", "/meja/undangan/tidak-ada"])
@pytest.mark.parametrize("size", SIZES)
def test_pages_for_strangers(house, size, path):
    house.visitor(size).go(path)
    house.complaints = [one for one in house.complaints if "status of 404" not in one]
