"""What becomes of a permit beside its procedure: voided, corrected, revoked because its holder moved, fetched by the holder himself."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from service.permits import State
from service.store.tables import permits
from tests.browser.crew import Crew
from tests.browser.house import House, Visitor
from tests.browser.test_sops import entered
from tests.support.office import OFFICES, TYPES, row

pytestmark = pytest.mark.played

OFFICE, TYPE = TYPES[0]
SIGNS, PRINTS = "Tanda tangan", "Cetak"
RIGHT = "Klinik Contoh Bahagia"


def matters(crew: Crew, permit: str) -> Visitor:
    """The clerk opens what may be decided about a case."""
    return crew.someone("back_office_1").go(f"/meja/izin/{permit}").press("main a[href$='/keputusan']")


def propose(clerk: Visitor, kind: str, **typed: str) -> None:
    form = f"form[action$='/{kind}']"
    clerk.page.click(f"details:has({form}) summary")
    for name, text in typed.items():
        field = clerk.page.locator(f"{form} [name='{name}']")
        if field.count() > 1:
            clerk.page.check(f"{form} [name='{name}'][value='{text}']")
        else:
            field.fill(text)
    clerk.look().press(f"{form} button")


def confirm(crew: Crew) -> None:
    """The head finds it in his own list."""
    crew.someone("kadis").go("/meja/").press(".nav a[href='/meja/keputusan']").press("form[action$='/setujui'] button")


def correction_of(house: House, permit: str) -> str:
    with house.teken.db.read() as connection:
        return str(connection.execute(select(permits.c.id).where(permits.c.replaces == permit)).scalar_one())


def test_a_case_is_voided_before_its_issue(house):
    crew = Crew(house, OFFICE, "phone")
    permit = house.post(OFFICE, TYPE, "BATAL-1")
    crew.play(permit, until=SIGNS)
    propose(matters(crew, permit), "void", alasan="Diajukan dua kali")
    confirm(crew)
    assert row(house.teken, permit).state == State.CLOSED
    assert row(house.teken, permit).number not in crew.someone("kadis").go("/meja/ttd").text()


def test_a_permit_is_corrected_and_revoked_when_its_holder_moves(house):
    crew = Crew(house, OFFICE, "phone")
    permit = house.post(OFFICE, TYPE, "BAIK-1")
    crew.play(permit)
    clerk = matters(crew, permit).press("main a[href$='/perbaikan']")
    clerk.page.fill("[name='practice.nama']", RIGHT)
    clerk.page.fill("#f-alasan", "Nama tempat praktik salah ketik")
    clerk.press("main form .actions button")
    confirm(crew)
    after = correction_of(house, permit)
    crew.play(after)
    old, new = row(house.teken, permit), row(house.teken, after)
    assert (old.state, new.state) == (State.REPLACED, State.IN_FORCE)
    assert old.number == new.number
    assert RIGHT in crew.someone("back_office_1").go(f"/meja/izin/{after}").text()

    propose(matters(crew, after), "revoke", dasar="moved", keputusan="SK-44/2026", alasan="Pindah praktik ke Dumai")
    confirm(crew)
    assert row(house.teken, after).state == State.REVOKED
    guest = house.visitor("phone").go(f"/v/{new.code}")
    assert "dicabut" in guest.text().lower()
    assert "Dumai" not in guest.text()


def test_a_holder_who_moves_within_the_region_gets_a_permit_that_revokes_the_old_one(house):
    """Cabut pindah, typed at the desk; the old paper's QR then says so and leads to the new one."""
    office, kind = TYPES[3]
    crew = Crew(house, office, "phone")
    old = house.post(office, kind, "PINDAH-1")
    crew.play(old)
    moved = {"request_kind": "CABUT_PINDAH", "replaces": row(house.teken, old).number, "practice__nama": RIGHT}
    new = entered(crew, **moved)
    crew.play(new)
    assert (row(house.teken, old).state, row(house.teken, new).state) == (State.REVOKED, State.IN_FORCE)
    guest = house.visitor("phone").go(f"/v/{row(house.teken, old).code}")
    assert "Izin ini dicabut" in guest.text()
    guest.press("main .panel a")
    assert "Izin ini berlaku" in guest.text()
    assert RIGHT in guest.text()


def test_a_holder_answers_the_survey_and_takes_his_file(house):
    crew = Crew(house, OFFICE, "phone")
    permit = house.post(OFFICE, TYPE, "AMBIL-1")
    crew.play(permit, until=PRINTS)
    crew.act(crew.from_inbox("back_office_1", permit), permit)
    born = next(one.sample for one in OFFICES.permit_type(OFFICE, TYPE).fields if one.path == "applicant.tanggal_lahir")
    holder = house.visitor("phone").go("/izin-saya")
    holder.page.fill("#tiket", crew.ticket(permit))
    holder.page.fill("#lahir", str(born))
    holder.press("main form button").press("a[href$='/survei']")
    for question in holder.page.locator("fieldset").all():
        question.locator("label").last.click()
    holder.press("main form .choices button")
    with holder.page.expect_download() as downloaded:
        holder.page.click("form[action$='/berkas'] button")
    taken = Path(downloaded.value.path()).read_bytes()
    assert taken == house.teken.archive.get(row(house.teken, permit).released_sha)
    assert crew.due(crew.from_inbox("back_office_1", permit)) == "Serah terima", (
        "the survey is answered; the paper still waits"
    )
