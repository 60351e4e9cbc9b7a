"""Decisions on a permit: proposed by one, confirmed by the head, carried out in that moment; and wrong data made right."""

from __future__ import annotations

import json
import shutil

import pypdfium2
import pytest
from sqlalchemy import select, update

from service import acts, pipeline, register
from service.app import create_app
from service.audit import audit
from service.clock import SetClock
from service.demo import holder, take_turn
from service.desk import decisions, sessions
from service.desk.accounts import Account
from service.errors import TekenError
from service.permits import State
from service.settings import PROJECT, Settings
from service.sop.model import Verb
from service.store.desk_tables import accounts, proposals
from service.store.tables import acts as done
from service.store.tables import events, mandates, permits
from service.store.tables import register as entries
from service.verification import by_code, verify_file
from service.wiring import open_teken
from service.year_end import settle_year
from tests.desk.people import Desk
from tests.desk.racing import at_once
from tests.desk.shelf import MALANG, ROHIL, Upstream, logged, until
from tests.procedures.stories import text as words_of
from tests.support.office import NOW, play, row, work

OFFICE = ROHIL[0]
WHY = {"alasan": "Pindah praktik ke kabupaten lain", "keputusan": "SK-44/2026", "dasar": "moved"}


@pytest.fixture
def town(desk):
    desk.upstream = Upstream(desk.teken, ROHIL)
    return desk


def issued(town, number: int = 1) -> str:
    permit = town.upstream.send(number)
    until(town.teken, permit, Verb.PRINT)
    return permit


def crew(town):
    return town.at_work(OFFICE, "back_office_1"), town.at_work(OFFICE, "kadis")


def waiting(teken) -> str:
    with teken.db.read() as connection:
        query = select(proposals.c.id).where(proposals.c.state == "open").order_by(proposals.c.proposed_at.desc())
        return str(connection.execute(query).scalars().first())


def told(teken, permit: str, kind: str) -> list[dict]:
    with teken.db.read() as connection:
        query = select(events.c.data).where(events.c.permit == permit, events.c.type == kind)
        return [json.loads(one) for one in connection.execute(query).scalars()]


def decided(clerk, head, permit: str, kind: str, **typed) -> None:
    clerk.post(f"/meja/izin/{permit}/keputusan/{kind}", {**WHY, **typed})
    assert clerk.status == 303, clerk.text
    head.post(f"/meja/izin/{permit}/keputusan/{waiting(head.desk.teken)}/setujui")


def test_suspended_reinstated_and_revoked_as_the_public_sees_it(town):
    teken, permit = town.teken, issued(town)
    clerk, head = crew(town)
    code = row(teken, permit).code

    def public() -> str:
        return str(by_code(teken, code, at=town.clock.now()).state)

    decided(clerk, head, permit, "suspend")
    assert (row(teken, permit).state, public()) == (State.SUSPENDED, "suspended")
    decided(clerk, head, permit, "reinstate")
    assert (row(teken, permit).state, public()) == (State.IN_FORCE, "in_force")
    decided(clerk, head, permit, "revoke")
    assert (row(teken, permit).state, public()) == (State.REVOKED, "revoked")
    guest = town.stranger()
    guest.get(f"/v/{code}")
    assert "dicabut" in guest.text.lower()
    assert "kabupaten lain" not in guest.text
    [event] = told(teken, permit, "permit.revoked")
    assert (event["decision"], event["ground"]) == ("SK-44/2026", "moved")
    assert "Pindah praktik" not in json.dumps(event)
    with pytest.raises(TekenError):
        acts.print_paper(teken, holder(teken, OFFICE, "back_office"), permit)
    assert not take_turn(teken, permit), "nothing is printed or handed over"
    lines = logged(teken, permit)
    for kind in ("permit.suspend", "permit.reinstate", "permit.revoke"):
        assert (f"{kind}.proposed", "ok") in lines
        assert (f"{kind}.confirmed", "ok") in lines
    assert audit(teken).violations == ()


