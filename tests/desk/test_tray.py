"""The head's tray over HTTP: reading, choosing, one passphrase, and what becomes of each paper. Real pipeline, real signing process."""

from __future__ import annotations

import re
from itertools import count
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from service import batch_ends, corrections, pipeline
from service.app import create_app
from service.clock import SetClock
from service.desk import notes, selection, sessions
from service.sop.model import Verb
from service.store import dispatches
from service.store.batch_tables import batch_items, batches, signers
from service.store.desk_tables import desk_log
from service.store.tables import acts, mandates, permits
from tests.batch.conftest import typed_only
from tests.desk.people import Desk, Person
from tests.support.office import NOW, client_of, payload, post, row, take_turn, work

OFFICE, TYPE = "rokan-hilir", "sip-perekam-medis"
WRONG = "Salah-Sekali/Ungu 7%&+"


class Office:
    """An office with a full tray; the signing process works when the test says so."""

    def __init__(self, home, keys, office=OFFICE, **settings) -> None:
        self.clock = SetClock(NOW)
        self.teken = typed_only(home, keys, clock=self.clock, **settings)
        self.office = office
        self.passphrase = (keys / "passphrase").read_text().strip()
        self.client, self.serial = client_of(self.teken, office), count()
        self.desk = Desk(self.teken, self.clock, create_app(self.teken))
        self.announce()

    def announce(self) -> None:
        """The signing process says that it lives."""
        pipeline.advance(self.teken, "sign")

    def fill(self, number: int, kind: str = TYPE) -> list[str]:
        ids = [
            post(self.teken, self.client, payload(self.office, kind, f"BERKAS-{next(self.serial)}")).body["id"]
            for _ in range(number)
        ]
        for permit in ids:
            self.bring(permit)
        work(self.teken)
        return ids

    def bring(self, permit: str) -> None:
        """Everybody acts until only the head's signature is due."""
        while True:
            work(self.teken)
            at = row(self.teken, permit)
            if (
                at.queue == "person"
                and self.teken.pins.open(at.pin).permit_type.procedure.plan[at.position].verb is Verb.SIGN
            ):
                return
            assert take_turn(self.teken, permit)

    def head(self, code: str = "kadis") -> Person:
        person = self.desk.at_work(self.office, code)
        self.announce()
        return person

    def sign(self, steps: int = 10_000) -> None:
        for _ in range(steps):
            if not pipeline.advance(self.teken, "sign"):
                return

    def state(self, permit: str) -> str:
        return row(self.teken, permit).state

    def rows(self, table) -> list[Any]:
        with self.teken.db.read() as connection:
            return list(connection.execute(select(table)).all())

    def log(self, action: str) -> list[Any]:
        return [one for one in self.rows(desk_log) if one.action == action]


@pytest.fixture
def office(tmp_path, keys):
    made = Office(tmp_path, keys)
    yield made
    made.teken.close()


def read(head: Person, ids) -> None:
    for permit in ids:
        head.get(f"/meja/ttd/baca/{permit}")
        assert head.status == 200, head.text


def choose(head: Person, **fields: str) -> str:
    """Post the choice; return where the last look is."""
    head.get("/meja/ttd")
    head.post("/meja/ttd/periksa", {"pilihan": "dibuka", **fields})
    assert head.status == 303, head.text
    return head.headers["Location"]


def sign_form(head: Person, preflight: str) -> str:
    head.get(preflight)
    found = re.search(r'action="(/meja/ttd/tandatangani/[0-9a-f]{64})"', head.page)
    assert found, head.text
    return found.group(1)


def order(head: Person, passphrase: str, **fields: str) -> str:
    """Choose, look and type; return the batch's address."""
    head.post(sign_form(head, choose(head, **fields)), {"passphrase": passphrase})
    assert head.status == 303, head.text
    return head.headers["Location"]


