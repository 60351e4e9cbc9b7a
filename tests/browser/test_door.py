"""The desk's door in a real browser, on a phone and on a PC, with and without JavaScript."""

from __future__ import annotations

import pyotp
import pytest

from service.desk import accounts
from tests.browser.house import SIZES
from tests.desk.people import PASSWORD

OFFICE = "rokan-hilir"


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no script"])
@pytest.mark.parametrize("size", SIZES)
def test_an_invitation_leads_to_the_desk(house, size, javascript):
    _, code = accounts.create(house.teken, OFFICE, "kadis", official=f"{OFFICE}/kadis")
    guest = house.visitor(size, javascript=javascript).go(f"/meja/undangan/{code}")
    page = guest.page
    secret = page.input_value("input[name=secret]")
    page.fill("#f-password", PASSWORD)
    page.fill("#f-code", pyotp.TOTP(secret).now())
    page.click("main button")
    page.wait_for_url("**/meja/")
    assert "Kotak masuk" in guest.text()


@pytest.mark.parametrize("size", SIZES)
def test_logging_in_and_out_again(house, size):
    head = house.staff(OFFICE, "kadis", size=size).log_in()
    head.page.click(".me summary")
    head.page.click(".me button")
    head.page.wait_for_url("**/meja/masuk")
    head.go("/meja/")
    assert "/meja/masuk" in head.page.url


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("path", ["/meja/masuk", "/meja/"])
def test_pages_are_for_everybody(house, size, path):
    head = house.staff(OFFICE, "kadis", size=size)
    if path == "/meja/":
        head.log_in()
    head.go(path)
    assert head.faults() == []
    assert not head.wider_than_its_window()