def test_the_head_does_not_propose_and_the_clerk_does_not_confirm(town):
    permit = issued(town)
    clerk, head = crew(town)
    head.post(f"/meja/izin/{permit}/keputusan/revoke", WHY)
    assert head.status == 403
    clerk.post(f"/meja/izin/{permit}/keputusan/revoke", WHY)
    proposal = waiting(town.teken)
    clerk.post(f"/meja/izin/{permit}/keputusan/{proposal}/setujui")
    assert clerk.status == 403
    other = town.at_work(OFFICE, "back_office_2")
    other.post(f"/meja/izin/{permit}/keputusan/{proposal}/tolak")
    assert other.status == 403
    clerk.post(f"/meja/izin/{permit}/keputusan/suspend", WHY)
    assert (clerk.status, "menunggu untuk izin ini" in clerk.text) == (409, True)
    clerk.post(f"/meja/izin/{permit}/keputusan/{proposal}/tolak")
    assert clerk.status == 303
    assert row(town.teken, permit).state == State.IN_FORCE
    assert ("decision_propose", "role_forbids") in logged(town.teken, permit)
    assert ("decision_confirm", "forbidden") in logged(town.teken, permit)


@pytest.mark.parametrize(
    ("missing", "said"), [("alasan", "Wajib diisi"), ("keputusan", "Wajib diisi"), ("dasar", "Wajib diisi")]
)
def test_what_is_missing_is_told_and_what_was_typed_stays(town, missing, said):
    permit = issued(town)
    clerk, _ = crew(town)
    clerk.post(f"/meja/izin/{permit}/keputusan/revoke", {**WHY, missing: " "})
    assert clerk.status == 422
    assert said in clerk.text or "Pilih salah satu" in clerk.text
    kept = {"alasan": "SK-44/2026"}.get(missing, "Pindah praktik ke kabupaten lain")
    assert kept in clerk.page


def test_another_office_another_permit_and_nobody(town):
    permit, second = issued(town), issued(town, 2)
    clerk, head = crew(town)
    clerk.post(f"/meja/izin/{permit}/keputusan/revoke", WHY)
    proposal = waiting(town.teken)
    elsewhere = town.at_work("malang", "kadis")
    for person, path, status in (
        (elsewhere, f"/meja/izin/{permit}/keputusan", 404),
        (elsewhere, f"/meja/izin/{permit}/perbaikan", 404),
        (town.at_work("malang", _clerk(town.teken)), f"/meja/izin/{permit}/perbaikan", 404),
        (town.at_work(OFFICE, duties=["auditor"]), "/meja/keputusan", 403),
        (clerk, "/meja/keputusan", 403),
        (town.stranger(), f"/meja/izin/{permit}/keputusan", 303),
    ):
        person.get(path)
        assert person.status == status, path
    for act in ("setujui", "tolak"):
        elsewhere.post(f"/meja/izin/{permit}/keputusan/{proposal}/{act}")
        assert elsewhere.status == 404
        head.post(f"/meja/izin/{second}/keputusan/{proposal}/{act}")
        assert head.status == 404, "a proposal is of its permit"
    auditor = town.at_work(OFFICE, duties=["auditor"], login="auditor.dua")
    auditor.post(f"/meja/izin/{second}/keputusan/suspend", WHY)
    assert auditor.status == 403
    assert row(town.teken, permit).state == State.IN_FORCE


def test_a_head_whose_mandate_ended_meanwhile_confirms_nothing(town):
    permit = issued(town)
    clerk, head = crew(town)
    clerk.post(f"/meja/izin/{permit}/keputusan/revoke", WHY)
    proposal = waiting(town.teken)
    head.get("/meja/keputusan")
    assert "Cabut izin" in head.text
    with town.teken.db.write() as connection:
        mine = mandates.c.official == f"{OFFICE}/kadis"
        connection.execute(update(mandates).where(mine).values(valid_to="2026-11-01"))
    head.post(f"/meja/izin/{permit}/keputusan/{proposal}/setujui")
    assert head.status == 403
    assert row(town.teken, permit).state == State.IN_FORCE


def test_a_void_before_issue_keeps_the_number_in_the_register_and_gives_it_to_nobody(town):
    teken = town.teken
    permit = until(teken, town.upstream.send(), Verb.SIGN)
    clerk, head = crew(town)
    number = row(teken, permit).number
    assert number
    clerk.post(f"/meja/izin/{permit}/keputusan/revoke", WHY)
    assert clerk.status == 409, "what is not issued is not revoked"
    clerk.post(f"/meja/izin/{permit}/keputusan/void", {"alasan": "Permohonan ganda"})
    head.post(f"/meja/izin/{permit}/keputusan/{waiting(teken)}/setujui")
    assert row(teken, permit).state == State.CLOSED
    with teken.db.read() as connection:
        assert register.is_void(connection, permit)
    [event] = told(teken, permit, "permit.withdrawn")
    assert (event["by"], event["voided"]) == (f"official:{OFFICE}/kadis", number)
    second = until(teken, town.upstream.send(2), Verb.SIGN)
    assert row(teken, second).number != number
    assert audit(teken).violations == ()


