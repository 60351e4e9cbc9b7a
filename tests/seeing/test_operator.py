"""The operator's page: what is held up is there with the act that helps, the act helps, and nobody else may do it."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from service.clock import stamp
from service.desk import operator
from service.permits import State
from service.store.desk_tables import desk_log
from service.store.tables import permits, upkeep
from service.webhooks import endpoints as webhooks
from tests.desk.conftest import desk, each_desk, furnished, quick_hashes  # noqa: F401 - fixtures
from tests.support.office import client_of, payload, play, post, row, work

OFFICE, TYPE = "rokan-hilir", "sip-perekam-medis"
NAME = "Siti Contoh Rahmawati"


def case(house, office=OFFICE, kind=TYPE, upstream_id="UJI-0001") -> str:
    return post(house.teken, client_of(house.teken, office), payload(office, kind, upstream_id)).body["id"]


def park(house, permit: str, fault="archive_unreachable") -> None:
    now = stamp(house.teken.clock.now())
    with house.teken.db.write() as connection:
        mine = update(permits).where(permits.c.id == permit)
        parked = {
            "state": State.PARKED,
            "queue": "none",
            "parked_from": State.RECEIVED,
            "fault": fault,
            "updated_at": now,
        }
        connection.execute(mine.values(**parked))


@pytest.fixture
def keeper(desk):  # noqa: F811
    return desk.at_work(OFFICE, duties=("operator",))


def test_a_parked_case_is_told_with_its_reason_and_goes_on_with_a_click(each_desk):  # noqa: F811
    permit = case(each_desk)
    park(each_desk, permit)
    keeper = each_desk.at_work(OFFICE, duties=("operator",))
    keeper.get("/meja/pemantauan")
    assert keeper.status == 200
    assert "Permohonan tertahan 1" in keeper.text
    assert "UJI-0001" in keeper.text
    assert NAME not in keeper.text, "whoever keeps the machines running needs no names"
    keeper.post(f"/meja/pemantauan/izin/{permit}/lanjutkan")
    assert keeper.status == 303
    keeper.get(keeper.headers["Location"])
    assert "Permohonan dicoba lagi" in keeper.text
    assert "Permohonan tertahan" not in keeper.text
    work(each_desk.teken)
    assert row(each_desk.teken, permit).state == State.NUMBERED
    with each_desk.teken.db.read() as connection:
        done = connection.execute(select(desk_log.c.action).where(desk_log.c.permit == permit)).scalars().all()
    assert "operator.resumed" in done


def test_every_kind_of_fault_has_words(desk, keeper):  # noqa: F811
    permit = case(desk)
    for fault in ("worker_died", "internal:KeyError", "numbering_closed", "whatever_else"):
        park(desk, permit, fault)
        keeper.get("/meja/pemantauan")
        assert keeper.status == 200
        assert f"<b>{fault}" not in keeper.page


def test_a_document_that_could_not_be_extended_is_tried_now(desk, keeper):  # noqa: F811
    permit = case(desk)
    play(desk.teken, permit)
    later = stamp(desk.clock.now().replace(year=desk.clock.now().year + 1))
    with desk.teken.db.write() as connection:
        connection.execute(
            upkeep.insert().values(permit=permit, level="B-B", due_at=later, fault="timestamp_unreachable")
        )
    keeper.get("/meja/pemantauan")
    assert "Dokumen yang belum dapat diperpanjang 1" in keeper.text
    keeper.post(f"/meja/pemantauan/dokumen/{permit}/ulangi")
    with desk.teken.db.read() as connection:
        assert connection.execute(select(upkeep.c.due_at)).scalar_one() == stamp(desk.clock.now())
    keeper.post("/meja/pemantauan/dokumen/izn_none/ulangi")
    assert keeper.status == 404


def test_an_upstream_that_takes_no_news_is_gone_on_with(desk, keeper):  # noqa: F811
    client = client_of(desk.teken, OFFICE)
    target, _ = webhooks.add(desk.teken, client.id, "https://hulu.contoh.example/rahasia-di-alamat")
    with desk.teken.db.write() as connection:
        connection.exec_driver_sql("UPDATE webhook_endpoints SET state = 'parked', fault = 'webhook_refused'")
    keeper.get("/meja/pemantauan")
    assert "Sistem hulu yang tidak menerima kabar 1" in keeper.text
    assert f"uji, {target['id']}" in keeper.text, "whose it is, and what the command line calls it"
    assert "rahasia-di-alamat" not in keeper.page
    keeper.post(f"/meja/pemantauan/tujuan/{target['id']}/lanjutkan")
    assert keeper.status == 303
    assert webhooks.one(desk.teken, target["id"])["state"] == "active"


def test_what_is_late_waits_for_processes(desk, keeper):  # noqa: F811
    case(desk)
    keeper.get("/meja/pemantauan")
    assert "Tidak ada yang tertahan" in keeper.text
    desk.clock.forward(minutes=16)
    keeper.get("/meja/pemantauan")
    assert "Permohonan terlambat diolah 1" in keeper.text


def test_another_office_neither_sees_nor_touches_it(desk):  # noqa: F811
    permit = case(desk)
    park(desk, permit)
    other = desk.at_work("malang", duties=("operator",))
    other.get("/meja/pemantauan")
    assert "UJI-0001" not in other.page
    other.post(f"/meja/pemantauan/izin/{permit}/lanjutkan")
    assert other.status == 404
    assert row(desk.teken, permit).state == State.PARKED


@pytest.mark.parametrize("who", [{"official": "kadis"}, {"duties": ("auditor",)}, {"duties": ("ajudan",)}])
def test_it_is_for_operators_and_admins_alone(desk, who):  # noqa: F811
    permit = case(desk)
    park(desk, permit)
    person = desk.at_work(OFFICE, **who)
    assert "/meja/pemantauan" not in person.page
    person.get("/meja/pemantauan")
    assert person.status == 403
    person.post(f"/meja/pemantauan/izin/{permit}/lanjutkan")
    assert person.status == 403
    assert row(desk.teken, permit).state == State.PARKED


def test_an_operator_decides_nothing(desk, keeper):  # noqa: F811
    for path in ("/meja/admin", "/meja/ttd", "/meja/keputusan", "/meja/audit"):
        keeper.get(path)
        assert keeper.status == 403, path


def test_the_examination_is_kept_and_names_no_other_office(desk, keeper):  # noqa: F811
    who = operator_session(desk)
    operator.examine(desk.teken, who).join()
    keeper.get("/meja/pemantauan")
    assert "Pemeriksaan sistem Belum pernah" not in keeper.text
    found = operator.house(desk.teken, who).findings
    assert found
    assert not [one for one in found if one["subject"].startswith(("malang", "kudus", "rokan-hulu"))]
    assert all(one["state"] != "ok" for one in found)


def operator_session(desk):  # noqa: F811
    from types import SimpleNamespace

    return SimpleNamespace(account=SimpleNamespace(office=OFFICE, id="acc_uji"))
