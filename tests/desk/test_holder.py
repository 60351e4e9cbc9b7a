"""The holder at his own phone: who gets in, what he sees, the survey before the file, the file itself; and who guesses."""

from __future__ import annotations

import json

import pytest
import zxingcpp
from PIL import Image, ImageDraw
from sqlalchemy import select

from service import acts
from service.permits import State
from service.sop.model import Verb
from service.store.desk_tables import desk_log, failures
from service.store.tables import events, revisions, surveys
from tests.desk.shelf import KUDUS, ROHIL, Upstream, recorded, until
from tests.desk.test_counter import NINE, count, ticket_of, told
from tests.support.office import play, row


class Phone:
    """A browser without an account."""

    def __init__(self, desk):
        self.browser = desk.app.test_client()
        self.answer = None

    def get(self, path="/izin-saya"):
        self.answer = self.browser.get(path)
        return self

    def post(self, path, data=None, **rest):
        self.answer = self.browser.post(path, data=data or {}, **rest)
        return self

    def come(self, ticket, birthday):
        return self.post("/izin-saya", {"tiket": ticket, "lahir": birthday})

    @property
    def status(self):
        return self.answer.status_code

    @property
    def text(self):
        return self.answer.get_data(as_text=True)

    @property
    def to(self):
        return self.answer.headers.get("Location", "")


def born(teken, permit: str) -> str:
    with teken.db.read() as connection:
        body = connection.execute(select(revisions.c.body).where(revisions.c.permit == permit)).scalar_one()
    return json.loads(body)["applicant"]["tanggal_lahir"]


def shown_address(desk, permit: str) -> str:
    """What the QR on the counter's screen says, without the host."""
    import html
    import re

    clerk = desk.at_work("rokan-hilir", "back_office_2")
    clerk.get(f"/meja/loket/{permit}")
    drawing = re.search(r'class="qr".*?(<svg.*?</svg>)', html.unescape(clerk.page), re.S)[1]
    found = zxingcpp.read_barcode(rasterised(drawing))
    office = desk.teken.offices.office("rokan-hilir")
    assert found.text.startswith(office.public_url + "/")
    return found.text.removeprefix(office.public_url)


def rasterised(drawing: str):
    """Draw segno's one path of horizontal strokes: M moves, m moves on, h draws."""
    import re

    side = int(re.search(r'viewBox="0 0 (\d+)', drawing)[1])
    scale = float((re.search(r"scale\(([\d.]+)\)", drawing) or [0, 1])[1])
    image = Image.new("L", (side, side), 255)
    pen, x, y = ImageDraw.Draw(image), 0.0, 0.0
    for kind, numbers in re.findall(r"([MmHhv])\s*(-?[\d. -]+)", re.findall(r' d="([^"]+)"', drawing)[-1]):
        given = [float(one) for one in re.findall(r"-?[\d.]+", numbers)]
        if kind == "M":
            x, y = given
        elif kind == "m":
            x, y = x + given[0], y + given[1]
        elif kind == "h":
            box = [x * scale, (y - 0.5) * scale, (x + given[0]) * scale - 1, (y + 0.5) * scale - 1]
            pen.rectangle(box, fill=0)
            x += given[0]
    return image


def test_a_proxy_answers_the_survey_on_his_phone_and_sees_nothing_else(desk, issued, phone):
    permit = until(desk.teken, issued, Verb.SURVEY)
    address = shown_address(desk, permit)
    assert phone.get(address).status == 200
    for secret in ("Wening Contoh", row(desk.teken, permit).number, permit):
        assert secret not in phone.text
    assert phone.post(address, {}).status == 422
    assert phone.post(address, NINE).to == address
    assert "Terima kasih" in phone.get(address).text
    assert (count(desk.teken, surveys), told(desk.teken, permit).count("permit.surveyed")) == (1, 1)
    assert phone.post(address, NINE).status == 200, "sent twice, it counts once"
    assert count(desk.teken, surveys) == 1
    assert phone.get("/izin-saya").text.count("Lihat izin"), "the address opens no permit"
    assert phone.get("/izin-saya/berkas.pdf").status == 303
    clerk = desk.at_work("rokan-hilir", "back_office_1")
    clerk.get(f"/meja/loket/{permit}")
    assert 'name="identitas"' in clerk.page, "the paper may be handed over"


def test_the_survey_address_ends_and_can_not_be_made_up(desk, issued, phone):
    permit = until(desk.teken, issued, Verb.SURVEY)
    address = shown_address(desk, permit)
    token = address.rpartition("/")[2]
    phone.browser.set_cookie("teken_izin", token.translate(str.maketrans("-_", "+/")) + "=" * (-len(token) % 4))
    assert phone.get("/izin-saya/berkas.pdf").status == 303, "it is no holder's token"
    for wrong in (address[:-6] + "AAAAAA", "/izin-saya/survei/x", "/izin-saya/survei/%00", "/izin-saya/survei/é"):
        assert phone.get(wrong).status in {303, 404}, wrong
    desk.clock.forward(minutes=21)
    assert phone.get(address).to == "/izin-saya"
    assert phone.post(address, NINE).to == "/izin-saya"
    assert count(desk.teken, surveys) == 0


