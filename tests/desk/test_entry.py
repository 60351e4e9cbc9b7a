"""Cases entered at the desk: typed by one, checked and confirmed by another, then as good as any of upstream's."""

from __future__ import annotations

import copy
import json
import re
import threading
from types import SimpleNamespace

import pytest
from sqlalchemy import func, insert, select, update

from service import acts, clients
from service.app import create_app
from service.clock import SetClock
from service.desk import entry
from service.errors import Unauthenticated
from service.permits import State
from service.store.desk_tables import desk_log, proposals
from service.store.tables import mandates, permits
from tests.desk.forms import answers, hidden, submit
from tests.desk.people import Desk
from tests.support.office import NOW, OFFICES, TYPES, holder, open_office, play, row, work

KUDUS = ("kudus", "sip-perekam-medis")
XSS = "<script>alert('x')</script>"


@pytest.fixture
def clerk(desk):
    return desk.at_work("kudus", "gerai_1")


@pytest.fixture
def checker(desk):
    return desk.at_work("kudus", "pemroses_1")


def proposed(person, **changes) -> str:
    """Submit a good form; return the proposal's address."""
    submit(person, answers(*KUDUS, **changes))
    assert person.status == 303, person.text
    return person.headers["Location"]


def accepted(clerk, checker, **changes) -> str:
    address = proposed(clerk, **changes)
    checker.get(address)
    checker.post(address + "/setujui")
    checker.get(address)
    return re.search(r"/meja/izin/(izn_\w+)", checker.page)[1]


def many(desk, what) -> int:
    with desk.teken.db.read() as connection:
        return connection.execute(select(func.count()).select_from(what)).scalar_one()


def refusals(desk) -> list[tuple[str, str]]:
    with desk.teken.db.read() as connection:
        query = select(desk_log.c.action, desk_log.c.outcome).where(desk_log.c.outcome != "ok")
        return [tuple(one) for one in connection.execute(query.order_by(desk_log.c.id)).all()]


@pytest.mark.parametrize("kind", TYPES, ids="/".join)
def test_each_sample_office_has_two_people_who_enter(kind):
    office = OFFICES.office(kind[0])
    entering = entry.roles(OFFICES.permit_type(*kind), office)
    assert sum(any(held[0] in entering for held in one.roles) for one in office.people) >= 2


def test_an_entered_case_goes_from_the_form_to_in_force(desk, clerk, checker):
    permit = accepted(clerk, checker)
    assert row(desk.teken, permit).client == clients.desk_client_id("kudus")
    play(desk.teken, permit)
    assert row(desk.teken, permit).state == State.IN_FORCE
    assert row(desk.teken, permit).number
    with desk.teken.db.read() as connection:
        log = select(desk_log.c.action, desk_log.c.account).where(desk_log.c.permit == permit)
        assert "case.entered" in {one.action for one in connection.execute(log).all()}


@pytest.mark.parametrize(("office", "kind"), TYPES)
def test_every_type_has_a_form_whose_answers_are_a_case(desk, office, kind):
    who = {"kudus": "gerai_1", "malang": "perekonomian_1"}.get(office, "back_office_1")
    person = desk.at_work(office, who)
    person.get(f"/meja/permohonan/baru?jenis={kind}")
    assert person.status == 200
    for field in OFFICES.permit_type(office, kind).fields:
        assert f'name="{field.path}"' in person.page
    submit(person, answers(office, kind), fresh=False)
    assert person.status == 303, person.text
    person.get(person.headers["Location"])
    assert "Menunggu pemeriksaan petugas lain" in person.text


def test_nothing_is_accepted_by_whoever_typed_it(desk, clerk):
    address = proposed(clerk)
    clerk.get(address)
    assert "Setujui dan proses" not in clerk.text
    clerk.post(address + "/setujui")
    assert clerk.status == 409
    assert "Usulan sendiri" in clerk.text
    assert many(desk, permits) == 0
    assert ("entry_confirm", "own_proposal") in refusals(desk)


