"""The auditor's screens: the audit of his office, who saw and did what, and a permit's journal. He changes nothing."""

from __future__ import annotations

import json
import os
import threading
import time

import pytest
from sqlalchemy import update

from service import audit
from service.checkpoint import read
from service.desk import audits
from service.desk.accounts import of_office
from service.errors import Conflict
from service.sop.model import Verb
from service.store.tables import permits
from tests.desk.racing import at_once
from tests.desk.shelf import MALANG, ROHIL, Upstream, until
from tests.support.office import row

OFFICE = ROHIL[0]
ROUTES = (
    ("get", "/meja/audit"),
    ("post", "/meja/audit/mulai"),
    ("get", "/meja/audit/laporan.json"),
    ("get", "/meja/audit/catatan"),
    ("get", "/meja/audit/catatan.csv"),
    ("get", "/meja/audit/jurnal/izn_x"),
)


@pytest.fixture
def auditor(desk):
    return desk.at_work(OFFICE, duties=["auditor"])


def finished(desk, office: str = OFFICE) -> audits.Report:
    until_ = time.monotonic() + 60
    while time.monotonic() < until_:
        found = audits.standing(desk.teken, office)
        if not found.running and found.report is not None and not _threads():
            return found.report
        time.sleep(0.02)
    raise AssertionError("the audit does not end")


def _threads() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name.startswith("audit-")]


def test_nobody_but_an_auditor_opens_any_of_it(desk):
    outsiders = [desk.at_work(OFFICE, "kadis"), desk.at_work(OFFICE, duties=["admin"])]
    for method, path in ROUTES:
        for person in outsiders:
            getattr(person, method)(path)
            assert person.status == 403, path
        stranger = desk.stranger()
        getattr(stranger, method)(path)
        assert stranger.status in {303, 403}, path
    assert audits.standing(desk.teken, OFFICE).report is None


def test_an_intact_office_is_said_to_be_intact_with_a_checkpoint_to_take_away(desk, auditor):
    permit = until(desk.teken, Upstream(desk.teken, ROHIL).send(), Verb.PRINT)
    auditor.get("/meja/audit")
    assert "Belum pernah diperiksa" in auditor.text
    auditor.get("/meja/audit/laporan.json")
    assert auditor.status == 404
    auditor.post("/meja/audit/mulai")
    assert auditor.status == 303
    report = finished(desk)
    assert (report.violations, report.fault, report.walked["documents"]) == ([], None, 1)
    auditor.get("/meja/audit")
    assert "Semua utuh" in auditor.text
    auditor.get("/meja/audit/laporan.json")
    taken = json.loads(auditor.page)
    noted = read(taken["checkpoint"], desk.teken.notary.verifier)
    assert noted.length >= taken["walked"]["events"] > 0
    assert audit.audit(desk.teken, checkpoint=taken["checkpoint"]).violations == ()
    nik = json.loads(_body(desk.teken, permit))["applicant"]["nik"]
    assert nik not in auditor.page


def _body(teken, permit: str) -> str:
    from service.corrections import newest

    with teken.db.read() as connection:
        return str(newest(connection, row(teken, permit)).body)


def test_a_forged_number_is_found_and_another_office_hears_nothing_of_it(desk, auditor):
    permit = until(desk.teken, Upstream(desk.teken, ROHIL).send(), Verb.PRINT)
    with desk.teken.db.write() as connection:
        connection.execute(update(permits).where(permits.c.id == permit).values(number="503/999/PALSU"))
    auditor.post("/meja/audit/mulai")
    assert {one["invariant"] for one in finished(desk).violations} >= {"I3"}
    auditor.get("/meja/audit")
    assert "temuan" in auditor.text
    assert permit in auditor.page
    elsewhere = desk.at_work("malang", duties=["auditor"])
    elsewhere.post("/meja/audit/mulai")
    assert finished(desk, "malang").violations == []
    elsewhere.get("/meja/audit")
    assert permit not in elsewhere.page
    assert audit.audit(desk.teken).violations != ()


def test_an_office_alone_is_walked_as_all_of_them_together(desk):
    """What is walked of each office adds up to the whole, the common journal apart."""
    for kind in (ROHIL, MALANG):
        until(desk.teken, Upstream(desk.teken, kind).send(), Verb.PRINT)
    whole = audit.audit(desk.teken).walked
    parts = [audit.audit(desk.teken, office=code).walked for code in desk.teken.offices.offices]
    for counted in ("series", "register entries", "documents"):
        assert sum(part.get(counted, 0) for part in parts) == whole.get(counted, 0), counted
    assert {part["events"] for part in parts} == {whole["events"]}


def test_one_audit_at_a_time(desk, auditor, monkeypatch):
    gate, walking = threading.Event(), audit.audit

    def slow(*given, **named):
        gate.wait(20)
        return walking(*given, **named)

    monkeypatch.setattr(audit, "audit", slow)
    who = next(one for one, _ in of_office(desk.teken, OFFICE))
    thread = audits.begin(desk.teken, who)
    auditor.get("/meja/audit")
    assert "sedang berjalan" in auditor.text
    assert auditor.headers["Refresh"] == "5"
    auditor.post("/meja/audit/mulai")
    assert auditor.status == 409
    gate.set()
    thread.join(20)
    audits.begin(desk.teken, who).join(20)
    monkeypatch.setattr(audits, "STALE_SECONDS", -1)
    mark = desk.teken.settings.home / "audit" / f"{OFFICE}.running"
    mark.touch()  # of a process that died
    audits.begin(desk.teken, who).join(20)
    assert not mark.exists()


