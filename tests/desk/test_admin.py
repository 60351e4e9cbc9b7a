"""The admin's screens: nothing that changes who may act is done by one person, and papers follow who signs today."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import func, insert, select, update

from service import acts, people, signatories
from service.desk import invitations, staff
from service.desk.accounts import Account
from service.desk.forms import Form
from service.desk.mandates import propose as propose_mandate
from service.errors import Conflict, NotFound
from service.sop.model import Verb
from service.store.desk_tables import accounts, desk_log, holidays, proposals
from service.store.tables import acts as done
from service.store.tables import certificates, events, mandates, officials
from service.wiring import Teken
from tests.desk.racing import at_once
from tests.desk.shelf import ROHIL, ROHUL, Upstream, recorded, until
from tests.support.office import NOW, row, work

OFFICE = "rokan-hulu"
PLH = {
    "pejabat": f"{OFFICE}/sekretaris",
    "jabatan": "kepala_dinas",
    "jenis": "plh",
    "mulai": "2026-11-20",
    "sampai": "2026-11-24",
    "keputusan": "SP-12/2026",
}
HOLIDAY = {"hari": "2026-12-24", "nama": "Cuti bersama Natal", "keputusan": "SKB 3 Menteri"}


@pytest.fixture
def two(desk):
    return desk.at_work(OFFICE, duties=["admin"]), desk.at_work(OFFICE, duties=["admin"], login="admin.dua")


def ids(teken: Teken, state: str = "open") -> list[str]:
    with teken.db.read() as connection:
        query = select(proposals.c.id).where(proposals.c.state == state).order_by(proposals.c.proposed_at)
        return list(connection.execute(query).scalars())


def confirm(person) -> None:
    """Confirm what was proposed last."""
    person.post(f"/meja/admin/usulan/{ids(person.desk.teken)[-1]}/setujui")


def certify(teken: Teken, keys, official: str, of: str = f"{OFFICE}/kadis") -> str:
    """Enrol somebody's certificate, so that he can sign; the tests' keys know the head's alone."""
    pem = (keys / f"{of.replace('/', '.')}.cert.pem").read_bytes()
    with teken.db.write() as connection:
        return people.enrol(connection, official, pem, teken.clock.now())


def account_of(person) -> Account:
    with person.desk.teken.db.read() as connection:
        return Account.of(connection.execute(select(accounts).where(accounts.c.login == person.login)).one())


def actions(person) -> list[tuple[str, str]]:
    with person.desk.teken.db.read() as connection:
        query = select(desk_log.c.action, desk_log.c.outcome).where(desk_log.c.account == account_of(person).id)
        return [tuple(one) for one in connection.execute(query.order_by(desk_log.c.id))]


ROUTES = (
    ("get", "/meja/admin"),
    ("get", "/meja/admin/akun"),
    ("get", "/meja/admin/libur"),
    ("get", "/meja/admin/usulan"),
    ("get", "/meja/admin/penugasan/baru"),
    ("post", "/meja/admin/penugasan/baru"),
    ("post", "/meja/admin/penugasan/akhiri"),
    ("post", "/meja/admin/pejabat/baru"),
    ("post", "/meja/admin/sertifikat"),
    ("post", "/meja/admin/akun/baru"),
    ("post", "/meja/admin/akun/acc_x/undang"),
    ("post", "/meja/admin/akun/acc_x/matikan"),
    ("post", "/meja/admin/libur"),
    ("post", "/meja/admin/libur/hapus"),
    ("post", "/meja/admin/usulan/pro_x/setujui"),
    ("post", "/meja/admin/usulan/pro_x/tolak"),
)


def test_nobody_but_an_admin_opens_any_of_it(desk):
    outsiders = [desk.at_work(OFFICE, "kadis"), desk.at_work(OFFICE, duties=["auditor"])]
    stranger = desk.stranger()
    for method, path in ROUTES:
        for person in outsiders:
            getattr(person, method)(path)
            assert person.status == 403, path
        getattr(stranger, method)(path)
        assert stranger.status in {303, 403}, path
    refused = {action for action, outcome in actions(outsiders[0]) if outcome == "forbidden"}
    assert {"admin", "admin_confirm", "admin_account_disable"} <= refused


