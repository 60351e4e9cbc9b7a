"""The case page and the acts of reading: what is shown, what is recorded, and what is refused to whom."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image
from sqlalchemy import insert, text, update

from service import acts, queries
from service.errors import StateForbids
from service.permits import State
from service.sop.model import Verb
from service.store import notices as store
from service.store.tables import mandates
from tests.desk.racing import at_once
from tests.desk.shelf import KUDUS, MALANG, ROHIL, ROHUL, Upstream, logged, recorded, until
from tests.support.office import play, row

OFFICE = "rokan-hulu"
XSS = "<script>alert('x')</script>"


@pytest.fixture
def hulu(desk):
    return Upstream(desk.teken, ROHUL)


def form(person, permit: str) -> dict[str, str]:
    """The decision form's fields, as the page has them."""
    page = person.get(f"/meja/izin/{permit}")
    return dict(re.findall(r'name="(verb|revision|position|seen)" value="([^"]*)"', page))


def return_form(person, permit: str) -> dict[str, str]:
    page = person.get(f"/meja/izin/{permit}/kembalikan")
    return dict(re.findall(r'name="(revision|position)" value="([^"]*)"', page))


def test_a_reading_records_who_and_which_bytes_and_goes_on_to_the_next(desk, hulu):
    first = hulu.send(1, applicant__nama="Wening Contoh")
    desk.clock.forward(minutes=1)
    second = hulu.send(2)
    kasi = desk.at_work(OFFICE, "kasi")
    fields = form(kasi, first)
    assert "Giliran Anda: Verifikasi" in kasi.text
    assert fields["seen"] == row(desk.teken, first).draft_sha
    kasi.post(f"/meja/izin/{first}/baca", fields)
    assert kasi.status == 303
    assert kasi.headers["Location"].startswith(f"/meja/izin/{second}?")
    assert recorded(desk.teken, first) == [("verify", f"{OFFICE}/kasi", fields["seen"])]
    kasi.get(kasi.headers["Location"])
    assert "Verifikasi tercatat Wening Contoh (HULU-0001)" in kasi.text
    kasi.post(f"/meja/izin/{second}/baca", form(kasi, second))
    assert kasi.headers["Location"].startswith("/meja/?usai=verify")
    kasi.get(kasi.headers["Location"])
    assert "Verifikasi tercatat" in kasi.text
    assert "Tidak ada yang menunggu Anda" in kasi.text
    assert ("case.verify", "ok") in logged(desk.teken, first)


def test_a_link_can_not_claim_that_something_was_done(desk, hulu):
    waiting = hulu.send(1)
    kasi = desk.at_work(OFFICE, "kasi")
    for address in (
        f"?usai=verify&dari={waiting}",
        f"?usai=returned&dari={waiting}",
        "?usai=paraf&dari=x",
        f"?usai={XSS}&dari=1",
    ):
        kasi.get("/meja/" + address)
        assert kasi.status == 200
        assert "tercatat" not in kasi.text
        assert 'class="note good"' not in kasi.page


@pytest.mark.parametrize("together", [False, True])
def test_a_double_click_is_one_act_even_if_the_next_role_is_also_mine(desk, hulu, together):
    _click_twice(desk.at_work(OFFICE, "kasi"), hulu.send(), together=together)


def test_list_search_case_and_double_click_on_each_database(each_desk):
    desk, teken = each_desk, each_desk.teken
    hulu = Upstream(teken, ROHUL)
    other, permit = hulu.send(1), hulu.send(2, applicant__nama="Wening Contoh 100% Hapsari")
    kasi = desk.at_work(OFFICE, "kasi")
    kasi.get("/meja/?saring=verify")
    assert "2 berkas menunggu Anda" in kasi.text
    for asked, found in (("WENING", True), ("100%", True), ("hulu-0002", True), ("1_0", False), ("0%H", False)):
        kasi.get("/meja/", query_string={"cari": asked})
        assert (permit in kasi.page) is found, asked
        assert other not in kasi.page
    _click_twice(kasi, permit, together=True)
    acts.give_back(teken, f"{OFFICE}/kabid", permit, reason="keliru")
    kasi.get("/meja/?saring=returned")
    assert permit in kasi.page


