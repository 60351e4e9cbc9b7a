"""The counter: what is due, prints, tickets, hand-overs one by one and many at once; who is kept out."""

from __future__ import annotations

import hashlib
import io
import re

import pypdfium2
import pytest
import zxingcpp
from sqlalchemy import func, select, update

from service import acts
from service.permits import State
from service.sop.model import Verb
from service.store.desk_tables import desk_log
from service.store.tables import acts as done
from service.store.tables import events, handovers, mandates, prints, surveys, tickets
from tests.desk.racing import at_once
from tests.desk.shelf import KUDUS, MALANG, ROHIL, ROHUL, Upstream, logged, recorded, until
from tests.support.office import row

BACK = ("rokan-hilir", "back_office_1")
NINE = dict(zip((f"U{n}" for n in range(1, 10)), "434434434", strict=True))


def place(person, permit: str, form: str = "") -> dict[str, str]:
    """The act's form, as the slip has it."""
    page = person.get(f"/meja/loket/{permit}{form}")
    return dict(re.findall(r'name="(revision|position)" value="([^"]*)"', page))


def ticket_of(teken, permit: str) -> str:
    with teken.db.read() as connection:
        return connection.execute(select(tickets.c.code).where(tickets.c.permit == permit)).scalar_one()


def count(teken, table) -> int:
    with teken.db.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def told(teken, permit: str) -> list[str]:
    with teken.db.read() as connection:
        return list(
            connection.execute(select(events.c.type).where(events.c.permit == permit).order_by(events.c.seq)).scalars()
        )


@pytest.fixture
def hilir(desk):
    return Upstream(desk.teken, ROHIL)


@pytest.fixture
def clerk(desk):
    return desk.at_work(*BACK)


def test_from_the_print_to_the_hands_of_the_holder(desk, hilir, clerk):
    permit = until(desk.teken, hilir.send(applicant__nama="Wening Contoh"), Verb.PRINT)
    clerk.get("/meja/loket")
    assert "Wening Contoh" in clerk.text
    clerk.post(f"/meja/loket/{permit}/cetak", place(clerk, permit))
    assert clerk.status == 303
    paper = clerk.browser.get(clerk.headers["Location"])
    assert hashlib.sha256(paper.data).hexdigest() == row(desk.teken, permit).released_sha
    clerk.get(f"/meja/loket/{permit}/survei")
    assert clerk.text.count("Sangat") >= 6
    clerk.post(f"/meja/loket/{permit}/survei", {**place(clerk, permit, "/survei"), **NINE})
    assert clerk.status == 303
    given = {"tiket": ticket_of(desk.teken, permit).lower(), "identitas": "ktp"}
    clerk.post(f"/meja/loket/{permit}/serahkan", {**place(clerk, permit), **given})
    assert clerk.status == 303
    clerk.get(clerk.headers["Location"])
    assert "Izin diserahkan" in clerk.text
    assert [verb for verb, *_ in recorded(desk.teken, permit)][-3:] == ["print", "survey", "handover"]
    clerk.get("/meja/loket/buku")
    assert "Wening Contoh" in clerk.text
    assert ("counter.handover", "ok") in logged(desk.teken, permit)


@pytest.mark.parametrize(
    ("kind", "official", "verb", "path"),
    [
        (KUDUS, "pemroses_1", Verb.DELIVER, "teruskan"),
        (KUDUS, "gerai_1", Verb.RECEIVE, "terima"),
    ],
)
def test_a_form_sent_twice_is_one_act(desk, kind, official, verb, path):
    permit = until(desk.teken, Upstream(desk.teken, kind).send(), verb)
    person = desk.at_work(kind[0], holder_code(desk, kind[0], permit))
    fields = place(person, permit)
    for _ in range(2):
        person.post(f"/meja/loket/{permit}/{path}", fields)
        assert person.status == 303
    assert [one for one, *_ in recorded(desk.teken, permit)].count(str(verb)) == 1


def test_a_form_of_a_case_that_moved_on_does_nothing(desk, hilir, clerk):
    permit = until(desk.teken, hilir.send(), Verb.PRINT)
    fields = place(clerk, permit)
    for stale in ({"position": str(int(fields["position"]) - 1)}, {"revision": "2"}):
        clerk.post(f"/meja/loket/{permit}/cetak", {**fields, **stale})
        assert (clerk.status, count(desk.teken, prints)) == (409, 0), stale


