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
    login = f"auditor.{size}.{javascript}"
    _, code = accounts.create(house.teken, OFFICE, login, name="Contoh Petugas", duties=["auditor"])
    guest = house.visitor(size, javascript=javascript).go(f"/meja/undangan/{code}")
    secret = guest.page.input_value("input[name=secret]")
    guest.page.fill("#f-password", PASSWORD)
    guest.page.fill("#f-code", pyotp.TOTP(secret).now())
    guest.press("main button")
    assert guest.page.url.endswith("/meja/")
    assert "Kotak masuk" in guest.text()


@pytest.mark.parametrize("size", SIZES)
def test_logging_in_and_out_again(house, size):
    somebody = house.staff(OFFICE, duties=["auditor"], login=f"auditor.{size}", size=size).log_in()
    somebody.page.click(".me summary")
    somebody.look()
    somebody.press(".me button")
    assert somebody.page.url.endswith("/meja/masuk")
    somebody.go("/meja/")
    assert "/meja/masuk" in somebody.page.url
