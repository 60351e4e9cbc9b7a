"""The head's tray over HTTP: reading, choosing, one passphrase, and what becomes of each paper. Real pipeline, real signing process."""

from __future__ import annotations

import re

from sqlalchemy import update

from service import corrections
from service.desk import notes, sessions
from service.store.tables import permits
from tests.desk.head import Office, choose, listed, order, read, sign_form, token
from tests.support.office import row, work


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


def test_a_single_paper_is_signed_from_its_reading_page(office):
    ids, head = office.fill(2), office.head()
    read(head, ids[:1])
    assert "Tanda tangani ini saja" in head.text
    batch = order(head, office.passphrase, izin=ids[0])
    office.sign()
    head.get(batch)
    assert "1 dari 1 ditandatangani" in head.text
    assert (office.state(ids[0]), office.state(ids[1])) == ("signed", "numbered")


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
