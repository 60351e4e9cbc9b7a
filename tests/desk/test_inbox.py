"""The work list: what waits for whom, how soon, what is stuck, and the search; as quick for a thousand cases as for ten."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, select, text

from service import acts, deadlines
from service.clock import stamp
from service.desk import worklist
from service.permits import State
from service.sop.model import Verb
from service.store.permits import change, lock
from service.store.tables import acts as acted
from service.store.tables import permits
from service.web.desk.when import until as when
from service.web.desk.words import Words
from tests.desk.shelf import KUDUS, MALANG, ROHUL, Upstream, copies, rename, until
from tests.support.office import holder, play, row, take_turn, work


@pytest.fixture
def hulu(desk):
    return Upstream(desk.teken, ROHUL)


def test_each_sees_what_waits_for_him_and_how_many(desk, hulu):
    hulu.send(1)
    later = hulu.send(2)
    take_turn(desk.teken, later)
    kasi, kabid, kadis = (desk.at_work("rokan-hulu", who) for who in ("kasi", "kabid", "kadis"))
    for person, own, other in ((kasi, "HULU-0001", "HULU-0002"), (kabid, "HULU-0002", "HULU-0001")):
        person.get("/meja/")
        assert own in person.text
        assert other not in person.text
        assert "1 berkas menunggu Anda" in person.text
        assert '<span class="count">1</span>' in person.page
    kadis.get("/meja/")
    assert "Tidak ada yang menunggu Anda" in kadis.text
    assert '<span class="count">' not in kadis.page


def test_roles_of_a_mandate_that_ended_show_nothing(desk, hulu):
    hulu.send()
    kasi = desk.at_work("rokan-hulu", "kasi")
    with desk.teken.db.write() as connection:
        connection.execute(text("UPDATE mandates SET valid_to = '2026-11-19' WHERE official = 'rokan-hulu/kasi'"))
    kasi.get("/meja/")
    assert "1 berkas menunggu Anda" not in kasi.text


def test_another_office_is_not_there(desk, hulu):
    hulu.send()
    kudus = desk.at_work("kudus", "plt_kadis")
    for path in ("/meja/?lihat=semua", "/meja/?cari=HULU"):
        kudus.get(path)
        assert "HULU-0001" not in kudus.text


def test_what_is_late_comes_first_and_says_so(desk):
    """Malang sets times for each row: two hours for the first paraf."""
    hulu = Upstream(desk.teken, MALANG)
    first = until(desk.teken, hulu.send(1), Verb.PARAF)
    desk.clock.forward(hours=3)
    second = until(desk.teken, hulu.send(2), Verb.PARAF)
    person = desk.at_work("malang", "ahli_muda")
    person.get("/meja/")
    assert person.page.index(first) < person.page.index(second)
    assert "terlambat 1 jam" in person.text
    assert "hari ini" in person.text


@pytest.mark.parametrize(
    ("delta", "words", "tone"),
    [
        ({"minutes": -1}, "terlambat 1 menit", "bad"),
        ({"minutes": -59}, "terlambat 59 menit", "bad"),
        ({"hours": -2}, "terlambat 2 jam", "bad"),
        ({"hours": -50}, "terlambat 2 hari", "bad"),
        ({"hours": 5}, "hari ini 14.00", "wait"),
        ({"hours": 24}, "besok 09.00", "info"),
        ({"days": 5}, "25 November", ""),
        ({"days": 60}, "19 Januari 2027", ""),
    ],
)
def test_due_times_are_said_as_people_say_them(delta, words, tone):
    now = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
    said = when(Words("id", "Asia/Jakarta"), now + timedelta(**delta), now)
    assert (said.text, said.tone) == (words, tone)


def test_tomorrow_begins_at_the_offices_midnight():
    """23.30 UTC is half past six of the next morning in Jakarta."""
    now = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
    assert when(Words("id", "Asia/Jakarta"), datetime(2026, 11, 20, 23, 30, tzinfo=UTC), now).text == "besok 06.30"


def test_the_list_is_filtered_by_act(desk):
    hulu = Upstream(desk.teken, MALANG)
    hulu.send(1)
    until(desk.teken, hulu.send(2), Verb.PRINT)
    person = desk.at_work("malang", "perekonomian_1")
    person.get("/meja/")
    assert "Verifikasi 1" in person.text
    assert "Cetak 1" in person.text
    person.get("/meja/?saring=print")
    assert "HULU-0002" in person.text
    assert "HULU-0001" not in person.text
    person.get("/meja/?saring=<script>")
    assert person.status == 200
    assert "HULU-0001" in person.text


def test_returned_and_parked_cases_stay_in_sight_of_those_concerned(desk, hulu):
    """I1: nothing is silently stuck."""
    returned, parked = hulu.send(1), hulu.send(2)
    acts.give_back(desk.teken, holder(desk.teken, "rokan-hulu", "kepala_seksi"), returned, reason="alamat kurang")
    with desk.teken.db.write() as connection:
        stuck = {"state": State.PARKED, "parked_from": State.DRAFTED, "queue": "none", "fault": "does_not_fit"}
        change(connection, lock(connection, parked), desk.clock.now(), **stuck)
    overseer = desk.at_work("rokan-hulu", duties=("auditor",))
    for person in (desk.at_work("rokan-hulu", "kasi"), desk.at_work("rokan-hulu", "kadis"), overseer):
        person.get("/meja/?saring=returned")
        assert "HULU-0001" in person.text
        assert "HULU-0002" not in person.text
        person.get("/meja/?saring=parked")
        assert "HULU-0002" in person.text
        assert "tidak muat" in person.text
    kudus = desk.at_work("kudus", "plt_kadis")
    kudus.get("/meja/?saring=parked")
    assert "HULU-0002" not in kudus.text


def test_the_aide_sees_the_heads_tray_and_nothing_as_his_own(desk):
    hulu = Upstream(desk.teken, KUDUS)
    waits = until(desk.teken, hulu.send(1), Verb.SIGN)
    hulu.send(2)
    aide = desk.at_work("kudus", duties=("ajudan",))
    aide.get("/meja/")
    assert waits in aide.page
    assert "HULU-0002" not in aide.text
    assert "Kepala Dinas" in aide.text


def test_search_finds_any_permit_of_the_office_by_number_name_and_upstream_id(desk, hulu):
    issued = hulu.send(1, applicant__nama="Wening Contoh Hapsari")
    play(desk.teken, issued)
    hulu.send(2)
    clerk = desk.at_work("rokan-hulu", "loket_1")
    number = row(desk.teken, issued).number
    for asked in (number, number[-12:].lower(), "wening", "CONTOH hapsari", "hulu-0001"):
        clerk.get("/meja/", query_string={"cari": asked})
        assert issued in clerk.page, asked
        assert "HULU-0002" not in clerk.text, asked
    nik = "1406006203980003"  # in the case's body too: not a thing to search people by
    for asked in ("%", "_", "\\", nik, "' OR 1=1 --", "x" * 300):
        clerk.get("/meja/", query_string={"cari": asked})
        assert clerk.status == 200
        assert "Tidak ditemukan" in clerk.text, asked


def test_search_terms_are_shown_as_text_and_not_logged(desk, hulu):
    hulu.send()
    clerk = desk.at_work("rokan-hulu", "loket_1")
    clerk.get("/meja/", query_string={"cari": "<script>alert(1)</script>"})
    assert "<script>alert" not in clerk.page
    with desk.teken.db.read() as connection:
        assert "alert" not in repr(connection.execute(text("SELECT * FROM desk_log")).all())


def test_a_thousand_cases_are_paged_with_a_fixed_number_of_questions(desk, hulu):
    model = hulu.send(1)
    copies(desk.teken, model, 60)
    rename(desk.teken, model, "Yang Lain")
    person = desk.at_work("rokan-hulu", "kasi")
    few = _questions(desk, lambda: person.get("/meja/"))
    assert "61 berkas menunggu Anda" in person.text
    assert "Halaman 1 dari 2" in person.text
    assert person.page.count('class="strong cover"') == worklist.PAGE
    person.get("/meja/?hal=2")
    assert person.page.count('class="strong cover"') == 11
    with desk.teken.db.write() as connection:
        connection.execute(text("DELETE FROM acts WHERE permit LIKE 'izn_000%'"))
    for path in ("/meja/?hal=99", "/meja/?hal=0", "/meja/?hal=-1", "/meja/?hal=x"):
        person.get(path)
        assert person.status == 200
    rename(desk.teken, "izn_00000000000000000001", "Yang Lain")
    assert _questions(desk, lambda: person.get("/meja/?hal=2")) == few


def test_a_thousand_cases_are_listed_as_soon_as_a_hundred(desk, hulu):
    """No due time is worked out for a case that isn't shown: neither in the list nor beside the case that is open.

    It takes 1.8 times as long on a quiet machine, 2.3 beside others; if each were looked at, it would be ten times.
    """
    model = hulu.send(1)
    person = desk.at_work("rokan-hulu", "kasi")
    first, *_ = copies(desk.teken, model, 100)
    pages = ("/meja/", f"/meja/izin/{first}")
    few = [_cpu(lambda path=path: person.get(path)) for path in pages]
    copies(desk.teken, model, 900, after=100)
    many = [_cpu(lambda path=path: person.get(path)) for path in pages]
    person.get("/meja/")
    assert "1001 berkas menunggu Anda" in person.text
    assert all(much < 5 * little for much, little in zip(many, few, strict=True)), (few, many)


def _cpu(act) -> float:
    taken = []
    for _ in range(5):
        begun = time.process_time()
        act()
        taken.append(time.process_time() - begun)
    return min(taken)


@pytest.mark.parametrize(
    ("kind", "verb"), [(MALANG, Verb.VERIFY), (MALANG, Verb.PRINT), (KUDUS, Verb.SIGN), (ROHUL, None)]
)
def test_the_order_is_that_of_the_due_times_of_all(desk, kind, verb):
    """Days and nights, a weekend, a corrected case and two that go first."""
    upstream, times = Upstream(desk.teken, kind), random.Random(1)
    model = upstream.send(1)
    ids = [model, *copies(desk.teken, until(desk.teken, model, verb) if verb else model, 60)]
    with desk.teken.db.write() as connection:
        for one in ids:
            came = desk.clock.now() - timedelta(minutes=times.randrange(20_000))
            stamped = {
                "created_at": stamp(came),
                "complete_at": stamp(came - timedelta(minutes=times.randrange(5_000))),
            }
            connection.execute(permits.update().where(permits.c.id == one).values(**stamped))
            last = stamp(came + timedelta(minutes=times.randrange(10_000)))
            connection.execute(acted.update().where(acted.c.permit == one).values(at=last))
    rename(desk.teken, ids[7], "Yang Lain")
    first = {ids[3], ids[7]}
    with desk.teken.db.read() as connection:
        rows = connection.execute(select(permits, deadlines.since()).where(permits.c.id.in_(ids))).all()
        cases = [(one, desk.teken.pins.open(one.pin)) for one in rows]
        wanted = deadlines.dues(connection, cases)
        found = list(deadlines.soonest(connection, cases, first))
    assert dict(found) == wanted
    order = [(one not in first, due or "9") for one, due in found]
    assert order == sorted(order)
    assert len(set(wanted.values())) > 10 or verb is None


def test_no_list_reads_a_whole_table_that_grows(desk, hulu):
    """Every statement of the work list, as SQLite would carry it out on an office with many years of permits."""
    hulu.send()
    person, asked = desk.at_work("rokan-hulu", "kasi"), []

    def note(_connection, _cursor, statement, values, *_rest) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            asked.append((statement, values))

    engine = desk.teken.db.engine
    event.listen(engine, "before_cursor_execute", note)
    person.get("/meja/")
    event.remove(engine, "before_cursor_execute", note)
    with desk.teken.db.read() as connection:
        plans = [connection.exec_driver_sql("EXPLAIN QUERY PLAN " + one, values).all() for one, values in asked]
    read = [step[3] for plan in plans for step in plan]
    for index in ("permits_at_desk", "permits_stuck", "case_notes_first"):
        assert any(index in step for step in read), index
    grows = ("permits", "case_notes", "case_revisions", "acts", "events", "desk_log")
    assert [step for step in read if step.startswith("SCAN") and step.split()[1] in grows and "INDEX" not in step] == []


def test_the_list_speaks_english_when_asked(desk, hulu):
    hulu.send()
    kasi = desk.at_work("rokan-hulu", "kasi")
    kasi.get("/meja/bahasa/en?lanjut=/meja/")
    kasi.get("/meja/")
    assert "1 cases wait for you" in kasi.text
    assert kasi.headers["Content-Language"] == "en"


def test_neighbours_are_those_of_the_same_act(desk):
    hulu = Upstream(desk.teken, MALANG)
    first, printed, last = (_sent_later(desk, hulu, number) for number in (1, 2, 3))
    until(desk.teken, printed, Verb.PRINT)
    work(desk.teken)
    person = desk.at_work("malang", "perekonomian_1")
    person.get(f"/meja/izin/{first}")
    assert f'rel="next" data-key="j" href="/meja/izin/{last}"' in person.page
    person.get(f"/meja/izin/{last}")
    assert f'rel="prev" data-key="k" href="/meja/izin/{first}"' in person.page
    assert 'rel="next"' not in person.page


def _sent_later(desk, hulu, number: int) -> str:
    desk.clock.forward(minutes=1)
    return hulu.send(number)


def _questions(desk, ask) -> int:
    asked: list[str] = []

    def note(_connection, _cursor, statement, *_rest) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            asked.append(statement)

    engine = desk.teken.db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        ask()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return len(asked)