def test_two_clicks_at_once_are_one_act_and_both_are_told_so(each_desk):
    permit = until(each_desk.teken, Upstream(each_desk.teken, ROHIL).send(), Verb.PRINT)
    clerk = each_desk.at_work(*BACK)
    fields = {**place(clerk, permit), "csrf": clerk.csrf}
    answers = at_once(*[lambda: clerk.browser.post(f"/meja/loket/{permit}/cetak", data=fields)] * 2)
    assert len({one.headers["Location"] for one in answers}) == 1
    assert count(each_desk.teken, prints) == 1


def holder_code(desk, office: str, permit: str) -> str:
    from service.demo import holder

    act = desk.teken.pins.open(row(desk.teken, permit).pin).permit_type.procedure.plan[row(desk.teken, permit).position]
    return holder(desk.teken, office, str(act.role)).split("/")[1]


def test_prints_and_hand_overs_sent_twice_are_one(desk, hilir, clerk):
    permit = until(desk.teken, hilir.send(), Verb.PRINT)
    fields = place(clerk, permit)
    addresses = []
    for _ in range(2):
        clerk.post(f"/meja/loket/{permit}/cetak", fields)
        addresses.append(clerk.headers["Location"])
    assert addresses[0] == addresses[1]
    assert count(desk.teken, prints) == 1
    until(desk.teken, permit, Verb.HANDOVER)
    fields = {**place(clerk, permit), "tiket": ticket_of(desk.teken, permit), "identitas": "ktp"}
    for _ in range(2):
        clerk.post(f"/meja/loket/{permit}/serahkan", fields)
        assert clerk.status == 303
    assert count(desk.teken, handovers) == 1


def test_before_the_signature_a_draft_copy_is_printed(desk):
    permit = until(desk.teken, Upstream(desk.teken, MALANG).send(), Verb.PRINT)
    clerk = desk.at_work("malang", "perekonomian_1")
    clerk.get(f"/meja/loket/{permit}")
    assert "Salinan DRAF" in clerk.text
    clerk.post(f"/meja/loket/{permit}/cetak", place(clerk, permit))
    paper = clerk.browser.get(clerk.headers["Location"])
    assert hashlib.sha256(paper.data).hexdigest() == row(desk.teken, permit).draft_sha
    with desk.teken.db.read() as connection:
        assert connection.execute(select(prints.c.kind)).scalar_one() == "draf"


def test_a_reprint_says_why_and_is_the_same_file(desk, hilir, clerk):
    permit = until(desk.teken, hilir.send(), Verb.SURVEY)
    clerk.get(f"/meja/loket/{permit}")
    clerk.post(f"/meja/loket/{permit}/cetak-lagi", {})
    assert clerk.status == 422
    clerk.post(f"/meja/loket/{permit}/cetak-lagi", {"sebab": "hilang", "uraian": "  "})
    assert (clerk.status, "Alasan" in clerk.text) == (422, True)
    assert count(desk.teken, prints) == 1
    clerk.post(f"/meja/loket/{permit}/cetak-lagi", {"sebab": "hilang", "uraian": "Surat kehilangan 12/XI"})
    assert clerk.status == 303
    again = clerk.browser.get(clerk.headers["Location"]).data
    assert again == desk.teken.archive.get(row(desk.teken, permit).released_sha)
    with desk.teken.db.read() as connection:
        kinds = connection.execute(select(prints.c.no, prints.c.kind, prints.c.sha)).all()
    assert [(no, kind) for no, kind, _ in kinds] == [(1, "asli"), (2, "ulang")]
    assert len({sha for *_, sha in kinds}) == 1
    assert "permit.reprinted" in told(desk.teken, permit)
    assert "kehilangan" not in str(_events(desk.teken))
    assert row(desk.teken, permit).position == 7, "a reprint moves nothing on"


def _events(teken) -> list[str]:
    with teken.db.read() as connection:
        return list(connection.execute(select(events.c.data)).scalars())


def test_where_the_sop_prints_no_released_paper_the_first_print_needs_no_reason(desk):
    permit = until(desk.teken, Upstream(desk.teken, KUDUS).send(), Verb.HANDOVER)
    clerk = desk.at_work("kudus", holder_code(desk, "kudus", permit))
    clerk.get(f"/meja/loket/{permit}")
    clerk.post(f"/meja/loket/{permit}/cetak-lagi", {})
    assert clerk.status == 303
    clerk.post(f"/meja/loket/{permit}/cetak-lagi", {})
    assert clerk.status == 422