def _click_twice(kasi, permit: str, *, together: bool) -> None:
    desk = kasi.desk
    both = {"official": f"{OFFICE}/kasi", "office": OFFICE, "role": "kepala_bidang", "kind": "plt"}
    with desk.teken.db.write() as connection:
        connection.execute(insert(mandates).values(id="dua", valid_from="2026-01-01", **both))
    fields = form(kasi, permit)
    if together:
        given = {"csrf": kasi.csrf, **fields}
        answers = at_once(*[lambda: kasi.browser.post(f"/meja/izin/{permit}/baca", data=given)] * 2)
        assert {one.status_code for one in answers} == {303}
    else:
        for _ in range(2):
            kasi.post(f"/meja/izin/{permit}/baca", fields)
            assert kasi.status == 303
    assert recorded(desk.teken, permit) == [("verify", f"{OFFICE}/kasi", fields["seen"])]


def test_a_paper_that_changed_is_not_read_by_an_old_page(desk, hulu):
    permit = hulu.send()
    kasi = desk.at_work(OFFICE, "kasi")
    fields = form(kasi, permit)
    for seen in ("0" * 64, ""):
        kasi.post(f"/meja/izin/{permit}/baca", {**fields, "seen": seen})
        assert kasi.status == 303
        kasi.get(kasi.headers["Location"])
        assert "Naskah berubah sejak Anda membukanya" in kasi.text
        assert fields["seen"] in kasi.page, "the paper as it is now"
    assert recorded(desk.teken, permit) == []
    assert ("case.verify", "seen_differs") in logged(desk.teken, permit)


@pytest.mark.parametrize("act", ["read", "return"])
def test_a_page_from_before_a_correction_decides_nothing(desk, hulu, act):
    permit = hulu.send()
    kasi = desk.at_work(OFFICE, "kasi")
    fields = form(kasi, permit) if act == "read" else return_form(kasi, permit)
    acts.give_back(desk.teken, f"{OFFICE}/kasi", permit, reason="alamat kurang")
    hulu.send(applicant__nama="Nama Yang Benar")
    before = row(desk.teken, permit)
    address = f"/meja/izin/{permit}/" + ("baca" if act == "read" else "kembalikan")
    kasi.post(address, {**fields, "alasan": "data"})
    assert kasi.status == 303
    assert row(desk.teken, permit) == before
    kasi.get(kasi.headers["Location"])
    assert "Naskah berubah sejak Anda membukanya" in kasi.text
    assert "Nama Yang Benar" in kasi.text
    assert recorded(desk.teken, permit) == []


def test_a_mandate_that_ended_while_the_page_was_open_acts_no_more(desk, hulu):
    permit = hulu.send()
    kasi = desk.at_work(OFFICE, "kasi")
    fields, back = form(kasi, permit), return_form(kasi, permit)
    with desk.teken.db.write() as connection:
        connection.execute(
            update(mandates).where(mandates.c.official == f"{OFFICE}/kasi").values(valid_to="2026-11-19")
        )
    kasi.post(f"/meja/izin/{permit}/baca", fields)
    assert kasi.status == 403
    assert "mandat" in kasi.text.lower()
    kasi.post(f"/meja/izin/{permit}/kembalikan", {**back, "alasan": "data"})
    assert kasi.status == 403
    kasi.get(f"/meja/izin/{permit}")
    assert "Keputusan Anda" not in kasi.text, "reading goes on, deciding does not"
    assert recorded(desk.teken, permit) == []
    assert row(desk.teken, permit).state == State.DRAFTED


