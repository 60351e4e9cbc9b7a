"""All five procedures, from the posted or entered case to the last row, each official at his own screen."""

from __future__ import annotations

import re

import pytest

from service.demo import portrait
from service.permits import State
from service.sop.model import By
from tests.browser.crew import Crew
from tests.browser.house import SIZES, Visitor
from tests.desk.forms import answers
from tests.support.office import OFFICES, TYPES, holder, row

NAMES = {"000": TYPES[0], "001": TYPES[1], "002": TYPES[2], "003": TYPES[3], "004": TYPES[4]}
POSTED = ["000", "001", "002", "004"]
KUDUS = NAMES["003"]
NEW_PLACE = "Klinik Contoh Bahagia"
QUICK = {("phone", "000")}
"""One procedure with every test; the rest takes minutes and is played where outside judges are asked."""


def whole(house, office: str, kind: str) -> list[str]:
    """Who acts, in the order of the procedure."""
    plan = OFFICES.permit_type(office, kind).procedure.plan
    return [holder(house.teken, office, act.role).partition("/")[2] for act in plan if act.by is By.PERSON]


def entered(crew: Crew, **changes: str) -> str:
    """The clerk types what the applicant brought, with a photo; a colleague checks and confirms it."""
    clerk = crew.someone("gerai_1")
    clerk.go("/meja/").press(".nav a[href='/meja/permohonan']").press(".actions a.button")
    for name, text in answers(*KUDUS, **changes).items():
        asked = clerk.page.locator(f"[name='{name}']")
        kind = asked.first.get_attribute("type")
        if kind == "radio":
            clerk.page.check(f"[name='{name}'][value='{text}']")
        elif kind == "checkbox":
            asked.check()
        elif asked.evaluate("one => one.tagName") == "SELECT":
            asked.select_option(text)
        else:
            asked.fill(text)
    photo = {"name": "pas foto.jpg", "mimeType": "image/jpeg", "buffer": portrait()}
    clerk.page.set_input_files("#f-photo", photo)
    return checked(crew, clerk)


def checked(crew: Crew, clerk: Visitor) -> str:
    """The clerk sends his form; the colleague confirms it and comes to the permit."""
    clerk.press("form button.big")
    assert "Menunggu pemeriksaan petugas lain" in clerk.text()
    proposal, colleague = clerk.page.url.rpartition("/")[2], crew.someone("pemroses_1")
    colleague.go("/meja/permohonan").press(f"main a[href*='{proposal}']").press("form[action$='/setujui'] button")
    return re.search(r"izn_\w+", colleague.page.locator(".note a").first.get_attribute("href"))[0]


@pytest.mark.parametrize(
    ("size", "sop"),
    [
        pytest.param(size, sop, marks=[] if (size, sop) in QUICK else [pytest.mark.played])
        for size in SIZES
        for sop in POSTED
    ],
)
def test_a_posted_case_goes_to_its_end(house, size, sop):
    office, kind = NAMES[sop]
    permit = house.post(office, kind, f"LAYAR-{size}-{sop}")
    deeds = Crew(house, office, size).play(permit)
    assert row(house.teken, permit).state == State.IN_FORCE
    assert [official for official, _ in deeds] == whole(house, office, kind)


@pytest.mark.played
@pytest.mark.parametrize("size", SIZES)
def test_an_entered_case_goes_to_its_end(house, size):
    crew = Crew(house, KUDUS[0], size)
    permit = entered(crew)
    deeds = crew.play(permit)
    assert row(house.teken, permit).state == State.IN_FORCE
    assert [official for official, _ in deeds] == whole(house, *KUDUS)


@pytest.mark.played
@pytest.mark.parametrize("size", SIZES)
def test_an_entered_case_that_was_returned_is_corrected_and_signed(house, size):
    """Whoever typed it corrects the same form, the colleague confirms, and the reviewer sees what became different."""
    crew = Crew(house, KUDUS[0], size)
    permit = entered(crew)
    reviewer = "sub_koordinator"
    crew.play(permit, until="Verifikasi")
    assert crew.whose_turn(permit) == reviewer
    window = crew.from_inbox(reviewer, permit).press("#keputusan a[href$='/kembalikan']")
    window.page.check("input[name=alasan][value=data]")
    window.page.fill("#f-uraian", "Nama tempat praktik keliru")
    window.look().press("main form button.danger")
    before = row(house.teken, permit)
    assert before.state == State.RETURNED

    clerk = crew.someone("gerai_1").go("/meja/?saring=returned").press(f"main a[href*='{permit}']")
    assert "Nama tempat praktik keliru" in clerk.text()
    clerk.press("a.button[href*='perbaiki=']")
    assert "Nama tempat praktik keliru" in clerk.text()
    clerk.page.fill("[name='practice.nama']", NEW_PLACE)
    assert checked(crew, clerk) == permit

    crew.play(permit, until="Verifikasi")
    assert NEW_PLACE in crew.from_inbox(reviewer, permit).page.inner_text("#perubahan ins")
    crew.play(permit)
    after = row(house.teken, permit)
    assert (after.state, after.revision, after.upstream_id) == (State.IN_FORCE, 2, before.upstream_id)
    assert NEW_PLACE in crew.someone("koordinator").go(f"/meja/izin/{permit}").text()


@pytest.mark.played
@pytest.mark.parametrize("sop", ["000", "001"])
def test_no_step_needs_javascript(house, sop):
    office, kind = NAMES[sop]
    permit = house.post(office, kind, f"TANPA-{sop}")
    deeds = Crew(house, office, "phone", javascript=False).play(permit)
    assert row(house.teken, permit).state == State.IN_FORCE
    assert [official for official, _ in deeds] == whole(house, office, kind)