def test_each_fault_stands_at_its_field_and_nothing_typed_is_lost(desk, clerk):
    given = answers(
        *KUDUS,
        applicant__nik="123",
        practice__nama="",
        requirements__ktp="",
        attested__3__at="kemarin",
        applicant__alamat=XSS,
    )
    submit(clerk, given)
    assert clerk.status == 422
    assert many(desk, proposals) == 0
    for name, said in (
        ("applicant.nik", "NIK terdiri atas 16 angka"),
        ("practice.nama", "Wajib diisi"),
        ("requirements.ktp", "Belum dicentang"),
        ("attested.3.at", "Isi tanggal dan jam"),
    ):
        assert re.search(rf'id="e-{re.escape(name)}">.*{said}', clerk.page), name
        assert f'href="#f-{name}"' in clerk.page
    assert "4 isian perlu diperbaiki" in clerk.text
    assert XSS not in clerk.page
    assert XSS.replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#39;") in clerk.page
    for name, text in given.items():
        if name.endswith((".nama", ".name", ".nomor", ".at")):
            assert f'name="{name}"' in clerk.page
            assert text in clerk.page, name
    assert hidden(clerk)["photo.kept"], "the photo need not be chosen again"
    right = given | answers(*KUDUS, applicant__alamat=XSS)
    submit(clerk, right, picture=b"", fresh=False)
    assert clerk.status == 303, clerk.text
    clerk.get(clerk.headers["Location"])
    assert XSS not in clerk.page
    picture = re.search(r'src="(/meja/permohonan/foto/[^"]+)"', clerk.page)[1]
    shown = clerk.browser.get(picture)
    assert (shown.mimetype, shown.data[:2]) == ("image/jpeg", b"\xff\xd8")


@pytest.mark.parametrize("picture", [b"GIF89a", b"\xff\xd8\xff" + b"x" * 100, b"\x89PNG\r\n\x1a\n", b"x" * 2_000_001])
def test_a_photo_that_is_none_is_refused_at_its_field(desk, clerk, picture):
    submit(clerk, answers(*KUDUS, applicant__nik="1"), picture=picture)
    assert clerk.status == 422
    assert 'id="e-photo"' in clerk.page
    assert 'id="e-applicant.nik"' in clerk.page
    assert "2 isian perlu diperbaiki" in clerk.text


def test_a_strangers_picture_can_not_be_named(desk, clerk, checker):
    address = proposed(clerk)
    clerk.get(address)
    ticket = re.search(r"/foto/([^\"]+)\.jpg", clerk.page)[1]
    elsewhere = desk.at_work("malang", "perekonomian_1")
    for person, asked in ((elsewhere, ticket), (clerk, ticket.partition(".")[0] + "." + "0" * 32), (clerk, "x")):
        person.get(f"/meja/permohonan/foto/{asked}.jpg")
        assert person.status == 404


def test_the_same_form_twice_is_one_entry_and_one_permit(desk, clerk, checker):
    given = answers(*KUDUS)
    clerk.get("/meja/permohonan/baru")
    form = clerk.page
    addresses = set()
    for _ in range(2):
        clerk.page = form
        submit(clerk, given, fresh=False)
        addresses.add(clerk.headers["Location"])
    assert len(addresses) == 1
    (address,) = addresses
    checker.get(address)
    for _ in range(2):
        checker.post(address + "/setujui")
    assert (checker.status, many(desk, permits)) == (409, 1)
    clerk.page = form
    submit(clerk, given, fresh=False)
    assert clerk.status == 409
    assert many(desk, permits) == 1


def test_two_who_confirm_at_once_are_one_on_postgresql(tmp_path, keys, postgres):
    clock = SetClock(NOW)
    teken = open_office(tmp_path, keys, clock=clock, database=postgres)
    desk = Desk(teken, clock, create_app(teken))
    _confirmed_at_once(desk)
    teken.close()