def test_whoever_is_not_meant_reads_and_can_not_decide(desk, hulu):
    permit = hulu.send()
    seen = row(desk.teken, permit).draft_sha
    fields = {"verb": "verify", "revision": "1", "position": "1", "seen": seen}
    people = [desk.at_work(OFFICE, who) for who in ("kabid", "kadis", "loket_1")]
    people += [desk.at_work(OFFICE, duties=(duty,)) for duty in ("admin", "auditor", "ajudan")]
    for person in people:
        person.get(f"/meja/izin/{permit}")
        assert person.status == 200
        assert "Menunggu: Verifikasi" in person.text
        assert "Indah Permatasari" in person.text, "who is waited for"
        assert "Keputusan Anda" not in person.text
        person.post(f"/meja/izin/{permit}/baca", fields)
        assert person.status == 403
        person.get(f"/meja/izin/{permit}/kembalikan")
        assert person.status == 409
        person.post(f"/meja/izin/{permit}/kembalikan", {"revision": "1", "position": "1", "alasan": "data"})
        assert person.status == 403
    assert recorded(desk.teken, permit) == []
    assert row(desk.teken, permit).state == State.DRAFTED


def test_another_offices_case_is_unknown_on_every_route_and_the_try_is_logged(desk, hulu):
    permit = hulu.send()
    sha = row(desk.teken, permit).draft_sha
    stranger = desk.at_work("kudus", "plt_kadis", duties=("ajudan", "auditor"))
    for address in ("", f"/halaman/1.png?sha={sha}", "/berkas.pdf", "/kembalikan"):
        stranger.get(f"/meja/izin/{permit}{address}")
        assert stranger.status == 404, address
        assert "Putri" not in stranger.page
    reading = {"verb": "verify", "revision": "1", "position": "1", "seen": sha, "alasan": "data", "catatan": "halo"}
    for address in ("/baca", "/kembalikan", "/catatan", "/catatan/1/hapus"):
        stranger.post(f"/meja/izin/{permit}{address}", reading)
        assert stranger.status == 404, address
    unknown = desk.at_work("kudus", "koordinator")
    unknown.get("/meja/izin/izn_00000000000000000000")
    assert unknown.status == 404
    tries = logged(desk.teken, permit)
    assert len(tries) == 8
    assert {outcome for _, outcome in tries} <= {"permit_unknown", "not_found"}


def test_signing_and_counter_acts_are_named_and_not_done_here(desk):
    hulu = Upstream(desk.teken, KUDUS)
    permit = until(desk.teken, hulu.send(), Verb.SIGN)
    head = desk.at_work("kudus", "plt_kadis")
    head.get(f"/meja/izin/{permit}")
    assert "Giliran Anda: Tanda tangan" in head.text
    assert f'href="/meja/ttd/baca/{permit}"' in head.page, "the tray opens at this paper"
    assert f"/meja/izin/{permit}/kembalikan" in head.page, "the head may return what he would not sign"
    fields = {"verb": "sign", "revision": "1", "position": str(row(desk.teken, permit).position)}
    head.post(f"/meja/izin/{permit}/baca", fields)
    assert head.status == 409
    assert row(desk.teken, permit).state != State.SIGNING


def test_verifying_without_a_paper_reads_the_data(desk):
    hulu = Upstream(desk.teken, MALANG)
    permit = hulu.send()
    clerk = desk.at_work("malang", "perekonomian_1")
    fields = form(clerk, permit)
    assert "seen" not in fields
    assert "Naskah belum disusun" in clerk.text
    clerk.post(f"/meja/izin/{permit}/baca", fields)
    assert clerk.status == 303
    assert recorded(desk.teken, permit) == [("verify", "malang/perekonomian_1", None)]


