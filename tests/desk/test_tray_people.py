"""Who sees the tray and who signs: the head, his aide, his Plh., nobody else."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, update

from service.store.batch_tables import batches
from service.store.desk_tables import desk_log
from service.store.tables import acts, mandates
from tests.desk.head import OFFICE, WRONG, choose, order, read, sign_form
from tests.support.office import row, work


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