def test_a_tray_is_read_chosen_and_signed_with_one_passphrase(office):
    ids, head = office.fill(5), office.head()
    head.get("/meja/ttd")
    assert "5 naskah menunggu, 0 sudah Anda buka" in head.text
    assert "yang sudah dibuka" not in head.text.lower().replace("termasuk yang belum dibuka", "")
    read(head, ids)
    assert {one.permit for one in office.log("tray.opened")} == set(ids)
    head.get("/meja/ttd")
    assert "Tanda tangani 5 yang sudah dibuka" in head.text
    form = sign_form(head, choose(head))
    assert "Anda akan menandatangani 5 naskah" in head.text
    assert "Semua sudah bernomor" in head.text
    head.post(form, {"passphrase": office.passphrase})
    assert head.status == 303
    batch = head.headers["Location"]
    head.get(batch)
    assert "Sedang menandatangani" in head.text
    assert "0 dari 5 ditandatangani" in head.text
    assert 'hx-trigger="every 1s"' in head.page
    work(office.teken)
    fragment = head.get(batch + "/kemajuan")
    assert head.headers["HX-Refresh"] == "true"
    assert "hx-get" not in fragment
    head.get(batch)
    assert "Semua sudah ditandatangani" in head.text
    assert "hx-get" not in head.page
    assert "http-equiv" not in head.page
    assert {office.state(permit) for permit in ids} == {"in_force"}
    head.get("/meja/ttd")
    assert "Tidak ada naskah yang menunggu" in head.text


def test_a_wrong_passphrase_is_said_at_once_and_nothing_is_signed(office):
    ids, head = office.fill(3), office.head()
    read(head, ids)
    batch = order(head, WRONG)
    office.sign()
    head.get(batch)
    assert "Frasa sandi tidak cocok dengan sertifikat Anda" in head.text
    assert "0 dari 3 ditandatangani" in head.text
    assert {office.state(permit) for permit in ids} == {"numbered"}
    numbers = {row(office.teken, permit).number for permit in ids}
    head.post(batch + "/lanjutkan", {"passphrase": office.passphrase})
    assert (head.status, head.headers["Location"]) == (303, batch)
    office.sign()
    head.get(batch)
    assert "Semua sudah ditandatangani" in head.text
    assert {row(office.teken, permit).number for permit in ids} == numbers


def test_what_changed_between_reading_and_signing_is_not_signed_and_said(office):
    ids, head = office.fill(3), office.head()
    read(head, ids)
    form = sign_form(head, choose(head))
    with office.teken.db.write() as connection:
        connection.execute(update(permits).where(permits.c.id == ids[0]).values(final_sha="0" * 64))
    head.post(form, {"passphrase": office.passphrase})
    batch = head.headers["Location"]
    office.sign()
    head.get(batch)
    assert "2 dari 3 ditandatangani" in head.text
    assert "Naskah berubah sejak Anda baca" in head.text
    assert office.state(ids[0]) == "numbered"


def test_a_changed_paper_counts_as_not_opened_and_stays_out(office):
    ids, head = office.fill(2), office.head()
    read(head, ids)
    with office.teken.db.write() as connection:
        connection.execute(update(permits).where(permits.c.id == ids[0]).values(final_sha="0" * 64))
    head.get("/meja/ttd")
    assert "2 naskah menunggu, 1 sudah Anda buka" in head.text
    assert "Berubah, baca lagi" in head.text
    head.get(choose(head))
    assert "Anda akan menandatangani 1 naskah" in head.text
    assert "Tidak ikut ditandatangani Naskah berubah sejak Anda baca 1" in head.text


def test_all_with_unopened_ones_needs_the_sentence_which_is_recorded(office):
    ids, head = office.fill(3), office.head()
    read(head, ids[:1])
    head.post("/meja/ttd/periksa", {"pilihan": "semua"})
    assert head.status == 422
    assert office.log("tray.selected") == []
    head.get(choose(head, pilihan="semua", sadar="ya"))
    assert "Anda akan menandatangani 3 naskah" in head.text
    assert "2 naskah tidak Anda buka" in head.text
    (line,) = office.log("tray.selected")
    assert '"unread":2' in line.detail


def test_a_paper_that_was_set_aside_is_never_in_the_choice(office):
    ids, head = office.fill(3), office.head()
    read(head, ids)
    sha = row(office.teken, ids[1]).final_sha
    head.post(f"/meja/ttd/tandai/{ids[1]}", {"sha": sha, "tindakan": "lewati", "lanjut": "1"})
    assert (head.status, head.headers["Location"]) == (
        303,
        f"/meja/ttd/baca/{listed(office)[listed(office).index(ids[1]) + 1]}"
        if listed(office)[-1] != ids[1]
        else "/meja/ttd",
    )
    for fields in ({}, {"pilihan": "semua", "sadar": "ya"}):
        head.get(choose(head, **fields))
        assert "Anda akan menandatangani 2 naskah" in head.text
    head.post(f"/meja/ttd/tandai/{ids[1]}", {"sha": sha, "tindakan": "sertakan"})
    head.get(choose(head))
    assert "Anda akan menandatangani 3 naskah" in head.text