def test_what_is_revoked_is_neither_printed_nor_handed_over(desk, hilir, clerk):
    permit = until(desk.teken, hilir.send(), Verb.HANDOVER)
    fields = {**place(clerk, permit), "tiket": ticket_of(desk.teken, permit), "identitas": "ktp"}
    acts.decide(desk.teken, "rokan-hilir/kadis", permit, to=State.REVOKED, decision="SK 1/2026", reason="STR dicabut")
    clerk.post(f"/meja/loket/{permit}/serahkan", fields)
    assert clerk.status == 409
    clerk.post(f"/meja/loket/{permit}/cetak-lagi", {"sebab": "hilang", "uraian": "x"})
    assert clerk.status == 409
    clerk.get(f"/meja/loket/{permit}")
    assert "tidak sedang berlaku" in clerk.text
    assert count(desk.teken, handovers) == 0


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"tiket": "AAAA-AAAA", "identitas": "ktp"}, "tiket"),
        ({"identitas": ""}, "Pilih salah satu"),
        ({"identitas": "surat_kuasa", "surat": " "}, "Wajib diisi"),
        ({"identitas": "surat_kuasa", "surat": "x" * 81}, "Paling banyak 80"),
    ],
)
def test_a_wrong_handover_says_what_is_wrong_and_hands_nothing_over(desk, hilir, clerk, given, words):
    permit = until(desk.teken, hilir.send(), Verb.HANDOVER)
    fields = {**place(clerk, permit), "tiket": ticket_of(desk.teken, permit), **given}
    clerk.post(f"/meja/loket/{permit}/serahkan", fields)
    assert clerk.status in {409, 422}
    assert words.lower() in clerk.text.lower()
    assert count(desk.teken, handovers) == 0


def test_a_permit_is_found_by_its_ticket_and_the_ticket_is_filled_in(desk, hilir, clerk):
    permit = until(desk.teken, hilir.send(applicant__nama="Wening Contoh"), Verb.HANDOVER)
    code = ticket_of(desk.teken, permit)
    clerk.get("/meja/loket")
    clerk.post("/meja/loket/cari", {"cari": f" {code[:4]}-{code[4:]} ".lower()})
    assert "Wening Contoh" in clerk.text
    assert f'value="{code[:4].lower()}-{code[4:].lower()}"' in clerk.page
    clerk.post("/meja/loket/cari", {"cari": "wening"})
    assert "Wening Contoh" in clerk.text
    clerk.post("/meja/loket/cari", {"cari": "tak ada"})
    assert "Tidak ditemukan" in clerk.text
    with desk.teken.db.read() as connection:
        assert code not in str(connection.execute(select(desk_log)).all()), "the log names no ticket"


def test_the_ticket_is_one_page_that_scans_and_names_nobody(desk, hilir, clerk):
    permit = until(desk.teken, hilir.send(applicant__nama="Wening Contoh"), Verb.PRINT)
    response = clerk.browser.get(f"/meja/loket/{permit}/tiket.pdf")
    assert response.headers["Content-Type"] == "application/pdf"
    document = pypdfium2.PdfDocument(io.BytesIO(response.data))
    assert len(document) == 1
    code, words = ticket_of(desk.teken, permit), document[0].get_textpage().get_text_bounded()
    assert f"{code[:4]}-{code[4:]}" in words
    assert row(desk.teken, permit).number in words
    assert "Wening" not in words
    assert row(desk.teken, permit).code not in words
    found = zxingcpp.read_barcodes(document[0].render(scale=3).to_pil())
    kinds = {zxingcpp.BarcodeFormat.QRCode, zxingcpp.BarcodeFormat.Code128}
    assert {one.format: one.text for one in found} == dict.fromkeys(kinds, code)
    document.close()


def test_before_the_issue_there_is_no_ticket(desk, hilir, clerk):
    permit = hilir.send()
    clerk.get(f"/meja/loket/{permit}/tiket.pdf")
    assert clerk.status == 404