def test_a_run_says_how_far_it_is_and_that_it_lives(desk, auditor, monkeypatch):
    for number in (1, 2):
        until(desk.teken, Upstream(desk.teken, ROHIL).send(number), Verb.PRINT)
    mark, seen, proving = desk.teken.settings.home / "audit" / f"{OFFICE}.running", [], audit._document

    def look(teken, document):
        seen.append((auditor.get("/meja/audit"), mark.stat().st_mtime > time.time() - 60))
        os.utime(mark, (0, 0))  # a long time ago
        return proving(teken, document)

    monkeypatch.setattr(audits, "BEAT_SECONDS", 0)
    monkeypatch.setattr(audit, "_document", look)
    who = next(one for one, _ in of_office(desk.teken, OFFICE))
    audits.begin(desk.teken, who).join(60)
    assert [fresh for _, fresh in seen] == [True, True]
    assert [f"{n} dari 2 dokumen terperiksa" in page for n, (page, _) in enumerate(seen)] == [True, True]
    assert f"oleh {who.name}" in seen[0][0]
    assert list(mark.parent.iterdir()) == [mark.with_suffix(".json")], "nothing half written is left"


def test_an_audit_that_breaks_off_says_so_and_lets_the_next_one_begin(desk, auditor, monkeypatch):
    def broken(*_given, **_named):
        raise RuntimeError("NIK 1234")

    monkeypatch.setattr(audit, "audit", broken)
    auditor.post("/meja/audit/mulai")
    assert finished(desk).fault == "RuntimeError"
    auditor.get("/meja/audit")
    assert "Pemeriksaan terhenti" in auditor.text
    assert "1234" not in auditor.page
    monkeypatch.undo()
    auditor.post("/meja/audit/mulai")
    assert finished(desk).fault is None


def test_the_log_is_filtered_by_permit_account_and_day_and_holds_refusals(desk, auditor):
    upstream = Upstream(desk.teken, ROHIL)
    permit, other = (until(desk.teken, upstream.send(number), Verb.PRINT) for number in (1, 2))
    clerk = desk.at_work(OFFICE, "back_office_1")
    clerk.get(f"/meja/izin/{permit}")
    clerk.get("/meja/audit")
    head = desk.at_work(OFFICE, "kadis")
    head.get(f"/meja/izin/{other}")
    names = {account.login: account.id for account, _ in of_office(desk.teken, OFFICE)}

    def shown(**asked) -> str:
        auditor.get("/meja/audit/catatan", query_string=asked)
        assert auditor.status == 200
        return auditor.page

    for name in (permit, row(desk.teken, permit).number, row(desk.teken, permit).upstream_id):
        page = shown(izin=name)
        assert f"/meja/audit/jurnal/{permit}" in page
        assert f"/meja/audit/jurnal/{other}" not in page
    shown(akun=names["back_office_1.rokan-hilir"])
    assert "ditolak" in auditor.text.lower() or "tidak berwenang" in auditor.text.lower() or "tag bad" in auditor.page
    assert f"/meja/audit/jurnal/{other}" not in auditor.page
    assert "Tidak ada catatan" in shown(hari="2026-11-19")
    assert permit in shown(hari="2026-11-20")
    assert "Tidak ada catatan" in shown(izin="tak-dikenal")
    auditor.get("/meja/audit/catatan?hari=kemarin")
    assert auditor.status == 400
    auditor.get("/meja/audit/catatan.csv", query_string={"izin": permit})
    lines = auditor.page.splitlines()
    assert "case.seen" in auditor.page
    assert all(permit in line for line in lines[1:])


def test_the_log_is_paged(desk, auditor):
    for _ in range(130):
        auditor.get("/meja/audit/jurnal/izn_x")
    auditor.get("/meja/audit/catatan")
    assert "Lebih lama" in auditor.text
    first = auditor.page.count("<tr>")
    import re

    auditor.get(re.search(r'href="(/meja/audit/catatan\?[^"]*sebelum=\d+)"', auditor.page).group(1))
    assert auditor.status == 200
    assert 0 < auditor.page.count("<tr>") < first


def test_another_offices_log_and_journal_are_not_there(desk, auditor):
    other = until(desk.teken, Upstream(desk.teken, MALANG).send(), Verb.VERIFY)
    auditor.get(f"/meja/audit/jurnal/{other}")
    assert auditor.status == 404
    auditor.get("/meja/audit/catatan", query_string={"izin": other})
    assert "Tidak ada catatan" in auditor.text


def test_the_journal_of_a_permit_is_shown_with_its_checkpoints(desk, auditor):
    permit = until(desk.teken, Upstream(desk.teken, ROHIL).send(), Verb.PRINT)
    auditor.get(f"/meja/audit/jurnal/{permit}")
    assert auditor.status == 200
    for text in ("Terbit", "teken/jurnal", "SHA-256"):
        assert text in auditor.text
    assert audits.lines(desk.teken, OFFICE, permit=permit, most=10)[0].action == "audit.journal_seen"


def test_beginning_twice_at_once_is_one(desk, auditor, monkeypatch):
    who = next(one for one, _ in of_office(desk.teken, OFFICE))
    gate = threading.Event()
    monkeypatch.setattr(audit, "audit", lambda *_given, **_named: gate.wait(20) and audit.Findings((), {}))
    answers = at_once(*[lambda: audits.begin(desk.teken, who)] * 8)
    gate.set()
    assert sum(isinstance(one, Conflict) for one in answers) == 7
    next(one for one in answers if not isinstance(one, Conflict)).join(20)
    assert audits.standing(desk.teken, OFFICE).report is not None