@pytest.fixture
def issued(desk):
    return until(desk.teken, Upstream(desk.teken, ROHIL).send(applicant__nama="Wening Contoh"), Verb.PRINT)


@pytest.fixture
def phone(desk):
    return Phone(desk)


def keys_of(desk, permit):
    return ticket_of(desk.teken, permit), born(desk.teken, permit)


def test_the_survey_comes_before_the_file_and_the_paper_goes_its_way(desk, issued, phone):
    phone.come(*keys_of(desk, issued))
    assert (phone.status, phone.to) == (303, "/izin-saya")
    phone.get()
    assert "Izin Anda berlaku" in phone.text
    assert "sedang disiapkan" in phone.text
    assert "Isi survei dahulu" in phone.text
    assert "Unduh berkas" not in phone.text
    phone.post("/izin-saya/berkas")
    assert phone.to == "/izin-saya/survei"
    phone.get("/izin-saya/berkas.pdf")
    assert phone.status == 409
    phone.post("/izin-saya/survei", NINE)
    assert phone.status == 303
    phone.post("/izin-saya/berkas")
    assert phone.to == "/izin-saya/berkas.pdf"
    phone.get("/izin-saya/berkas.pdf")
    assert phone.answer.data == desk.teken.archive.get(row(desk.teken, issued).released_sha)
    phone.post("/izin-saya/berkas")
    assert told(desk.teken, issued).count("permit.taken_by_holder") == 1
    play(desk.teken, issued)
    assert [verb for verb, *_ in recorded(desk.teken, issued)][-2:] == ["print", "handover"], "nobody asks him again"
    assert told(desk.teken, issued).count("permit.surveyed") == 1
    assert count(desk.teken, surveys) == 1
    phone.get()
    assert "sudah diserahkan" in phone.text


def test_the_same_answer_for_an_unknown_ticket_and_a_wrong_date(desk, issued, phone):
    code, day = keys_of(desk, issued)
    answers = []
    for typed in (
        (code, "1990-01-01"),
        ("AAAAAAAA", day),
        (code, ""),
        ("", day),
        (code, "x" * 400),
        ("é" * 80, "٣-1-1"),
    ):
        phone.come(*typed)
        assert phone.status == 401
        assert "Set-Cookie" not in phone.answer.headers
        answers.append(phone.text)
        with desk.teken.db.write() as connection:
            connection.execute(failures.delete())
    assert len(set(answers)) == 1
    assert "Wening" not in answers[0]


def test_both_may_be_typed_as_people_type(desk, issued, phone):
    code, day = keys_of(desk, issued)
    year, month, date = day.split("-")
    for ticket in (code.lower(), f" {code[:4]}-{code[4:]} "):
        for typed in (day, f"{date}-{month}-{year}", f"{int(date)}/{int(month)}/{year}"):
            assert phone.come(ticket, typed).status == 303


def test_guessing_is_slowed_by_ticket_and_by_source(desk, issued, phone):
    code, day = keys_of(desk, issued)
    statuses = [phone.come(code, f"19{n:02}-01-01").status for n in range(60, 75)]
    assert statuses[0] == 401
    assert statuses[-1] == 429
    assert phone.come(code, day).status == 429, "the right date, too: a wait says nothing"
    assert int(phone.answer.headers["Retry-After"]) > 0
    desk.clock.forward(hours=1)
    assert phone.come(code, day).status == 303
    many = [phone.come(f"{n:08}", day).status for n in range(40)]
    assert many[-1] == 429
    assert len([one for one in many if one == 401]) <= 30


def test_without_a_ticket_nothing_is_shown_or_done(desk, issued, phone):
    for path in ("/izin-saya/survei", "/izin-saya/berkas.pdf"):
        assert phone.get(path).to == "/izin-saya"
    for path in ("/izin-saya/survei", "/izin-saya/berkas"):
        assert phone.post(path, NINE).to == "/izin-saya"
    for cookie in ("x", "AAAA", "é", "AAAA" * 40):
        phone.browser.set_cookie("teken_izin", cookie)
        assert "Kode tiket" in phone.get().text
    assert count(desk.teken, surveys) == 0
    assert "permit.taken_by_holder" not in told(desk.teken, issued)


def test_the_page_closes_by_itself_and_on_request(desk, issued, phone):
    phone.come(*keys_of(desk, issued))
    phone.post("/izin-saya/selesai")
    assert "Kode tiket" in phone.get().text
    phone.come(*keys_of(desk, issued))
    desk.clock.forward(minutes=21)
    assert "Kode tiket" in phone.get().text