def test_a_return_needs_a_reason_and_says_what_is_missing(desk, hulu):
    permit = hulu.send()
    kasi = desk.at_work(OFFICE, "kasi")
    back = return_form(kasi, permit)
    for given in ({}, {"alasan": "lain"}, {"alasan": "other"}, {"alasan": "other", "uraian": "  "}, {"alasan": XSS}):
        kasi.post(f"/meja/izin/{permit}/kembalikan", {**back, **given})
        assert kasi.status == 422
        assert "Wajib diisi" in kasi.text
        assert 'aria-describedby="' in kasi.page
    kasi.post(f"/meja/izin/{permit}/kembalikan", {**back, "alasan": "data", "uraian": "x" * 600})
    assert kasi.status == 422
    kasi.post(f"/meja/izin/{permit}/kembalikan", {**back, "alasan": "data", "uraian": "NIK 3301010101900001 keliru"})
    assert kasi.status == 422
    assert "tersimpan selamanya" in kasi.text
    assert row(desk.teken, permit).state == State.DRAFTED


def test_a_return_reaches_upstream_once_in_indonesian_with_its_text_as_text(desk, hulu):
    permit = hulu.send()
    kasi = desk.at_work(OFFICE, "kasi")
    kasi.get("/meja/bahasa/en")
    back = {**return_form(kasi, permit), "alasan": "requirement", "uraian": f"KTP buram {XSS}"}
    for _ in range(2):
        kasi.post(f"/meja/izin/{permit}/kembalikan", back)
        assert kasi.status == 303
    feed = queries.events(desk.teken, hulu.client, 0, 100)["events"]
    told = [one["data"]["reason"] for one in feed if one["type"] == "case.returned"]
    assert told == [f"Persyaratan belum lengkap atau tidak terbaca: KTP buram {XSS}"]
    kasi.get(kasi.headers["Location"])
    assert "Case returned" in kasi.text
    kasi.get(f"/meja/izin/{permit}")
    assert "KTP buram" in kasi.text
    assert XSS not in kasi.page


def test_names_and_places_are_text_wherever_they_stand(desk, hulu):
    permit = hulu.send(practice__nama="Klinik <b onclick=alert(1)>Contoh</b> & Rekan")
    kasi = desk.at_work(OFFICE, "kasi")
    for address in ("/meja/", "/meja/?cari=HULU", f"/meja/izin/{permit}", f"/meja/izin/{permit}/kembalikan"):
        kasi.get(address)
        assert "<b onclick" not in kasi.page, address
    kasi.get(f"/meja/izin/{permit}")
    assert "Klinik <b onclick=alert(1)>Contoh</b> & Rekan" in kasi.text or "&lt;b onclick" in kasi.page


@pytest.mark.parametrize("kind", [ROHIL, ROHUL, MALANG, KUDUS])
def test_pages_are_small_pictures_of_the_exact_bytes(desk, kind):
    hulu = Upstream(desk.teken, kind)
    permit = hulu.send()
    while row(desk.teken, permit).draft_sha is None:
        until(desk.teken, permit, Verb.PARAF)
    paper = queries.preview(desk.teken, permit)[1]
    person = desk.at_work(kind[0], {"kudus": "plt_kadis"}.get(kind[0], "kadis"))
    person.get(f"/meja/izin/{permit}")
    assert paper in person.page
    pictures = {}
    for width, frames in ((720, ""), (1200, ""), (1200, "&sorot=1")):
        response = person.browser.get(f"/meja/izin/{permit}/halaman/1.png?sha={paper}&lebar={width}{frames}")
        assert response.status_code == 200
        picture = Image.open(io.BytesIO(response.data))
        assert picture.format == "PNG"
        assert abs(picture.width - width) <= 1
        assert len(response.data) <= 150_000, (kind, width, len(response.data))
        pictures[width, frames] = picture.convert("RGB")
    plain, framed = pictures[1200, ""], pictures[1200, "&sorot=1"]
    assert plain.tobytes() != framed.tobytes()
    assert _yellow(framed) > _yellow(plain) + 2000