def listed(office) -> list[str]:
    waiting = [one for one in office.rows(permits) if one.queue == "person"]
    return [one.id for one in sorted(waiting, key=lambda one: (one.type, one.complete_at, one.id))]


def test_a_single_paper_is_signed_from_its_reading_page(office):
    ids, head = office.fill(2), office.head()
    read(head, ids[:1])
    assert "Tanda tangani ini saja" in head.text
    batch = order(head, office.passphrase, izin=ids[0])
    office.sign()
    head.get(batch)
    assert "1 dari 1 ditandatangani" in head.text
    assert (office.state(ids[0]), office.state(ids[1])) == ("signed", "numbered")


def test_two_taps_open_one_batch(office):
    ids, head = office.fill(2), office.head()
    read(head, ids)
    form = sign_form(head, choose(head))
    token = head.csrf
    first = head.post(form, {"passphrase": office.passphrase}, csrf=token) is not None and head.headers["Location"]
    head.post(form, {"passphrase": office.passphrase}, csrf=token)
    assert (head.status, head.headers["Location"]) == (303, first)
    assert len(office.rows(batches)) == 1


def test_taps_at_the_same_moment_open_one_batch(tmp_path, keys, database):
    office = Office(tmp_path, keys, database=database)
    ids, head = office.fill(3), office.head()
    read(head, ids)
    chosen = choose(head).rpartition("/")[2]
    session = sessions.find(office.teken, token(head))
    opened, ready = [], Barrier(4)

    def tap() -> None:
        ready.wait()
        opened.append(selection.sign(office.teken, session, chosen, bytearray(office.passphrase.encode())))

    taps = [Thread(target=tap) for _ in range(4)]
    for one in taps:
        one.start()
    for one in taps:
        one.join()
    assert len(opened) == 4
    assert len(set(opened)) == len(office.rows(batches)) == 1
    office.sign()
    assert {office.state(permit) for permit in ids} == {"signed"}
    office.teken.close()


def token(head: Person) -> str:
    return head.browser.get_cookie("teken_meja").value


def test_anothers_batch_and_choice_are_unknown(office):
    ids, head = office.fill(1), office.head()
    read(head, ids)
    form = sign_form(head, choose(head))
    batch = order(head, office.passphrase)
    appoint(office, "back_office_1", "plh")
    other = office.desk.at_work(OFFICE, "back_office_1")
    stranger = office.desk.at_work("malang", "kadis")
    for person in (other, stranger):
        for path in (
            batch,
            batch + "/kemajuan",
            form.replace("tandatangani", "periksa"),
            "/meja/ttd/periksa/" + "0" * 64,
        ):
            person.get(path)
            assert person.status == 404, path
        for path in ("/jeda", "/hentikan"):
            person.post(batch + path)
            assert person.status == 404, path
        for path in (batch + "/lanjutkan", batch + "/ulangi", form):
            person.post(path, {"passphrase": WRONG})
            assert person.status == 404, path
    stranger.get(f"/meja/ttd/baca/{ids[0]}")
    assert stranger.status == 404
    assert len(office.rows(batches)) == 1


def test_an_aide_sees_and_reads_but_signs_nothing(office):
    ids, head = office.fill(2), office.head()
    read(head, ids)
    batch = order(head, WRONG)
    office.sign()
    aide = office.desk.at_work(OFFICE, duties=("ajudan",))
    aide.get("/meja/ttd")
    assert "2 naskah menunggu, 0 sudah Anda buka" in aide.text
    assert "Hanya pejabat yang berwenang dapat menandatangani" in aide.text
    assert "<form" not in aide.page.split('id="isi"')[1]
    read(aide, ids[:1])
    posts = ["/meja/ttd/periksa", f"/meja/ttd/kembalikan/{ids[0]}", f"/meja/ttd/tandai/{ids[0]}", "/meja/ttd/perbarui"]
    posts += [batch + path for path in ("/jeda", "/hentikan", "/lanjutkan", "/ulangi")]
    for path in posts:
        aide.post(path, {"passphrase": office.passphrase})
        assert aide.status == 403, path
    refused = [one.action for one in office.rows(desk_log) if one.outcome == "forbidden"]
    assert refused == [
        "choose_papers", "tray_return", "tray_mark", "tray_renew", "pause_batch", "stop_batch", "resume_batch", "retry_batch",
    ]  # fmt: skip
    assert {office.state(permit) for permit in ids} == {"numbered"}