def test_another_office_is_not_there(desk, two):
    first, _ = two
    first.post("/meja/admin/penugasan/baru", PLH)
    [proposal] = ids(desk.teken)
    stranger = desk.at_work("malang", duties=["admin"])
    for act in ("setujui", "tolak"):
        stranger.post(f"/meja/admin/usulan/{proposal}/{act}")
        assert stranger.status == 404
    with desk.teken.db.read() as connection:
        ours = connection.execute(select(accounts.c.id).where(accounts.c.office == OFFICE)).scalars().all()
        mandate = connection.execute(select(mandates.c.id).where(mandates.c.office == OFFICE)).scalars().first()
    for account in ours:
        for act in ("undang", "matikan"):
            stranger.post(f"/meja/admin/akun/{account}/{act}")
            assert stranger.status == 404
    stranger.post("/meja/admin/penugasan/akhiri", {"mandat": mandate, "sampai": "2026-11-20", "keputusan": "x"})
    assert stranger.status == 404
    stranger.post("/meja/admin/penugasan/baru", PLH)
    assert (stranger.status, "bukan pejabat kantor Anda" in stranger.text) == (422, True)
    assert ids(desk.teken) == [proposal]


def test_a_mandate_needs_a_second_admin(desk, two):
    first, second = two
    first.post("/meja/admin/penugasan/baru", PLH)
    assert first.status == 303
    [proposal] = ids(desk.teken)
    first.get("/meja/admin/usulan")
    assert "Menunggu admin lain" in first.text
    assert "setujui" not in first.page
    first.post(f"/meja/admin/usulan/{proposal}/setujui")
    assert (first.status, "Usulan sendiri" in first.text) == (409, True)
    second.get("/meja/admin/usulan")
    assert "Plh. Kepala Dinas" in second.text
    second.post(f"/meja/admin/usulan/{proposal}/setujui")
    assert second.status == 303
    second.get("/meja/admin")
    assert "Plh. Kepala Dinas" in second.text
    second.post(f"/meja/admin/usulan/{proposal}/setujui")
    assert second.status == 409
    assert ("admin_confirm", "own_proposal") in actions(first)
    assert ("mandate.give.confirmed", "ok") in actions(second)
    with desk.teken.db.read() as connection:
        told = connection.execute(select(events.c.data).where(events.c.type == "office.mandate_give")).scalar_one()
    assert "Sekretaris" not in told
    assert "sp-12/2026" in told.lower()


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"sampai": ""}, "sampai", "Wajib diisi"),
        ({"sampai": "2026-11-19"}, "sampai", "Tanggal akhir mendahului"),
        ({"jabatan": "pemohon"}, "jabatan", "Pilih salah satu"),
        ({"jenis": "raja"}, "jenis", "Pilih salah satu"),
        ({"mulai": "besok"}, "mulai", "TTTT-BB-HH"),
        ({"keputusan": " "}, "keputusan", "Wajib diisi"),
        ({"jenis": "definitif", "sampai": ""}, "mulai", "Bertumpuk"),
    ],
)
def test_a_wrong_mandate_is_told_at_its_field_and_nothing_typed_is_lost(desk, two, change, field, said):
    first, _ = two
    first.post("/meja/admin/penugasan/baru", {**PLH, **change})
    assert (first.status, said in first.text) == (422, True)
    assert f'href="#f-{field}"' in first.page
    if field != "keputusan":
        assert 'value="SP-12/2026"' in first.page
    assert ids(desk.teken) == []


def test_a_stand_in_takes_over_in_the_middle_of_a_tray(desk, two, keys):
    """Papers are made again for him; parafs and number stay; the head can't sign on his days."""
    first, second = two
    upstream = Upstream(desk.teken, ROHUL)
    permit = until(desk.teken, upstream.send(), Verb.SIGN)
    before, signed_by = row(desk.teken, permit), recorded(desk.teken, permit)
    certify(desk.teken, keys, f"{OFFICE}/sekretaris")
    first.post("/meja/admin/penugasan/baru", PLH)
    confirm(second)
    assert row(desk.teken, permit).final_sha is None, "at once, before any worker came by"
    work(desk.teken)
    after = row(desk.teken, permit)
    assert after.final_sha not in {None, before.final_sha}
    assert "Plh." in after.signatory
    assert (after.number, after.position, after.queue) == (before.number, before.position, "person")
    assert recorded(desk.teken, permit) == signed_by
    assert len(signed_by) >= 3
    with pytest.raises(Conflict, match="not_the_signatory"):
        acts.order_signature(desk.teken, f"{OFFICE}/kadis", permit, seen_sha=after.final_sha)
    acts.order_signature(desk.teken, f"{OFFICE}/sekretaris", permit, seen_sha=after.final_sha)
    desk.clock.forward(days=10)
    assert signatories.renew(desk.teken) == 0, "what is ordered stays ordered"