def test_a_kept_picture_is_shown_only_to_whoever_may_see_it_now(desk, hulu):
    """Browsers keep pictures: they ask first, so that nothing is left to see after logging out."""
    permit = hulu.send()
    kasi, sha = desk.at_work(OFFICE, "kasi"), row(desk.teken, permit).draft_sha
    address = f"/meja/izin/{permit}/halaman/1.png?sha={sha}"
    first = kasi.browser.get(address)
    assert first.headers["Cache-Control"] == "private, no-cache"
    kept = {"If-None-Match": first.headers["ETag"]}
    again = kasi.browser.get(address, headers=kept)
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    for other in ("&sorot=1", "&lebar=1200"):
        assert kasi.browser.get(address + other, headers=kept).status_code == 200, other
    assert desk.at_work("malang", "perekonomian_1").browser.get(address, headers=kept).status_code == 404
    assert [one for one in logged(desk.teken, permit) if one == ("case.page_seen", "ok")] == [
        ("case.page_seen", "ok")
    ] * 4
    kasi.post("/meja/keluar")
    gone = kasi.browser.get(address, headers=kept)
    assert (gone.status_code, gone.headers["Location"].split("?")[0]) == (303, "/meja/masuk")


def test_a_picture_of_other_bytes_or_pages_is_not_given(desk, hulu):
    permit = hulu.send()
    sha = row(desk.teken, permit).draft_sha
    kasi = desk.at_work(OFFICE, "kasi")
    for query, status in (
        (f"1.png?sha={'0' * 64}", 409),
        ("1.png", 409),
        (f"2.png?sha={sha}", 404),
        (f"0.png?sha={sha}", 404),
        (f"1.png?sha={sha}&lebar=9999", 404),
    ):
        kasi.get(f"/meja/izin/{permit}/halaman/{query}")
        assert kasi.status == status, query


def test_the_final_papers_mark_is_in_the_picture_only(desk):
    hulu = Upstream(desk.teken, ROHIL)
    permit = until(desk.teken, hulu.send(), Verb.SIGN)
    final = row(desk.teken, permit).final_sha
    from service.document.preview import picture

    clean = picture(desk.teken.archive.get(final), page=0, width=720)
    head = desk.at_work("rokan-hilir", "kadis")
    shown = head.browser.get(f"/meja/izin/{permit}/halaman/1.png?sha={final}&lebar=720").data
    assert shown != clean
    play(desk.teken, permit)
    released = row(desk.teken, permit).released_sha
    shown = head.browser.get(f"/meja/izin/{permit}/halaman/1.png?sha={released}&lebar=720").data
    assert shown == picture(desk.teken.archive.get(released), page=0, width=720), "an issued paper has no mark"


def test_a_correction_shows_each_field_before_and_after(desk, hulu):
    permit = hulu.send(practice__nama="Puskesmas Contoh Lama")
    acts.read(desk.teken, f"{OFFICE}/kasi", permit, Verb.VERIFY, seen_sha=row(desk.teken, permit).draft_sha)
    acts.give_back(desk.teken, f"{OFFICE}/kabid", permit, reason="nama tempat keliru")
    hulu.send(practice__nama="Puskesmas Contoh Baru")
    kasi, kabid = desk.at_work(OFFICE, "kasi"), desk.at_work(OFFICE, "kabid")
    kasi.get(f"/meja/izin/{permit}")
    assert "Yang berubah sejak pembacaan Anda" in kasi.text
    assert re.search(r"<del>Puskesmas Contoh Lama</del>.*?<ins>Puskesmas Contoh Baru</ins>", kasi.page, re.S)
    assert kasi.page.count("<del>") == 1, "only what changed"
    assert "Tidak berlaku lagi sejak" in kasi.text
    assert "isi berkas diperbaiki" in kasi.text
    kabid.get(f"/meja/izin/{permit}")
    assert "Yang berubah dari berkas sebelumnya" in kabid.text


