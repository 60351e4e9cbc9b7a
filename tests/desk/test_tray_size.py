"""A tray of a thousand papers: its pages stay small and quick, also without scripts."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import insert, select, update

from service.store.batch_tables import batch_items
from service.store.tables import permits
from tests.desk.head import TYPE, choose, order, read


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