def test_a_mandate_of_tomorrow_begins_tomorrow_by_itself(desk, two, keys):
    first, second = two
    permit = until(desk.teken, Upstream(desk.teken, ROHUL).send(), Verb.SIGN)
    certify(desk.teken, keys, f"{OFFICE}/sekretaris")
    first.post("/meja/admin/penugasan/baru", {**PLH, "mulai": "2026-11-21"})
    confirm(second)
    watch = signatories.Watch(seconds=0)
    watch.look(desk.teken)
    assert "Plh." not in row(desk.teken, permit).signatory
    assert row(desk.teken, permit).final_sha is not None
    desk.clock.at = datetime(2026, 11, 20, 17, 0, 1, tzinfo=UTC)  # past midnight in Rokan Hulu, not in UTC
    watch.look(desk.teken)
    work(desk.teken)
    assert "Plh." in row(desk.teken, permit).signatory
    desk.clock.at = datetime(2026, 11, 24, 17, 0, 1, tzinfo=UTC)
    assert signatories.renew(desk.teken) == 1, "and ends by itself"
    work(desk.teken)
    assert "Plh." not in row(desk.teken, permit).signatory


def test_a_mandate_can_end_now(desk, two):
    first, second = two
    with desk.teken.db.read() as connection:
        mine = (mandates.c.official == f"{OFFICE}/kasi") & (mandates.c.office == OFFICE)
        mandate = connection.execute(select(mandates.c.id).where(mine)).scalars().first()
    kasi = desk.at_work(OFFICE, "kasi")
    wish = {"mandat": mandate, "sampai": "2026-11-01", "keputusan": "SK-9"}
    first.post("/meja/admin/penugasan/akhiri", wish)
    assert (first.status, "paling awal kemarin" in first.text) == (422, True)
    first.post("/meja/admin/penugasan/akhiri", {**wish, "sampai": "2026-11-25"})
    [later] = ids(desk.teken)
    first.post("/meja/admin/penugasan/akhiri", {**wish, "sampai": "2026-11-19"})
    [sooner] = set(ids(desk.teken)) - {later}
    for proposal, status in ((sooner, 303), (later, 409)):
        second.post(f"/meja/admin/usulan/{proposal}/setujui")
        assert second.status == status, "what ended is not made longer"
    kasi.get("/meja/")
    assert "Kepala Seksi" not in kasi.text


def test_a_holiday_moves_what_is_due(desk, two):
    first, second = two
    upstream = Upstream(desk.teken, ROHUL)
    permit = until(desk.teken, upstream.send(), Verb.VERIFY)
    from service.deadlines import deadlines

    def due():
        bundle = desk.teken.pins.open(row(desk.teken, permit).pin)
        with desk.teken.db.read() as connection:
            return deadlines(connection, row(desk.teken, permit), bundle)

    before = due()
    assert any(before.values())
    for number in range(3):
        day = (NOW.date().replace(day=20 + number)).isoformat()
        first.post("/meja/admin/libur", {**HOLIDAY, "hari": day})
        assert first.status == 303
    assert due() == before, "proposed is not yet so"
    for proposal in ids(desk.teken):
        second.post(f"/meja/admin/usulan/{proposal}/setujui")
    assert {key for key, at in due().items() if at != before[key]} == {key for key, at in before.items() if at}
    first.post("/meja/admin/libur", {**HOLIDAY, "hari": "2026-11-20"})
    assert (first.status, "sudah tercatat" in first.text) == (422, True)
    first.post("/meja/admin/libur", {**HOLIDAY, "hari": "2062-11-20"})
    assert (first.status, "harus antara" in first.text) == (422, True)
    first.post("/meja/admin/libur/hapus", {"hari": "2026-11-20"})
    confirm(second)
    with desk.teken.db.read() as connection:
        assert connection.execute(select(func.count()).select_from(holidays)).scalar_one() == 2
    first.post("/meja/admin/libur/hapus", {"hari": "2026-12-25"})
    assert first.status == 409, "a day of the office's file is no row here"