def test_somebody_who_missed_a_correction_sees_all_that_changed_since_he_read(desk, hulu):
    permit = hulu.send(practice__nama="Satu")
    acts.read(desk.teken, f"{OFFICE}/kasi", permit, Verb.VERIFY, seen_sha=row(desk.teken, permit).draft_sha)
    acts.give_back(desk.teken, f"{OFFICE}/kabid", permit, reason="keliru")
    hulu.send(practice__nama="Dua")
    other = {"official": f"{OFFICE}/kabid", "office": OFFICE, "role": "kepala_seksi", "kind": "plh"}
    with desk.teken.db.write() as connection:
        connection.execute(insert(mandates).values(id="plh", valid_from="2026-01-01", **other))
    acts.give_back(desk.teken, f"{OFFICE}/kabid", permit, reason="masih keliru")
    hulu.send(practice__nama="Tiga")
    kasi = desk.at_work(OFFICE, "kasi")
    kasi.get(f"/meja/izin/{permit}")
    assert "<del>Satu</del>" in kasi.page
    assert "<ins>Tiga</ins>" in kasi.page
    assert "Dua" not in kasi.text


def test_the_released_document_is_given_exactly_and_logged(desk):
    hulu = Upstream(desk.teken, ROHIL)
    permit = until(desk.teken, hulu.send(), Verb.SIGN)
    clerk = desk.at_work("rokan-hilir", "back_office_1")
    clerk.get(f"/meja/izin/{permit}/berkas.pdf")
    assert clerk.status == 409
    clerk.get(f"/meja/izin/{permit}")
    assert row(desk.teken, permit).verify_url not in clerk.page, "I5"
    play(desk.teken, permit)
    issued = row(desk.teken, permit)
    response = clerk.browser.get(f"/meja/izin/{permit}/berkas.pdf")
    assert response.data == desk.teken.archive.get(issued.released_sha)
    assert response.headers["Content-Type"] == "application/pdf"
    clerk.get(f"/meja/izin/{permit}")
    assert issued.verify_url in clerk.page
    assert "Izin sudah terbit" in clerk.text
    assert ("case.document_taken", "ok") in logged(desk.teken, permit)


def test_what_rests_says_why_and_who_moves_it(desk, hulu):
    permit = hulu.send()
    acts.give_back(desk.teken, f"{OFFICE}/kasi", permit, reason="alamat kurang")
    kasi = desk.at_work(OFFICE, "kasi")
    kasi.get(f"/meja/izin/{permit}")
    assert "Berkas ada di sistem hulu" in kasi.text
    assert "alamat kurang" in kasi.text
    assert "Keputusan Anda" not in kasi.text


def test_only_overseers_see_who_looked(desk, hulu):
    permit = hulu.send()
    kasi, auditor = desk.at_work(OFFICE, "kasi"), desk.at_work(OFFICE, duties=("auditor",))
    kasi.get(f"/meja/izin/{permit}")
    assert "Siapa melihat berkas ini" not in kasi.text
    auditor.get(f"/meja/izin/{permit}")
    assert "Siapa melihat berkas ini" in auditor.text
    assert "Indah Permatasari, S.H. membuka berkas" in auditor.text


def test_the_aides_note_is_seen_by_the_head_and_only_the_aide_writes(desk, hulu):
    permit = hulu.send()
    aide, head = desk.at_work(OFFICE, duties=("ajudan",)), desk.at_work(OFFICE, "kadis")
    aide.get(f"/meja/izin/{permit}")
    aide.post(f"/meja/izin/{permit}/catatan", {"catatan": f"Ditunggu pemohon {XSS}", "dahulukan": "1"})
    assert aide.status == 303
    for person in (head, aide):
        person.get(f"/meja/izin/{permit}")
        assert "Ditunggu pemohon" in person.text
        assert XSS not in person.page
    assert "catatan/1/hapus" in aide.page
    assert "catatan/1/hapus" not in head.page
    head.post(f"/meja/izin/{permit}/catatan", {"catatan": "saya juga"})
    assert head.status == 403
    for given in ({"catatan": "   "}, {"catatan": "x" * 281}):
        aide.post(f"/meja/izin/{permit}/catatan", given)
        assert aide.status == 422
    other = desk.at_work(OFFICE, duties=("ajudan",), login="ajudan.dua")
    other.get(f"/meja/izin/{permit}")
    other.post(f"/meja/izin/{permit}/catatan/1/hapus")
    assert other.status == 404
    aide.post(f"/meja/izin/{permit}/catatan/1/hapus")
    head.get(f"/meja/izin/{permit}")
    assert "Ditunggu pemohon" not in head.text