def correct(town, clerk, permit: str, **changes) -> str:
    clerk.get(f"/meja/izin/{permit}/perbaikan")
    fields = form(clerk.page)
    clerk.post(f"/meja/izin/{permit}/perbaikan", {**fields, **changes, "alasan": "Nama salah ketik"})
    return fields["applicant.nama"]


def form(page: str) -> dict[str, str]:
    import html
    import re

    found = dict(re.findall(r'<input id="f-[^"]+" name="([^"]+)" value="([^"]*)"', page))
    for name, body in re.findall(r'<select id="f-[^"]+" name="([^"]+)">(.*?)</select>', page, re.S):
        found[name] = next(iter(re.findall(r'<option value="([^"]*)" selected>', body)), "")
    return {name: html.unescape(value) for name, value in found.items()}


def corrected(town, old: str) -> str:
    with town.teken.db.read() as connection:
        query = select(permits.c.id).where(permits.c.replaces == old, permits.c.state != State.CLOSED)
        return str(connection.execute(query).scalar_one())


def test_the_form_of_a_correction_speaks_words(town):
    old = issued(town)
    clerk, _ = crew(town)
    clerk.get(f"/meja/izin/{old}/perbaikan")
    assert "Laki-laki" in clerk.text
    assert ">L<" not in clerk.page
    assert form(clerk.page)["applicant.jenis_kelamin"] == "P"


def test_the_correction_of_a_move_says_again_what_it_revoked(town):
    """Its paper takes the place of the one that revoked the old permit."""
    teken, old = town.teken, issued(town)
    moved = {"request_kind": "CABUT_PINDAH", "replaces": row(teken, old).number}
    new = until(teken, town.upstream.send(2, **moved), Verb.PRINT)
    assert row(teken, old).state == State.REVOKED
    clerk, head = crew(town)
    correct(town, clerk, new, **{"applicant.nama": "Wening Dua"})
    head.post(f"/meja/izin/{new}/keputusan/{waiting(teken)}/setujui")
    corrected_ = corrected(town, new)
    play(teken, corrected_)
    after = row(teken, corrected_)
    assert (after.state, row(teken, new).state) == (State.IN_FORCE, State.REPLACED)
    assert f"Izin Nomor {row(teken, old).number} dicabut" in words_of(teken.archive.get(after.released_sha))
    assert audit(teken).violations == ()


def test_wrong_data_are_made_right_under_the_same_number(town):
    teken, old = town.teken, issued(town)
    clerk, head = crew(town)
    before = row(teken, old)
    correct(town, clerk, old, **{"applicant.nama": "Wening Contoh Hapsari"})
    assert clerk.status == 303, clerk.text
    for address in ("/meja/keputusan", f"/meja/izin/{old}/keputusan"):
        head.get(address)
        assert "Wening Contoh Hapsari" in head.text, "what he confirms is what he sees"
    head.post(f"/meja/izin/{old}/keputusan/{waiting(teken)}/setujui")
    assert head.status == 303, head.text
    new = corrected(town, old)
    until(teken, new, Verb.SIGN)
    pending = row(teken, new)
    assert (pending.number, pending.set_on) == (before.number, before.set_on)
    assert pending.code != before.code
    assert row(teken, old).state == State.IN_FORCE, "until the new one is issued"
    assert str(by_code(teken, before.code, at=town.clock.now()).state) == "in_force"
    assert audit(teken).violations == ()
    town.clock.forward(days=60)  # a new year begins before it is signed: the number is not its own to give back
    assert settle_year(teken, OFFICE) == []
    play(teken, new)
    after = row(teken, new)
    assert (after.state, after.number, after.set_on) == (State.IN_FORCE, before.number, before.set_on)
    assert row(teken, old).state == State.REPLACED
    answer = by_code(teken, before.code, at=town.clock.now())
    assert (str(answer.state), answer.permit.replaced_by) == ("replaced", after.code)
    assert (answer.permit.became, answer.permit.corrects) == ("corrected", False)
    assert by_code(teken, after.code, at=town.clock.now()).permit.corrects
    assert by_code(teken, after.code, at=town.clock.now()).permit.holder == "Wening Contoh Hapsari"
    with teken.db.read() as connection:
        [entry] = connection.execute(select(entries).where(entries.c.kind == "correct")).all()
        assert (entry.permit, entry.reason, entry.number) == (new, old, before.number)
        signed = select(done.c.official).where(done.c.permit == new, done.c.verb == "sign")
        assert connection.execute(signed).scalar_one() == f"{OFFICE}/kadis"
    [event] = told(teken, new, "permit.issued")
    assert (event["corrects"], event["corrected_sha256"]) == (old, before.released_sha)
    assert audit(teken).violations == ()
    head.log_in()
    head.get(f"/meja/izin/{new}/keputusan")
    assert before.released_sha in head.page
    assert after.released_sha in head.page
    assert str(verify_file(teken, teken.archive.get(before.released_sha)).permit_state) == "replaced"