@pytest.mark.parametrize("path", ["/meja/ttd", "/meja/ttd/periksa/" + "0" * 64, "/meja/ttd/batch/bch_none"])
def test_others_of_the_office_and_an_expired_mandate_see_nothing(office, path):
    clerk = office.desk.at_work(OFFICE, "back_office_1")
    clerk.get(path)
    assert clerk.status == 403
    head = office.head()
    with office.teken.db.write() as connection:
        over = update(mandates).where(mandates.c.official == f"{OFFICE}/kadis")
        connection.execute(over.values(valid_to="2026-11-19"))
    head.get(path)
    assert head.status == 403
    guest = office.desk.stranger()
    guest.get(path)
    assert guest.headers["Location"].startswith("/meja/masuk")


def test_pause_resume_stop_and_retry(office):
    ids, head = office.fill(4), office.head()
    read(head, ids)
    batch = order(head, office.passphrase)
    office.sign(1)
    head.post(batch + "/jeda")
    assert (head.status, head.headers["Location"]) == (303, batch)
    head.get(batch)
    assert "Tanda tangan dijeda" in head.text
    assert "1 dari 4 ditandatangani, 3 menunggu" in head.text
    head.get("/meja/ttd")
    assert "Tanda tangan dijeda" in head.text, "the tray shows it first"
    head.post(batch + "/lanjutkan", {"passphrase": office.passphrase})
    office.sign(1)
    head.post(batch + "/hentikan")
    head.get(batch)
    assert "Tanda tangan dihentikan" in head.text
    assert "2 dari 4 ditandatangani, 2 dilewati" in head.text
    head.post(batch + "/jeda")
    assert head.status == 303, "too late is no fault"
    assert sorted(office.state(permit) for permit in ids) == ["numbered", "numbered", "signed", "signed"]


def test_one_failure_is_told_with_its_cause_and_tried_again(office, monkeypatch):
    ids, head = office.fill(3), office.head()
    read(head, ids)
    batch = order(head, office.passphrase)
    fail(office, ids[0])
    office.sign()
    head.get(batch)
    assert "2 berhasil, 1 gagal" in head.text
    assert "Gagal, dapat diulangi" in head.text
    assert "Ulangi 1 yang gagal" in head.text
    head.post(batch + "/ulangi", {"passphrase": office.passphrase})
    office.sign()
    head.get(batch)
    assert "Semua sudah ditandatangani" in head.text


def fail(office, permit: str, cause: str = "backend_failed") -> None:
    """The signing process gives this one up for now."""
    with office.teken.db.write() as connection:
        held = connection.execute(select(permits).where(permits.c.id == permit)).one()
        assert batch_ends.failed(connection, office.teken, held, cause)


def test_what_may_have_been_signed_is_sent_again_only_after_the_signer_allows_it(office):
    ids, head = office.fill(2), office.head()
    read(head, ids)
    batch = order(head, office.passphrase)
    sha = row(office.teken, ids[0]).ordered_sha
    with office.teken.db.write() as connection:
        sent = {"permit": ids[0], "batch": batch.rpartition("/")[2], "field": "TTE", "backend": "bsre", "sent_sha": sha}
        dispatches.begin(connection, office.clock.now(), **sent, by=f"{OFFICE}/kadis", process="sgn_gone")
    fail(office, ids[0], "outcome_unknown")
    office.sign()
    head.get(batch)
    assert "Hasil belum diketahui" in head.text
    assert "Izinkan kirim ulang" in head.text
    assert 'type="password"' not in head.page, "nothing to retry yet"
    read(head, ids[:1])
    assert "Izinkan kirim ulang" in head.text
    assert "Tanda tangani ini saja" not in head.text
    stranger = office.desk.at_work("malang", "kadis")
    stranger.post(f"/meja/ttd/kirim-ulang/{ids[0]}")
    assert stranger.status == 404
    head.post(f"/meja/ttd/kirim-ulang/{ids[0]}", {"batch": batch.rpartition("/")[2]})
    assert (head.status, head.headers["Location"]) == (303, batch)
    office.announce()
    head.get(batch)
    head.post(batch + "/ulangi", {"passphrase": office.passphrase})
    office.sign()
    head.get(batch)
    assert "Semua sudah ditandatangani" in head.text