def test_what_the_aide_puts_first_is_first_in_the_list(desk, hulu):
    hulu.send(1)
    desk.clock.forward(hours=1)
    later = hulu.send(2)
    aide, kasi = desk.at_work(OFFICE, duties=("ajudan",)), desk.at_work(OFFICE, "kasi")
    kasi.get("/meja/")
    assert kasi.text.index("HULU-0001") < kasi.text.index("HULU-0002")
    aide.get(f"/meja/izin/{later}")
    aide.post(f"/meja/izin/{later}/catatan", {"dahulukan": "1"})
    kasi.get("/meja/")
    assert kasi.text.index("HULU-0002") < kasi.text.index("HULU-0001")


def test_the_page_speaks_english_when_asked(desk, hulu):
    permit = hulu.send()
    kasi = desk.at_work(OFFICE, "kasi")
    kasi.get("/meja/bahasa/en")
    kasi.get(f"/meja/izin/{permit}")
    assert "Your turn: Verify" in kasi.text
    assert '<html lang="en">' in kasi.page


def test_nothing_of_the_holder_is_in_the_desks_log(desk, hulu):
    permit = hulu.send(applicant__nama="Wening Contoh Hapsari")
    kasi = desk.at_work(OFFICE, "kasi")
    kasi.post(f"/meja/izin/{permit}/baca", form(kasi, permit))
    with desk.teken.db.read() as connection:
        log = repr(connection.execute(text("SELECT * FROM desk_log")).all())
    assert "Wening" not in log
    assert "1406006203980003" not in log


def test_use_cases_refuse_a_stale_place_by_themselves(desk, hulu):
    permit = hulu.send()
    with pytest.raises(StateForbids):
        acts.read(
            desk.teken, f"{OFFICE}/kasi", permit, Verb.VERIFY, seen_sha=row(desk.teken, permit).draft_sha, stood=(1, 2)
        )
    assert recorded(desk.teken, permit) == []


def _yellow(picture: Image.Image) -> int:
    return sum(
        count for count, (r, g, b) in picture.getcolors(1 << 24) if r > 200 and g > 170 and b < 200 and r - b > 40
    )


def test_the_case_says_whether_the_applicant_was_told(desk, hulu):
    permit = hulu.send(1)
    stamped = {"made_at": "2026-11-20T02:00:00.000000Z", "due_at": "2026-11-20T02:00:00.000000Z", "until": "2026-11-21"}
    told = {"office": OFFICE, "permit": permit, "kind": "returned", "occasion": "evt_1", **stamped}
    kasi = desk.at_work(OFFICE, "kasi")
    kasi.get(f"/meja/izin/{permit}")
    assert "Pemberitahuan" not in kasi.text
    with desk.teken.db.write() as connection:
        store.enter(connection, {**told, "id": "ntf_1", "channel": "whatsapp", "outcome": "refused"})
    kasi.get(f"/meja/izin/{permit}")
    assert "WhatsApp" in kasi.text
    assert "ditolak" in kasi.text
    assert "Hubungi langsung" in kasi.text
    with desk.teken.db.write() as connection:
        later = told | {"id": "ntf_2", "channel": "email", "outcome": "sent", "made_at": "2026-11-20T03:00:00.000000Z"}
        store.enter(connection, later)
    kasi.get(f"/meja/izin/{permit}")
    assert "terkirim" in kasi.text
    assert "Hubungi langsung" not in kasi.text