def test_a_second_correction_follows_the_first(town):
    teken, first = town.teken, issued(town)
    clerk, head = crew(town)
    number, versions = row(teken, first).number, [row(teken, first).released_sha]
    for name in ("Wening Satu", "Wening Dua"):
        correct(town, clerk, first, **{"applicant.nama": name})
        head.post(f"/meja/izin/{first}/keputusan/{waiting(teken)}/setujui")
        first = corrected(town, first)
        until(teken, first, Verb.PRINT)
        assert row(teken, first).number == number
        versions.append(row(teken, first).released_sha)
    assert row(teken, first).upstream_id == "HULU-0001/P2"
    assert audit(teken).violations == ()
    clerk.get(f"/meja/izin/{first}/keputusan")
    assert clerk.text.count("SHA-256") == 3
    series = {"query_string": {"seri": row(teken, first).series}}
    clerk.get("/meja/register/buku", **series)
    assert f"SHA-256 {' → '.join(one[:12] for one in versions)}" in clerk.text
    assert all(f'title="{one}"' in clerk.page for one in versions)
    table = clerk.get("/meja/register/buku.csv", **series).splitlines()
    assert table[0].endswith(";SHA-256 dokumen;SHA-256 dokumen sebelum perbaikan")
    assert table[1].endswith(f";{versions[2]};{versions[0]} {versions[1]}")
    printed = clerk.browser.get("/meja/register/buku.pdf", **series).data
    document = pypdfium2.PdfDocument(printed)
    words = document[0].get_textpage().get_text_bounded()
    document.close()
    assert " → ".join(one[:12] for one in versions) in " ".join(words.split())


def test_a_withdrawn_correction_leaves_the_number_where_it_is(town):
    teken, old = town.teken, issued(town)
    clerk, head = crew(town)
    correct(town, clerk, old, **{"applicant.nama": "Wening Satu"})
    head.post(f"/meja/izin/{old}/keputusan/{waiting(teken)}/setujui")
    new = until(teken, corrected(town, old), Verb.SIGN)
    clerk.post(f"/meja/izin/{old}/perbaikan", {})
    assert clerk.status in {409, 422}
    clerk.post(f"/meja/izin/{new}/keputusan/void", {"alasan": "Ternyata benar"})
    head.post(f"/meja/izin/{new}/keputusan/{waiting(teken)}/setujui")
    assert row(teken, new).state == State.CLOSED
    with teken.db.read() as connection:
        assert not register.is_void(connection, old)
    assert audit(teken).violations == ()


def test_a_correction_of_what_was_revoked_meanwhile_is_not_issued(town):
    teken, old = town.teken, issued(town)
    clerk, head = crew(town)
    correct(town, clerk, old, **{"applicant.nama": "Wening Satu"})
    head.post(f"/meja/izin/{old}/keputusan/{waiting(teken)}/setujui")
    new = until(teken, corrected(town, old), Verb.SIGN)
    decided(clerk, head, old, "revoke")
    assert row(teken, old).state == State.REVOKED
    take_turn(teken, new)
    for _ in range(30):
        if not pipeline.drain(teken, "work") + pipeline.drain(teken, "sign"):
            break
    assert (row(teken, new).state, row(teken, new).fault) == (State.PARKED, "corrected_not_in_force")
    assert str(by_code(teken, row(teken, old).code, at=town.clock.now()).state) == "revoked"


def test_a_correction_is_judged_like_any_case(town):
    old = issued(town)
    clerk, head = crew(town)
    correct(town, clerk, old)
    assert (clerk.status, "Belum ada data yang diubah" in clerk.text) == (422, True)
    correct(town, clerk, old, **{"applicant.nik": "123", "applicant.nama": "Wening"})
    assert (clerk.status, "16 angka" in clerk.text) == (422, True)
    assert 'value="Wening"' in clerk.page
    head.get(f"/meja/izin/{old}/perbaikan")
    assert head.status == 403


