"""Batches from the tray: two taps are one, paused, stopped, failed, sent again only when the signer allows it."""

from __future__ import annotations

from threading import Barrier, Thread

from sqlalchemy import select

from service import batch_ends
from service.desk import selection, sessions
from service.store import dispatches
from service.store.batch_tables import batches, signers
from service.store.tables import permits
from tests.desk.head import OFFICE, Office, choose, order, read, sign_form, token
from tests.support.office import row


def test_two_taps_open_one_batch(office):
    ids, head = office.fill(2), office.head()
    read(head, ids)
    form = sign_form(head, choose(head))
    token = head.csrf
    first = head.post(form, {"passphrase": office.passphrase}, csrf=token) is not None and head.headers["Location"]
    head.post(form, {"passphrase": office.passphrase}, csrf=token)
    assert (head.status, head.headers["Location"]) == (303, first)
    assert len(office.rows(batches)) == 1


def test_taps_at_the_same_moment_open_one_batch(tmp_path, keys, database, monkeypatch):
    monkeypatch.setattr(selection, "_PATIENCE", 60.0)  # of whoever came second, with the first one
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


def test_what_is_being_signed_is_told_and_left_out(office):
    ids, head = office.fill(2), office.head()
    read(head, ids)
    order(head, office.passphrase)
    head.get(choose(head))
    assert "Sudah dalam proses tanda tangan 2" in head.text
    assert 'type="password"' not in head.page