def test_ten_tickets_of_one_bearer_with_one_wrong_one(desk, hilir, clerk):
    ready = [until(desk.teken, hilir.send(n), Verb.HANDOVER) for n in range(1, 10)]
    codes = [ticket_of(desk.teken, permit) for permit in ready]
    clerk.get("/meja/loket/kolektif")
    clerk.post("/meja/loket/kolektif", {"tiket": "\n".join([*codes[:4], "XXXX-XXXX", *codes[4:]]), "surat": "SK/12"})
    assert clerk.status == 200
    assert "9 izin diserahkan" in clerk.text
    assert clerk.text.count("Kode tidak dikenal") == 1
    with desk.teken.db.read() as connection:
        rows = connection.execute(select(handovers).order_by(handovers.c.no)).all()
    assert [one.no for one in rows] == list(range(1, 10))
    assert {one.identity for one in rows} == {"surat_kuasa"}
    assert {one.reference for one in rows} == {"SK/12"}
    assert len({one.receipt for one in rows}) == 1
    clerk.get(f"/meja/loket/tanda-terima/{rows[0].receipt}")
    assert all(row(desk.teken, permit).number in clerk.text for permit in ready)
    printed = clerk.browser.get(f"/meja/loket/tanda-terima/{rows[0].receipt}.pdf")
    document = pypdfium2.PdfDocument(printed.data)
    words = document[0].get_textpage().get_text_bounded()
    assert (len(document), "Yang menerima," in words, "SK/12" in words, rows[0].receipt in words) == (
        1,
        True,
        True,
        True,
    )
    assert all(row(desk.teken, permit).number in words for permit in ready)
    document.close()
    other = desk.at_work("malang", "perekonomian_1")
    for ending in ("", ".pdf"):
        other.get(f"/meja/loket/tanda-terima/{rows[0].receipt}{ending}")
        assert other.status == 404
    clerk.post("/meja/loket/kolektif", {"tiket": " ".join(codes), "surat": "SK/12"})
    assert clerk.text.count("Sudah diserahkan") == 9
    assert count(desk.teken, handovers) == 9


def test_a_bearer_of_many_fills_the_survey_once(desk, hilir, clerk):
    first = until(desk.teken, hilir.send(1), Verb.HANDOVER)
    waiting = [until(desk.teken, hilir.send(n), Verb.SURVEY) for n in (2, 3, 4)]
    before = count(desk.teken, surveys)
    codes = [ticket_of(desk.teken, permit) for permit in (first, *waiting)]
    clerk.get("/meja/loket/kolektif")
    clerk.post("/meja/loket/kolektif", {"tiket": " ".join(codes), "surat": "SK/12"})
    assert clerk.text.count("Menunggu survei") == 3
    assert "Survei diisi dahulu" in clerk.text
    rest = {"tiket": " ".join(codes[1:]), "surat": "SK/12", "survei": "1"}
    clerk.post("/meja/loket/kolektif", {**rest, **NINE, "U4": ""})
    assert (clerk.status, "belum dijawab" in clerk.text) == (422, True)
    assert count(desk.teken, handovers) == 1
    clerk.post("/meja/loket/kolektif", {**rest, **NINE})
    assert clerk.status == 303
    assert count(desk.teken, surveys) == before + 1
    assert count(desk.teken, handovers) == 4
    assert all("permit.surveyed" in told(desk.teken, permit) for permit in waiting)


def test_the_handover_register_is_a_table_without_formulas(desk, hilir, clerk):
    permit = until(desk.teken, hilir.send(applicant__nama="=HYPERLINK(1) Contoh"), Verb.HANDOVER)
    given = {"tiket": ticket_of(desk.teken, permit), "identitas": "surat_kuasa", "surat": "@SUM(A1)"}
    clerk.post(f"/meja/loket/{permit}/serahkan", {**place(clerk, permit), **given})
    assert clerk.status == 303
    table = clerk.browser.get("/meja/loket/buku.csv")
    text = table.data.decode()
    assert text.startswith("\ufeff")
    assert ";'=HYPERLINK(1) Contoh;" in text
    assert ";'@SUM(A1);" in text
    assert clerk.get("/meja/loket/buku?tahun=2020")
    assert "Belum ada penyerahan" in clerk.text


ROUTES = [
    ("get", "/meja/loket"),
    ("post", "/meja/loket/cari"),
    ("get", "/meja/loket/buku"),
    ("get", "/meja/loket/buku.csv"),
    ("get", "/meja/loket/kolektif"),
    ("post", "/meja/loket/kolektif"),
    ("get", "/meja/loket/tanda-terima/x"),
    ("get", "/meja/loket/tanda-terima/x.pdf"),
    *(("get", f"/meja/loket/{{}}{path}") for path in ("", "/tiket.pdf", "/cetakan/1.pdf", "/survei")),
    *(
        ("post", f"/meja/loket/{{}}/{path}")
        for path in ("cetak", "cetak-lagi", "teruskan", "terima", "survei", "serahkan")
    ),
]