def test_two_who_confirm_at_once_are_one(desk):
    _confirmed_at_once(desk)


def _confirmed_at_once(desk):
    both = {"official": "kudus/koordinator", "office": "kudus", "role": "pemroses", "kind": "plt"}
    with desk.teken.db.write() as connection:
        connection.execute(insert(mandates).values(id="dua", valid_from="2026-01-01", **both))
    clerk, people = (
        desk.at_work("kudus", "gerai_1"),
        [desk.at_work("kudus", one) for one in ("pemroses_1", "koordinator")],
    )
    address = proposed(clerk)
    statuses = []
    for one in people:
        one.get(address)
    threads = [
        threading.Thread(target=lambda one=one: (one.post(address + "/setujui"), statuses.append(one.status)))
        for one in people
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(statuses) == [303, 409]
    assert many(desk, permits) == 1


def test_the_same_form_sent_twice_at_once_is_one_entry(desk, clerk):
    clerk.get("/meja/permohonan/baru")
    forms = [copy.copy(clerk) for _ in range(2)]
    threads = [threading.Thread(target=submit, args=(one, answers(*KUDUS)), kwargs={"fresh": False}) for one in forms]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert [one.status for one in forms] == [303, 303]
    with desk.teken.db.read() as connection:
        states = connection.execute(select(proposals.c.state)).scalars().all()
    assert states.count("open") == 1


def test_a_renewal_names_the_permit_that_it_replaces(desk, clerk, checker):
    old = accepted(clerk, checker)
    play(desk.teken, old)
    renewal = {"request_kind": "PERPANJANGAN"}
    for replaces, said in (("", "Isi nomor izin yang digantikan"), ("446/999", "Izin ini tidak ditemukan")):
        submit(clerk, answers(*KUDUS, **renewal, replaces=replaces))
        assert clerk.status == 422
        assert re.search(rf'id="e-replaces">.*{said}', clerk.page)
    permit = accepted(clerk, checker, **renewal, replaces=row(desk.teken, old).number)
    assert row(desk.teken, permit).replaces == old


def test_a_move_that_was_typed_revokes_the_old_permit(desk, clerk, checker):
    old = accepted(clerk, checker)
    play(desk.teken, old)
    moved = {"request_kind": "CABUT_PINDAH", "replaces": row(desk.teken, old).number}
    permit = accepted(clerk, checker, practice__nama="Klinik Contoh Pindahan", **moved)
    play(desk.teken, permit)
    assert (row(desk.teken, old).state, row(desk.teken, permit).state) == ("revoked", "in_force")
    clerk.get(f"/meja/izin/{old}")
    assert "Izin di tempat baru" in clerk.text
    assert row(desk.teken, permit).number in clerk.text, "the decision that revoked it"
    clerk.get(f"/meja/izin/{permit}")
    assert "Mencabut izin lama" in clerk.text
    submit(clerk, answers(*KUDUS, **moved))
    assert clerk.status == 422
    assert re.search(r'id="e-replaces">.*Cabut pindah hanya untuk izin yang berlaku', clerk.page)


def test_another_version_takes_the_place_of_ones_own(desk, clerk, checker):
    first = proposed(clerk)
    clerk.get(first)
    clerk.get(re.search(r'href="([^"]+ubah=[^"]+)"', clerk.page)[1].replace("&amp;", "&"))
    assert answers(*KUDUS)["applicant.nik"] in clerk.page
    submit(clerk, answers(*KUDUS, practice__nama="RSUD Contoh Baru"), picture=b"", fresh=False)
    second = clerk.headers["Location"]
    assert second != first
    checker.get("/meja/permohonan")
    assert second in checker.page
    assert first not in checker.page
    checker.post(first + "/setujui")
    assert checker.status == 409
    checker.post(second + "/setujui")
    checker.get(second)
    assert "Permohonan diterima" in checker.text


@pytest.mark.parametrize("ids", ["0123456789", "9876543210"], ids=["rising", "falling"])
def test_a_declined_entry_comes_back_to_its_writer(desk, clerk, checker, monkeypatch, ids):
    """And leaves his list when he writes it anew, also within the same moment, however the two are numbered."""
    numbers = SimpleNamespace(token_hex=lambda _, given=iter(ids): next(given) * 20)
    monkeypatch.setattr("service.desk.proposals.secrets", numbers)
    address = proposed(clerk)
    checker.get(address)
    checker.post(address + "/tolak")
    assert checker.status == 422
    checker.post(address + "/tolak", {"alasan": "Nomor STR keliru"})
    assert checker.status == 303
    clerk.get("/meja/permohonan")
    assert "Perlu Anda perbaiki" in clerk.text
    assert address in clerk.page
    clerk.get(address)
    assert "Isian dikembalikan kepada pengisinya" in clerk.text
    assert "Nomor STR keliru" in clerk.text
    checker.post(address + "/setujui")
    assert (checker.status, many(desk, permits)) == (409, 0)
    clerk.get("/meja/permohonan/baru?ubah=" + address.rsplit("/", 1)[1])
    submit(clerk, answers(*KUDUS), picture=b"", fresh=False)
    again = clerk.headers["Location"]
    checker.get("/meja/permohonan")
    assert again in checker.page
    clerk.get("/meja/permohonan")
    assert "Perlu Anda perbaiki" not in clerk.text


def test_a_returned_case_is_corrected_in_the_same_form(desk, clerk, checker):
    permit = accepted(clerk, checker)
    work(desk.teken)
    acts.give_back(desk.teken, holder(desk.teken, "kudus", "sub_koordinator"), permit, reason="nama keliru")
    clerk.get("/meja/permohonan")
    assert "Dikembalikan dari proses" in clerk.text
    clerk.get(f"/meja/izin/{permit}")
    assert f"perbaiki={permit}" in clerk.page
    outsider = desk.at_work("kudus", "koordinator")
    outsider.get(f"/meja/izin/{permit}")
    assert "perbaiki=" not in outsider.page
    clerk.get(f"/meja/permohonan/baru?perbaiki={permit}")
    assert answers(*KUDUS)["applicant.nama"] in clerk.page
    assert "Alasan dikembalikan nama keliru" in clerk.text
    assert hidden(clerk)["upstream_id"] == row(desk.teken, permit).upstream_id
    submit(clerk, answers(*KUDUS, applicant__nama="Dewi Contoh Lestari"), picture=b"", fresh=False)
    assert clerk.status == 303, clerk.text
    address = clerk.headers["Location"]
    checker.get(address)
    assert "perbaikan berkas yang dikembalikan" in checker.text
    checker.post(address + "/setujui")
    assert (row(desk.teken, permit).revision, many(desk, permits)) == (2, 1)
    play(desk.teken, permit)
    assert row(desk.teken, permit).state == State.IN_FORCE


def test_what_ended_since_it_was_typed_is_told_and_not_accepted(desk, clerk, checker):
    address = proposed(clerk, str__masa_berlaku="2026-11-22", str__masa_berlaku__lifetime="")
    desk.clock.forward(days=3)
    for one in (clerk, checker):
        one.log_in()
    checker.get(address)
    assert "belum dapat diterima" in checker.text
    assert "STR sudah tidak berlaku" in checker.text
    assert "Setujui dan proses" not in checker.text
    checker.post(address + "/setujui")
    assert many(desk, permits) == 0


def test_what_only_looks_wrong_is_shown_to_the_second_person(desk, clerk, checker):
    checker.get(proposed(clerk, applicant__jenis_kelamin="L"))
    assert "Jenis kelamin tidak sama dengan NIK" in checker.text
    assert "Setujui dan proses" in checker.text


ROUTES = ("/meja/permohonan", "/meja/permohonan/baru", "/meja/permohonan/baru?jenis=sip-perekam-medis", "{}")


@pytest.mark.parametrize("who", ["kudus/koordinator", "kudus/plt_kadis", "kudus/auditor"])
def test_others_of_the_office_are_refused_and_that_is_noted(desk, clerk, who):
    address, name = proposed(clerk), who.partition("/")[2]
    other = desk.at_work("kudus", duties=("auditor",)) if name == "auditor" else desk.at_work("kudus", name)
    for path in ROUTES:
        other.get(path.format(address))
        assert other.status == 403, path
    for path in (address + "/setujui", address + "/tolak"):
        other.post(path)
        assert other.status == 403
    other.post("/meja/permohonan/baru", {"jenis": "sip-perekam-medis", **answers(*KUDUS)})
    assert other.status == 403
    assert 'href="/meja/permohonan"' not in other.page
    assert [outcome for _, outcome in refusals(desk)] == ["role_forbids"] * 7
    assert many(desk, permits) == 0


def test_another_office_does_not_know_it(desk, clerk):
    address = proposed(clerk)
    other = desk.at_work("malang", "perekonomian_1")
    other.get(address)
    assert other.status == 404
    for path in (address + "/setujui", address + "/tolak"):
        other.post(path)
        assert other.status == 404
    other.get("/meja/permohonan/baru?ubah=" + address.rsplit("/", 1)[1])
    assert other.status == 404
    other.get("/meja/permohonan/baru?jenis=sip-perekam-medis")
    assert other.status == 404


def test_a_mandate_that_ended_ends_it_today(desk, clerk, checker):
    address = proposed(clerk)
    checker.get(address)
    with desk.teken.db.write() as connection:
        ended = update(mandates).where(mandates.c.official == "kudus/pemroses_1")
        connection.execute(ended.values(valid_to="2026-11-19"))
    checker.post(address + "/setujui")
    assert checker.status == 403
    assert many(desk, permits) == 0


def test_nobody_who_is_logged_out(desk, clerk):
    address = proposed(clerk)
    stranger = desk.stranger()
    for path in ROUTES:
        stranger.get(path.format(address))
        assert stranger.status == 303
        assert "/meja/masuk" in stranger.headers["Location"]
    for path in (address + "/setujui", address + "/tolak", "/meja/permohonan/baru"):
        stranger.post(path)
        assert stranger.status == 403


def test_the_offices_own_client_has_no_key(desk, clerk):
    proposed(clerk)
    client = clients.desk_client_id("kudus")
    for key in (f"{client}.-", f"{client}.", f"{client}.x"):
        with pytest.raises(Unauthenticated):
            clients.authenticate(desk.teken, key)


def test_nothing_personal_is_in_the_desks_log_or_in_an_address(desk, clerk, checker, capfd):
    given = answers(*KUDUS)
    address = proposed(clerk)
    accepted(clerk, checker)
    submit(clerk, answers(*KUDUS, practice__ke="9"))
    assert clerk.status == 422
    with desk.teken.db.read() as connection:
        log = json.dumps([list(map(str, one)) for one in connection.execute(select(desk_log)).all()])
    written = "".join(capfd.readouterr())
    for secret in (given["applicant.nik"], given["applicant.nama"], given["applicant.alamat"]):
        assert secret not in log
        assert secret not in written
        assert secret not in address


def test_who_enters_follows_from_the_procedure():
    found = {kind: entry.roles(OFFICES.permit_type(*kind), OFFICES.office(kind[0])) for kind in TYPES}
    assert found == {
        ("rokan-hilir", "sip-perekam-medis"): {"back_office"},
        ("rokan-hulu", "surat-izin-perekam-medik"): {"back_office"},
        ("malang", "sik-perekam-medis"): {"petugas_perekonomian"},
        ("kudus", "sip-perekam-medis"): {"petugas_gerai", "pemroses"},
        ("rokan-hilir", "sip-penata-anestesi"): {"back_office"},
    }