def test_without_a_signing_process_the_page_is_calm_and_nothing_is_ordered(office):
    ids, head = office.fill(2), office.head()
    read(head, ids)
    form = sign_form(head, choose(head))
    with office.teken.db.write() as connection:
        connection.execute(signers.delete())
    head.post(form, {"passphrase": office.passphrase})
    assert head.status == 503
    assert "Layanan tanda tangan belum aktif" in head.text
    assert 'type="password"' not in head.page
    assert {office.state(permit) for permit in ids} == {"numbered"}
    assert office.rows(batches) == []
    office.clock.forward(seconds=31)
    office.announce()
    head.post(form, {"passphrase": office.passphrase})
    assert head.status == 303, "the same choice, once it is back"
    office.sign()
    assert {office.state(permit) for permit in ids} == {"signed"}


@pytest.mark.parametrize("passphrase", ["", "x" * 256])
def test_an_unfit_passphrase_is_asked_for_again_and_not_shown(office, passphrase):
    ids, head = office.fill(1), office.head()
    read(head, ids)
    head.post(sign_form(head, choose(head)), {"passphrase": passphrase})
    assert head.status == 422
    assert "Isian kosong atau terlalu panjang" in head.text
    assert "xxx" not in head.page
    assert office.rows(batches) == []


def test_the_sign_address_takes_only_a_small_plain_form(office):
    ids, head = office.fill(1), office.head()
    read(head, ids)
    form = sign_form(head, choose(head))
    head.get(form + "?passphrase=" + "ungu")
    assert (head.status, head.headers["Location"]) == (303, form.replace("tandatangani", "periksa"))
    head.post(form, {"passphrase": "x" * 5000})
    assert head.status == 413
    head.post(form, {"passphrase": "x"}, content_type="multipart/form-data")
    assert head.status == 415
    head.post(form, {"passphrase": "x"}, csrf="wrong")
    assert head.status == 403
    assert office.rows(batches) == []


def test_the_passphrase_is_nowhere(office, tmp_path, capfd):
    """Wrong, refused and right ones: in no page, no log, no row, no file."""
    ids, head = office.fill(2), office.head()
    read(head, ids)
    pages = []
    form = sign_form(head, choose(head))
    for secret, fields in ((WRONG, {"csrf": "wrong"}), (WRONG, {})):
        pages.append(head.post(form, {"passphrase": secret, **fields}))
    batch = head.headers["Location"]
    office.sign()
    pages.append(head.get(batch))
    head.post(batch + "/lanjutkan", {"passphrase": office.passphrase})
    office.sign()
    pages += [head.get(batch), head.get("/meja/ttd")]
    out, err = capfd.readouterr()
    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for secret in (WRONG, office.passphrase):
        assert secret not in out + err + "".join(pages)
        for form in (secret.encode(), secret.encode().hex().encode(), secret.encode("utf-16-le")):
            assert form not in stored


def test_a_passphrase_arrives_byte_by_byte_as_it_was_typed(office):
    from service.web.desk import secretform

    typed = " ke+las%41&=ñ–雨 "
    with office.desk.app.test_request_context(
        method="POST", data={"a": "b c+", "passphrase": typed, "csrf": "t"}
    ) as made:
        found = secretform.read(made.request)
    assert found.secret == typed.encode()
    assert found.fields == {"a": "b c+", "csrf": "t"}
    assert typed not in repr(found)


@pytest.mark.parametrize("body", [b"passphrase=%", b"passphrase=%4", b"passphrase=%zz", b"passphrase=%%41a"])
def test_a_broken_form_is_refused(office, body):
    from service.errors import BadRequest
    from service.web.desk import secretform

    kind = "application/x-www-form-urlencoded"
    with office.desk.app.test_request_context(method="POST", data=body, content_type=kind) as made:
        with pytest.raises(BadRequest):
            secretform.read(made.request)