def test_an_official_is_added_and_may_then_serve(desk, two):
    first, second = two
    new = {"kode": "kasi_baru", "nama": "Contoh Baru, S.Kom.", "nip": "199512032020122005", "pangkat": "Penata"}
    first.post("/meja/admin/pejabat/baru", {**new, "nip": "1995"})
    assert (first.status, "18 angka" in first.text) == (422, True)
    first.post("/meja/admin/pejabat/baru", {**new, "kode": "kadis"})
    assert (first.status, "dipakai pejabat lain" in first.text) == (422, True)
    first.post("/meja/admin/pejabat/baru", new)
    confirm(second)
    with desk.teken.db.read() as connection:
        made = connection.execute(select(officials).where(officials.c.id == f"{OFFICE}/kasi_baru")).one()
    assert (made.name, made.nip, made.rank) == ("Contoh Baru, S.Kom.", "199512032020122005", "Penata")
    with desk.teken.db.read() as connection:
        lines = connection.execute(select(desk_log.c.detail)).scalars().all()
        told = connection.execute(select(events.c.data)).scalars().all()
    assert not [one for one in [*lines, *told] if new["nip"][:8] in one or "Contoh Baru" in one]


def test_a_certificate_is_enrolled_by_two_and_a_key_is_never_taken(desk, two, keys):
    first, second = two
    pem = (keys / "malang.kadis.cert.pem").read_bytes()
    owner = f"{OFFICE}/sekretaris"

    def send(person, data, whose=owner):
        person.get("/meja/admin/sertifikat")
        file = {"pemilik": whose, "berkas": (io.BytesIO(data), "x.pem")}
        person.post("/meja/admin/sertifikat", file, content_type="multipart/form-data")

    for data, said in (
        (b"-----BEGIN " + b"PRIVATE" + b" KEY-----\nabc" + pem, "kunci privat"),
        (b"hello", "Bukan sertifikat publik"),
        (b"", "Bukan sertifikat publik"),
        ((keys / "root.pem").read_bytes(), "sertifikat penerbit"),
    ):
        send(first, data)
        assert (first.status, said in first.text) == (422, True)
    send(first, pem, "malang/kadis")
    assert first.status == 404
    send(first, x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER))
    assert first.status == 303
    confirm(first)
    assert first.status == 409
    second.get("/meja/admin/usulan")
    assert "(CONTOH)" in second.text
    confirm(second)
    with desk.teken.db.read() as connection:
        enrolled = connection.execute(select(certificates.c.sha256).where(certificates.c.owner == owner)).scalars()
        assert len(list(enrolled)) == 1
    send(first, pem)
    assert (first.status, "sudah terdaftar" in first.text) == (422, True)


def test_one_admin_invites_a_clerk_but_nobody_who_signs_or_administers(desk, two):
    first, second = two
    first.post("/meja/admin/akun/baru", {"pejabat": f"{OFFICE}/kasi", "pengguna": "kasi.satu"})
    link = re.search(r"/meja/undangan/([\w-]+)", first.page)
    assert (first.status, bool(link)) == (200, True)
    assert first.headers["Cache-Control"] == "no-store"
    first.get("/meja/admin/akun")
    assert link.group(0) not in first.page, "shown once"
    with desk.teken.db.read() as connection:
        assert link.group(1) not in str(connection.execute(select(desk_log)).all())
    for wish in (
        {"pejabat": f"{OFFICE}/kadis", "pengguna": "kadis.satu"},
        {"nama": "Contoh", "pengguna": "admin.tiga", "tugas": "admin"},
    ):
        first.post("/meja/admin/akun/baru", wish)
        assert first.status == 303
    with desk.teken.db.read() as connection:
        logins = set(connection.execute(select(accounts.c.login)).scalars())
    assert not logins & {"kadis.satu", "admin.tiga"}
    proposal = ids(desk.teken)[0]
    first.post(f"/meja/admin/usulan/{proposal}/setujui")
    assert first.status == 409
    second.post(f"/meja/admin/usulan/{proposal}/setujui")
    assert (second.status, "/meja/undangan/" in second.page) == (200, True)