def test_one_ticket_opens_one_permit(desk, issued, phone):
    other = until(desk.teken, Upstream(desk.teken, KUDUS).send(applicant__nama="Bagus Contoh"), Verb.DELIVER)
    code, _ = keys_of(desk, issued)
    assert phone.come(code, "2001-02-03").status == 401
    phone.come(*keys_of(desk, other))
    phone.get()
    assert row(desk.teken, other).number in phone.text
    assert row(desk.teken, issued).number not in phone.text
    assert "Kudus" in phone.text


def test_where_the_sop_asks_for_no_survey_it_is_free(desk, phone):
    permit = until(desk.teken, Upstream(desk.teken, KUDUS).send(), Verb.HANDOVER)
    phone.come(*keys_of(desk, permit))
    phone.get()
    assert "Unduh berkas izin" in phone.text
    assert "Isi survei" in phone.text
    for _ in range(2):
        phone.post("/izin-saya/survei", NINE)
        assert phone.status == 303
    assert count(desk.teken, surveys) == 1
    assert "Isi survei" not in phone.get().text


@pytest.mark.parametrize(
    ("to", "words"), [(State.SUSPENDED, "Izin Anda dibekukan"), (State.REVOKED, "Izin Anda dicabut")]
)
def test_what_is_not_in_force_is_said_and_not_given(desk, issued, phone, to, words):
    phone.come(*keys_of(desk, issued))
    phone.post("/izin-saya/survei", NINE)
    phone.post("/izin-saya/berkas")
    acts.decide(desk.teken, "rokan-hilir/kadis", issued, to=to, decision="SK 1/2026", reason="STR")
    assert words in phone.get().text
    assert "Unduh" not in phone.text
    assert phone.post("/izin-saya/berkas").status == 409
    assert phone.get("/izin-saya/berkas.pdf").status == 409


def test_refusing_opens_the_gate_and_waiting_does_not(desk, issued, phone):
    phone.come(*keys_of(desk, issued))
    phone.post("/izin-saya/survei", {"pilihan": "nanti"})
    assert phone.post("/izin-saya/berkas").to == "/izin-saya/survei"
    phone.post("/izin-saya/survei", {"pilihan": "menolak"})
    assert phone.post("/izin-saya/berkas").to == "/izin-saya/berkas.pdf"
    assert [one for one in told(desk.teken, issued) if "survey" in one] == [
        "permit.survey_postponed",
        "permit.survey_declined",
    ]
    assert count(desk.teken, surveys) == 0


def test_missing_answers_are_named_and_ticked_ones_stay(desk, issued, phone):
    phone.come(*keys_of(desk, issued))
    phone.post("/izin-saya/survei", {**NINE, "U3": "", "U9": "5"})
    assert phone.status == 422
    assert 'href="#q-U3"' in phone.text
    assert 'href="#q-U9"' in phone.text
    assert 'name="U1" value="4" checked' in phone.text
    assert count(desk.teken, surveys) == 0


def test_the_page_is_strict_small_and_for_nobody_else(desk, issued, phone):
    phone.come(*keys_of(desk, issued))
    assert "HttpOnly" in phone.answer.headers["Set-Cookie"]
    assert "SameSite=Strict" in phone.answer.headers["Set-Cookie"]
    for path in ("/izin-saya", "/izin-saya/survei"):
        phone.get(path)
        assert phone.answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "script" not in phone.answer.headers["Content-Security-Policy"]
        assert phone.answer.headers["X-Robots-Tag"].startswith("noindex")
        assert phone.answer.headers["Cache-Control"] == "no-store"
        assert "<script" not in phone.text
        assert len(phone.answer.data) < 30_000
    assert "Wening" not in phone.text
    phone.post("/izin-saya/survei", NINE, headers={"Sec-Fetch-Site": "cross-site"})
    assert phone.status == 403
    assert count(desk.teken, surveys) == 0


def test_nothing_of_the_holder_is_logged(desk, issued, phone, caplog):
    code, day = keys_of(desk, issued)
    phone.come(code, day)
    phone.come(code, "1990-01-01")
    phone.get()
    with desk.teken.db.read() as connection:
        stored = repr(connection.execute(select(desk_log)).all()) + repr(
            connection.execute(select(events.c.data)).all()
        )
        stored += repr(connection.execute(select(failures)).all())
    for secret in (code, day, "Wening"):
        assert secret not in stored
        assert secret not in caplog.text
    assert "holder.entered" in stored
    assert "holder.refused" in stored


def test_it_speaks_english_when_asked(desk, issued, phone):
    assert '<html lang="en">' in phone.get("/izin-saya?lang=en").text
    assert "My permit" in phone.text