def test_a_case_is_returned_with_a_reason(office):
    ids, head = office.fill(1), office.head()
    read(head, ids)
    sha = row(office.teken, ids[0]).final_sha
    head.get(f"/meja/ttd/baca/{ids[0]}")
    fields = dict(re.findall(r'name="(revision|position|sha)" value="([^"]*)"', head.page))
    assert fields["sha"] == sha
    for given, wrong in (({}, "alasan"), ({"alasan": "other"}, "uraian")):
        head.post(f"/meja/ttd/kembalikan/{ids[0]}", {**fields, **given})
        assert (head.status, f'id="e-{wrong}"' in head.page) == (422, True)
    for before in ({"sha": "0" * 64}, {"position": "1"}, {"revision": "2"}):
        head.post(f"/meja/ttd/kembalikan/{ids[0]}", {**fields, **before, "alasan": "data"})
        assert (head.status, office.state(ids[0])) == (409, "numbered"), before
    for _ in range(2):
        head.post(f"/meja/ttd/kembalikan/{ids[0]}", {**fields, "alasan": "data", "uraian": "Nama <b>salah</b>"})
        assert (head.status, head.headers["Location"]) == (303, "/meja/ttd"), "sent twice is one act"
    assert office.state(ids[0]) == "returned"


def appoint(office, code: str, kind: str, enrol: bool = False) -> None:
    """Somebody stands in as head today."""
    mandate = {
        "id": f"{OFFICE}/{code}/{kind}",
        "official": f"{OFFICE}/{code}",
        "office": OFFICE,
        "role": "kepala_dinas",
    }
    mandate |= {"kind": kind, "valid_from": "2026-11-20", "valid_to": "2026-11-21", "decision": "800/1/2026"}
    with office.teken.db.write() as connection:
        connection.execute(insert(mandates).values(**mandate))


def test_a_plh_has_the_papers_made_again_with_parafs_and_numbers(office, keys):
    from service import people

    ids, head = office.fill(2), office.head()
    read(head, ids)
    before = {permit: row(office.teken, permit) for permit in ids}
    appoint(office, "back_office_1", "plh")
    with office.teken.db.write() as connection:
        pem = (keys / f"{OFFICE}.kadis.cert.pem").read_bytes()
        people.enrol(connection, f"{OFFICE}/back_office_1", pem, office.clock.now())
    done = office.rows(acts)
    head.get("/meja/ttd")
    assert "2 naskah perlu disiapkan ulang" in head.text
    head.get(choose(head))
    assert "Tidak ada yang dapat ditandatangani sekarang" in head.text
    assert "Penandatangan hari ini berbeda 2" in head.text
    plh = office.desk.at_work(OFFICE, "back_office_1")
    plh.get("/meja/ttd")
    plh.post("/meja/ttd/perbarui")
    assert plh.status == 303
    work(office.teken)
    after = {permit: row(office.teken, permit) for permit in ids}
    assert {one.number for one in after.values()} == {one.number for one in before.values()}
    assert all(after[one].final_sha != before[one].final_sha for one in ids)
    assert office.rows(acts) == done
    plh.get("/meja/ttd")
    assert "2 naskah menunggu, 0 sudah Anda buka" in plh.text
    head.get("/meja/ttd")
    assert "Hari ini pejabat lain yang menandatangani" in head.text
    read(head, ids)
    head.get(choose(head))
    assert "Hari ini pejabat lain yang menandatangani 2" in head.text
    assert 'type="password"' not in head.page


def test_the_list_tells_parafs_the_aides_note_and_that_the_number_follows(tmp_path, keys):
    office = Office(tmp_path, keys, "malang")
    later, first = office.fill(2, "sik-perekam-medis")
    head, aide = office.head(), office.desk.at_work("malang", duties=("ajudan",))
    account = sessions.find(office.teken, token(aide)).account
    notes.write(office.teken, account, first, "Pemohon menunggu <di> loket", first=True)
    head.get("/meja/ttd")
    assert "nomor diberikan setelah TTE" in head.text
    assert len(re.findall('class="paraf">[A-Z]{2,3}<', head.page)) == 8, "one verified and three parafed each"
    assert "Pemohon menunggu <di> loket" in head.text
    assert head.page.index(first) < head.page.index(later), "what the aide puts first comes first"
    read(head, [later, first])
    sign_form(head, choose(head))
    assert "Nomor diberikan setelah TTE." in head.text
    batch = order(head, office.passphrase)
    work(office.teken)
    head.get(batch)
    assert "Semua sudah ditandatangani" in head.text
    assert all(row(office.teken, permit).number in head.text for permit in (later, first))
    office.teken.close()


