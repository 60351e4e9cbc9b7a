"""What happens on the way: a return and its correction, a stand-in in mid-tray, one bearer for ten permits."""

from __future__ import annotations

from datetime import timedelta

import pytest

from certs.make_dev_pki import make_dev_pki
from service.demo import take_turn
from service.permits import State
from service.sop.model import Verb
from tests.browser.crew import Crew
from tests.browser.house import House, Visitor
from tests.support.office import OFFICES, TYPES, row

pytestmark = pytest.mark.played

ROHIL, ROHUL, MALANG = TYPES[0], TYPES[1], TYPES[2]
SIGNS = "Tanda tangan"
NEW_PLACE = "Klinik Contoh Bahagia"


def verb_due(house: House, permit: str) -> Verb | None:
    now = house.settle(permit)
    plan = house.teken.pins.open(now.pin).permit_type.procedure.plan
    return plan[now.position].verb if now.queue == "person" else None


def hurried(house: House, permit: str, until: Verb) -> str:
    """Let reviewers and clerks act behind the screens, as other tests see them do."""
    while verb_due(house, permit) is not until:
        assert take_turn(house.teken, permit)
    return permit


def test_a_case_is_returned_corrected_and_signed(house):
    crew = Crew(house, MALANG[0], "phone")
    permit = house.post(*MALANG, "KEMBALI-1")
    crew.play(permit, until=SIGNS)
    head = crew.someone("kadis")
    crew.from_inbox("kadis", permit).press("#keputusan a.big")
    head.page.click("#kembalikan summary")
    head.page.check("#kembalikan input[value=data]")
    head.page.fill("#f-uraian", "Nama tempat praktik keliru")
    head.look().press("#kembalikan button.danger")
    assert row(house.teken, permit).state == State.RETURNED
    assert "Nama tempat praktik keliru" in crew.someone("ahli_muda").go(f"/meja/izin/{permit}").text()

    assert house.post(*MALANG, "KEMBALI-1", practice__nama=NEW_PLACE) == permit
    assert crew.whose_turn(permit) == "perekonomian_1"
    again = crew.from_inbox("perekonomian_1", permit)
    assert NEW_PLACE in again.page.inner_text("#perubahan ins")
    crew.play(permit)
    assert row(house.teken, permit).state == State.IN_FORCE
    assert NEW_PLACE in crew.someone("sekretaris").go(f"/meja/izin/{permit}").text()


def decided(first: Visitor, second: Visitor) -> None:
    """One admin has proposed; the other confirms."""
    assert "Menunggu admin lain" in first.text()
    second.go("/meja/admin/usulan").press("form[action$='/setujui'] button")


def test_a_stand_in_takes_over_in_the_middle_of_a_tray(house):
    office, stand_in = ROHUL[0], "rokan-hulu/sekretaris"
    crew = Crew(house, office, "phone")
    mine, theirs = (house.post(*ROHUL, f"PLH-{number}") for number in (1, 2))
    for permit in (mine, theirs):
        hurried(house, permit, Verb.SIGN)
    first, second = (house.staff(office, duties=["admin"], login=f"admin{n}", size="pc").log_in() for n in (1, 2))
    name = next(one.name for one in OFFICES.office(office).people if one.code == "sekretaris")
    make_dev_pki(house.teken.settings.keys, [(stand_in.replace("/", "."), name)], key="p256")
    first.go("/meja/").press(".nav a[href='/meja/admin']")
    first.press(f"main a[href$='pemilik={stand_in}']")
    first.page.set_input_files("#f-berkas", house.teken.settings.keys / "rokan-hulu.sekretaris.cert.pem")
    decided(first.press("form .actions button"), second)

    crew.act(crew.from_inbox("kadis", mine), mine)
    today = house.teken.clock.now() + timedelta(hours=7)
    first.go("/meja/admin/penugasan/baru")
    first.page.select_option("#f-pejabat", stand_in)
    first.page.select_option("#f-jabatan", "kepala_dinas")
    first.page.check("input[value=plh]")
    first.page.fill("#f-mulai", today.date().isoformat())
    first.page.fill("#f-sampai", (today + timedelta(days=2)).date().isoformat())
    first.page.fill("#f-keputusan", "SP-12/2026 (contoh)")
    decided(first.press("form .actions button"), second)

    before = row(house.teken, theirs)
    house.settle(theirs)
    assert "Plh." in row(house.teken, theirs).signatory
    head = crew.someone("kadis").go("/meja/ttd")
    assert "Hari ini pejabat lain yang menandatangani" in head.text()
    assert not head.has("button[value=dibuka]"), "on his stand-in's days the head has nothing to sign"
    assert crew.whose_turn(theirs) == "sekretaris"
    crew.play(theirs)
    after = row(house.teken, theirs)
    assert (after.state, after.number) == (State.IN_FORCE, before.number)
    assert row(house.teken, mine).state == State.IN_FORCE


def test_one_bearer_fetches_ten_permits(house):
    office, kind = ROHIL
    crew = Crew(house, office, "phone")
    ten = [house.post(office, kind, f"SEPULUH-{number}") for number in range(10)]
    for permit in ten:
        hurried(house, permit, Verb.SIGN)
    head = crew.someone("kadis").go("/meja/ttd")
    head.page.click("details.all summary")
    head.page.check("input[name=sadar]")
    head.look().press("button[value=semua]")
    crew.with_passphrase(head)
    crew.see_the_end(head)
    for permit in ten:
        hurried(house, permit, Verb.SURVEY)

    clerk = (
        crew.someone("back_office_1")
        .go("/meja/")
        .press(".nav a[href='/meja/loket']")
        .press("main a[href$='/kolektif']")
    )
    clerk.page.fill("#f-tiket", "\n".join(crew.ticket(permit) for permit in ten))
    clerk.page.fill("#f-surat", "SK-7/2026")
    clerk.press("main form button.big")
    crew.answer_survey(clerk)
    assert "/tanda-terima/" in clerk.page.url
    shown = clerk.text()
    assert all(row(house.teken, permit).number in shown for permit in ten)
    assert [verb_due(house, permit) for permit in ten] == [None] * 10