@pytest.mark.parametrize("who", ["no session", "no such role", "another office"])
def test_outsiders_get_nowhere(desk, hilir, who):
    permit = until(desk.teken, hilir.send(applicant__nama="Wening Contoh"), Verb.SURVEY)
    code = ticket_of(desk.teken, permit)
    person = {
        "no session": desk.stranger,
        "no such role": lambda: desk.at_work("rokan-hilir", "kadis"),
        "another office": lambda: desk.at_work("malang", "sekretariat_1"),
    }[who]()
    if who == "another office":
        person.get("/meja/loket")
    fields = {"revision": "1", "position": "7", "cari": code, "tiket": code, "surat": "SK", "identitas": "ktp", **NINE}
    for method, address in ROUTES:
        getattr(person, method)(address.format(permit), *([fields] if method == "post" else []))
        aimed = "{}" in address or "/x" in address
        wanted = {"no session": {303, 403}, "no such role": {403}}.get(who, {404} if aimed else {200, 303})
        assert person.status in wanted, (method, address, person.status)
        assert "Wening" not in person.page
    assert count(desk.teken, handovers) == 0
    assert [verb for verb, *_ in recorded(desk.teken, permit)].count("survey") == 0
    if who != "no session":
        outcomes = {outcome for _, outcome in logged(desk.teken, permit)}
        assert outcomes & {"forbidden", "permit_unknown"}


def test_a_mandate_that_ended_prints_and_hands_over_no_more(desk, hilir, clerk):
    permit = until(desk.teken, hilir.send(), Verb.PRINT)
    fields = place(clerk, permit)
    with desk.teken.db.write() as connection:
        mine = mandates.c.official == "rokan-hilir/back_office_1"
        connection.execute(update(mandates).where(mine).values(valid_to="2026-11-19"))
    clerk.post(f"/meja/loket/{permit}/cetak", fields)
    assert clerk.status == 403
    clerk.get(f"/meja/loket/{permit}")
    assert clerk.status == 403
    assert count(desk.teken, prints) == 0
    assert ("counter_print", "forbidden") in logged(desk.teken, permit)


def test_the_holder_may_refuse_or_wait_and_both_are_recorded(desk, hilir, clerk):
    permit = until(desk.teken, hilir.send(), Verb.SURVEY)
    before = count(desk.teken, surveys)
    clerk.post(f"/meja/loket/{permit}/survei", {**place(clerk, permit, "/survei"), "pilihan": "nanti"})
    assert clerk.status == 303
    assert told(desk.teken, permit)[-1] == "permit.survey_postponed"
    clerk.get(f"/meja/loket/{permit}")
    assert "Isi survei di sini" in clerk.text, "the gate stays"
    clerk.post(f"/meja/loket/{permit}/survei", {**place(clerk, permit, "/survei"), "pilihan": "menolak"})
    assert told(desk.teken, permit)[-1] == "permit.survey_declined"
    clerk.get(f"/meja/loket/{permit}")
    assert "Serahkan izin" in clerk.text
    assert count(desk.teken, surveys) == before


def test_an_unanswered_question_is_named_and_nothing_is_stored(desk, hilir, clerk):
    permit = until(desk.teken, hilir.send(), Verb.SURVEY)
    clerk.post(f"/meja/loket/{permit}/survei", {**place(clerk, permit, "/survei"), **NINE, "U4": "", "U7": "9"})
    assert clerk.status == 422
    assert clerk.text.count("Pertanyaan ini belum dijawab") == 2
    assert 'name="U1" value="4" checked' in clerk.page, "what was ticked stays"
    assert count(desk.teken, done) == len(recorded_all(desk.teken, permit))
    assert count(desk.teken, surveys) == 0


def recorded_all(teken, permit: str) -> list:
    with teken.db.read() as connection:
        return list(connection.execute(select(done).where(done.c.permit == permit)).all())


def test_rokan_hulu_prints_the_draft_and_then_the_issued_paper(desk):
    permit = until(desk.teken, Upstream(desk.teken, ROHUL).send(), Verb.HANDOVER)
    clerk = desk.at_work("rokan-hulu", holder_code(desk, "rokan-hulu", permit))
    clerk.get(f"/meja/loket/{permit}")
    assert "Cetak izin yang terbit" in clerk.text
    clerk.post(f"/meja/loket/{permit}/cetak-lagi", {})
    assert clerk.status == 303
    assert clerk.browser.get(clerk.headers["Location"]).data == desk.teken.archive.get(
        row(desk.teken, permit).released_sha
    )