def test_a_glance_at_the_address_is_no_reading(office):
    (permit,), head = office.fill(1), office.head()
    head.browser.head(f"/meja/ttd/baca/{permit}")
    assert office.log("tray.opened") == []


def test_a_withdrawn_paper_is_told_and_left_out(office):
    ids, head = office.fill(2), office.head()
    read(head, ids)
    look = choose(head)
    corrections.withdraw(office.teken, office.client, ids[0], "batal")
    head.get(look)
    assert "Anda akan menandatangani 1 naskah" in head.text
    assert "1 naskah yang Anda pilih sudah tidak menunggu" in head.text


def test_what_is_being_signed_is_told_and_left_out(office):
    ids, head = office.fill(2), office.head()
    read(head, ids)
    order(head, office.passphrase)
    head.get(choose(head))
    assert "Sudah dalam proses tanda tangan 2" in head.text
    assert 'type="password"' not in head.page


@pytest.mark.parametrize("number", [3])
def test_the_page_without_scripts_reloads_itself_while_something_moves(office, number):
    ids, head = office.fill(number), office.head()
    read(head, ids)
    batch = order(head, office.passphrase)
    head.get(batch)
    assert '<noscript><meta http-equiv="refresh"' in head.page
    assert "Muat ulang" in head.text
    assert re.search(r'<p class="sr" role="status" aria-live="polite" id="kabar">', head.page)
    assert len(re.findall("aria-live", head.page)) == 1


def multiply(office, permit: str, number: int) -> None:
    """Many papers like this one, without typesetting each: only their rows."""
    from service.store.tables import revisions

    with office.teken.db.write() as connection:
        one = dict(connection.execute(select(permits).where(permits.c.id == permit)).one()._mapping)
        case = dict(connection.execute(select(revisions).where(revisions.c.permit == permit)).one()._mapping)
        rows = [
            {
                **one,
                "id": f"izn_{n:020x}",
                "upstream_id": f"BANYAK-{n}",
                "code": f"BANYAK{n:010}",
                "verify_url": one["verify_url"].replace(one["code"].upper(), f"BANYAK{n:010}"),
                "number": f"503/{n:04}/SIPPM/DPMPTSP/2026",
            }
            for n in range(number)
        ]
        connection.execute(insert(permits), rows)
        connection.execute(insert(revisions), [{**case, "permit": made["id"]} for made in rows])


def test_a_thousand_papers_stay_small_and_quick(office):
    import time

    ids, head = office.fill(1), office.head()
    multiply(office, ids[0], 999)
    read(head, ids)
    times = []
    for _ in range(5):
        begun = time.perf_counter()
        head.get("/meja/ttd")
        times.append(time.perf_counter() - begun)
    print("tray of 1000:", sorted(times)[2], "s,", len(head.page), "bytes")
    assert "1000 naskah menunggu, 1 sudah Anda buka" in head.text
    assert len(head.page.encode()) < 100_000
    head.get(f"/meja/ttd?jenis={TYPE}&hal=20")
    assert "Halaman 20 dari 20" in head.text
    assert len(head.page.encode()) < 100_000
    head.get(choose(head, pilihan="semua", sadar="ya"))
    assert "Anda akan menandatangani 1000 naskah" in head.text
    assert len(head.page.encode()) < 20_000
    begun = time.perf_counter()
    batch = order(head, office.passphrase, pilihan="semua", sadar="ya")
    print("choice, look and order of 1000:", time.perf_counter() - begun, "s")
    with office.teken.db.write() as connection:
        failed = batch_items.c.permit.like("izn_000000000000000000%")
        change = {
            "result": "failed",
            "cause": "backend_failed",
            "retryable": 1,
            "settled_at": "2026-11-20T02:00:03.000000Z",
        }
        connection.execute(update(batch_items).where(failed).values(**change))
    begun = time.perf_counter()
    fragment = head.get(batch + "/kemajuan")
    print("fragment:", time.perf_counter() - begun, "s,", len(fragment.encode()), "bytes")
    assert len(fragment.encode()) < 10_000
    head.get(batch + "?hasil=waiting&hal=3")
    assert len(head.page.encode()) < 100_000