def test_the_other_admins_account_is_not_taken_over_by_inviting_him(desk, two):
    first, second = two
    first.post(f"/meja/admin/akun/{account_of(second).id}/undang")
    assert (first.status, "/meja/undangan/" in first.page) == (303, False)
    second.get("/meja/admin")
    assert second.status == 200, "still logged in"


def test_the_last_admin_stays(desk, two):
    first, second = two
    first.post(f"/meja/admin/akun/{account_of(second).id}/matikan")
    assert first.status == 303
    second.get("/meja/admin")
    assert second.status == 303, "out at once"
    for act in ("matikan", "undang"):
        first.post(f"/meja/admin/akun/{account_of(first).id}/{act}")
        assert (first.status, "admin terakhir" in first.text) == (409, True)
    first.get("/meja/admin")
    assert first.status == 200


def test_an_admin_decides_nothing_of_permits(desk, two):
    """A proposal of another kind is no admin's, whatever its id."""
    first, second = two
    by = account_of(first).id
    with desk.teken.db.write() as connection:
        line = {"id": "pro_lain", "office": OFFICE, "kind": "permit.revoke", "payload": "{}", "proposed_by": by}
        connection.execute(insert(proposals).values(**line, proposed_at="x", state="open"))
    for act in ("setujui", "tolak"):
        second.post(f"/meja/admin/usulan/pro_lain/{act}")
        assert second.status == 404
    assert ids(desk.teken) == ["pro_lain"]


def test_two_confirm_at_once_and_one_does(each_desk):
    teken = each_desk.teken
    who = [account_of(each_desk.employ(OFFICE, duties=["admin"], login=f"admin.{n}")) for n in range(3)]
    propose_mandate(teken, who[0], Form(PLH))
    [proposal] = ids(teken)
    results = at_once(*(lambda one=one: staff.confirm(teken, one, proposal) for one in who[1:]))
    assert sorted(map(str, results)).count("proposal_decided") == 1
    with teken.db.read() as connection:
        given = connection.execute(select(func.count()).where(mandates.c.decision == PLH["keputusan"])).scalar_one()
    assert given == 1


def test_two_mandates_for_the_same_head_confirmed_at_once_are_one(each_desk):
    teken = each_desk.teken
    who = [account_of(each_desk.employ(OFFICE, duties=["admin"], login=f"admin.{n}")) for n in range(3)]
    for official in ("sekretaris", "kabid"):
        propose_mandate(teken, who[0], Form({**PLH, "pejabat": f"{OFFICE}/{official}"}))
    both = ids(teken)
    results = at_once(
        *(lambda one=one, each=each: staff.confirm(teken, one, each) for one, each in zip(who[1:], both, strict=True))
    )
    assert sum("invalid" in str(one) for one in results) == 1
    assert len(ids(teken)) == 1, "the other one still waits, to be declined"


def test_two_admins_who_disable_each_other_at_once_leave_one(each_desk):
    teken = each_desk.teken
    one, two = (
        account_of(each_desk.employ(OFFICE, duties=["admin"], login="admin.1")),
        account_of(each_desk.employ(OFFICE, duties=["admin"], login="admin.2")),
    )
    results = at_once(lambda: invitations.disable(teken, one, two.id), lambda: invitations.disable(teken, two, one.id))
    assert sum("last_admin" in str(each) for each in results) == 1


def test_papers_are_made_again_once_by_two_who_look_at_once(each_desk, keys):
    teken = each_desk.teken
    permit = until(teken, Upstream(teken, ROHIL).send(), Verb.SIGN)
    with teken.db.write() as connection:
        connection.execute(update(mandates).where(mandates.c.office == ROHIL[0]).values(kind="plt"))
    assert sum(at_once(*[lambda: signatories.renew(teken)] * 2)) == 1
    with teken.db.read() as connection:
        mine = (events.c.permit == permit) & (events.c.type == "permit.paper_outdated")
        assert connection.execute(select(func.count()).where(mine)).scalar_one() == 1
        voided = select(func.count()).where(done.c.permit == permit, done.c.voided_at.is_not(None))
        assert connection.execute(voided).scalar_one() == 0


def test_an_unknown_proposal_is_unknown(each_desk):
    with pytest.raises(NotFound):
        staff.confirm(
            each_desk.teken, account_of(each_desk.employ(OFFICE, duties=["admin"], login="admin.1")), "pro_nichts"
        )