def test_a_nik_can_be_corrected_too(town):
    teken, old = town.teken, issued(town)
    clerk, head = crew(town)
    clerk.get(f"/meja/izin/{old}/perbaikan")
    fields = form(clerk.page)
    nik = fields["applicant.nik"]
    fields |= {"applicant.nik": nik[:-1] + ("2" if nik[-1] != "2" else "3"), "alasan": "NIK salah ketik"}
    clerk.post(f"/meja/izin/{old}/perbaikan", fields)
    assert clerk.status == 303, clerk.text
    head.post(f"/meja/izin/{old}/keputusan/{waiting(teken)}/setujui")
    assert head.status == 303, head.text
    assert corrected(town, old)
    with teken.db.read() as connection:
        from service.store.desk_tables import desk_log

        assert nik[:-1] not in str(connection.execute(select(desk_log.c.detail)).all())


def test_a_number_after_the_signature_is_carried_on_too(desk):
    """Malang numbers after the head's signature, and seals what is filled in."""
    desk.upstream = Upstream(desk.teken, MALANG)
    teken = desk.teken
    old = until(teken, desk.upstream.send(), Verb.DELIVER)
    while row(teken, old).state != State.IN_FORCE:
        assert take_turn(teken, old)
        work(teken)
    number = row(teken, old).number
    clerk, head = desk.at_work("malang", _clerk(teken)), desk.at_work("malang", "kadis")
    for name in ("Wening Satu", "Wening Dua"):  # the second one's number comes from a correction's own entry
        correct(desk, clerk, old, **{"applicant.nama": name})
        assert clerk.status == 303, clerk.text
        head.post(f"/meja/izin/{old}/keputusan/{waiting(teken)}/setujui")
        new = corrected(desk, old)
        play(teken, new)
        assert (row(teken, new).state, row(teken, new).number) == (State.IN_FORCE, number)
        assert row(teken, old).state == State.REPLACED
        old = new
    assert audit(teken).violations == ()


def _clerk(teken) -> str:
    with teken.db.read() as connection:
        held = connection.execute(select(mandates.c.official, mandates.c.role).where(mandates.c.office == "malang"))
        return next(one.official.split("/")[1] for one in held if one.role != "kepala_dinas")


def test_an_office_may_number_a_correction_anew(tmp_path, keys):
    templates = tmp_path / "templates"
    shutil.copytree(PROJECT / "templates", templates)
    with (templates / OFFICE / "office.toml").open("a") as file:
        file.write('\n[correction]\nnumber = "new"\n')
    settings = Settings(home=tmp_path / "home", keys=keys, templates=templates, retry_seconds=0)
    clock = SetClock(NOW)
    teken = open_teken(settings, clock=clock, signing=True)
    town = Desk(teken, clock, create_app(teken))
    town.upstream = Upstream(teken, ROHIL)
    old = issued(town)
    clerk, head = crew(town)
    correct(town, clerk, old, **{"applicant.nama": "Wening Satu"})
    head.post(f"/meja/izin/{old}/keputusan/{waiting(teken)}/setujui")
    new = corrected(town, old)
    play(teken, new)
    assert row(teken, old).state == State.REPLACED
    assert row(teken, new).number_no == row(teken, old).number_no + 1
    assert audit(teken).violations == ()
    teken.close()


def test_two_heads_confirm_at_once_and_it_happens_once(each_desk):
    town, teken = each_desk, each_desk.teken
    town.upstream = Upstream(teken, ROHIL)
    permit = issued(town)
    clerk, _ = crew(town)
    correct(town, clerk, permit, **{"applicant.nama": "Wening Satu"})
    proposal = waiting(teken)
    with teken.db.read() as connection:
        head = Account.of(connection.execute(select(accounts).where(accounts.c.official == f"{OFFICE}/kadis")).one())
    who = sessions.Session(head, ("kepala_dinas",), "", strong=True, key="", signs=True)
    answers = at_once(*[lambda: decisions.confirm(teken, who, permit, proposal)] * 2)
    assert [one.code for one in answers if isinstance(one, TekenError)] == ["proposal_decided"]
    until(teken, corrected(town, permit), Verb.PRINT)
    assert audit(teken).violations == ()
