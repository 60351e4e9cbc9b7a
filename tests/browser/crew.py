"""Officials who do their part of a case as people do: look into the inbox, open the case, read the paper, press the button that is there."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from playwright.sync_api import expect
from sqlalchemy import select

from service.store.tables import tickets
from tests.browser.house import PATIENCE_MS, House, Visitor
from tests.support.office import OFFICES

PATIENT = {"timeout": PATIENCE_MS}


@dataclass
class Crew:
    """The people of one office at screens of one size. None of them knows the procedure: the pages say who is next."""

    house: House
    office: str
    size: str
    javascript: bool = True
    deeds: list[tuple[str, str]] = field(default_factory=list)

    def someone(self, official: str) -> Visitor:
        return self.house.at_work(self.office, official, size=self.size, javascript=self.javascript)

    def play(self, permit: str, *, until: str = "") -> list[tuple[str, str]]:
        """Let everybody act until nobody is waited for, or until an act of this name is due. Returns who did what."""
        while self.house.settle(permit).queue == "person":
            official = self.whose_turn(permit)
            window = self.from_inbox(official, permit)
            due = self.due(window)
            if due == until:
                break
            self.act(window, permit)
            self.deeds.append((official, due))
        return self.deeds

    def whose_turn(self, permit: str) -> str:
        """Ask the case page, as anybody of the office may, who is waited for."""
        anybody = OFFICES.office(self.office).people[-1].code
        named = self.someone(anybody).go(f"/meja/izin/{permit}").page.inner_text(".turn p >> nth=0")
        return next(one.code for one in OFFICES.office(self.office).people if one.name in named)

    def from_inbox(self, official: str, permit: str) -> Visitor:
        """Find the case in the person's own list and open it."""
        window = self.someone(official).go("/meja/")
        return window.press(f"main a[href*='{permit}']")

    def due(self, window: Visitor) -> str:
        """What the case page calls the act that is due."""
        return str(window.page.inner_text(".turn h2")).rpartition(":")[2].strip()

    def act(self, window: Visitor, permit: str) -> None:
        """Do what the page offers."""
        if window.has("form[action$='/baca']"):
            window.press("form[action$='/baca'] button")
            return
        window.press("#keputusan a.big")
        if "/ttd/" in window.page.url:
            self.sign(window)
        else:
            self.serve(window, permit)

    def sign(self, window: Visitor) -> None:
        """From the paper that is read to its result."""
        window.press("button[value=dibuka]")
        self.with_passphrase(window)
        self.see_the_end(window)

    def with_passphrase(self, window: Visitor) -> None:
        window.page.fill("#f-passphrase", self.house.passphrase)
        window.press("form.secret button")

    def see_the_end(self, window: Visitor) -> None:
        """Watch the batch; its page must come to the end by itself, with JavaScript and without."""
        expect(window.page.locator("#kemajuan h1")).to_have_text(re.compile("Semua sudah|berhasil"), **PATIENT)
        window.page.wait_for_load_state()
        window.look()

    def serve(self, window: Visitor, permit: str) -> None:
        """Do what is due at the counter: the slip shows one act."""
        if window.has("form[action$='/cetak']"):
            self.print(window)
        elif window.has("a[href$='/survei']"):
            window.press("a[href$='/survei']")
            self.answer_survey(window)
        elif window.has("form[action$='/serahkan']"):
            window.page.fill("#f-tiket", self.ticket(permit))
            window.page.check("input[value=ktp]")
            window.press("form[action$='/serahkan'] button.big")
        else:
            window.press(".chooser form button.big")

    def print(self, window: Visitor) -> None:
        """The paper opens beside the slip."""
        with window.page.expect_popup() as opened:
            window.page.click("form[action$='/cetak'] button")
        opened.value.close()
        window.page.reload()
        window.look()

    def answer_survey(self, window: Visitor) -> None:
        """Tick one answer of each question, the holder looking on."""
        for question in window.page.locator("fieldset.skm").all():
            question.locator("label").last.click()
        window.press("main form .actions button")

    def ticket(self, permit: str) -> str:
        """What stands on the holder's ticket."""
        with self.house.teken.db.read() as connection:
            return str(connection.execute(select(tickets.c.code).where(tickets.c.permit == permit)).scalar_one())
