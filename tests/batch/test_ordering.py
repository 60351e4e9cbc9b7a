"""A tray is ordered many at a time: each order is the one that a single act would make, and others get their turn at the database."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import select

from service import acts, batch, batch_order, corrections, journal
from service.clock import instant
from service.sop.load import Catalogue
from service.store.batch_tables import Result
from service.store.tables import events
from tests.support.office import row

from .conftest import OFFICE

OWN = {
    "fence",  # grows with every change, of which a single order makes two
    "id",
    "upstream_id",
    "code",
    "verify_url",
    "number",
    "number_no",
    "final_sha",
    "ordered_sha",
    "draft_sha",
    "complete_at",
}


def told(tray, permit: str) -> dict:
    with tray.teken.db.read() as connection:
        query = select(events).where(events.c.permit == permit, events.c.type == "permit.sign_ordered")
        event = connection.execute(query).one()
    return json.loads(event.data) | {"office": event.office, "client": event.client, "at": event.at}


def test_an_order_among_many_is_the_order_of_one(tray):
    alone, among = tray.fill(2)
    acts.order_signature(tray.teken, tray.head, alone[0], seen_sha=alone[1])
    tray.open([among])
    rows = [row(tray.teken, permit)._mapping for permit, _ in (alone, among)]
    one, other = ({name: value for name, value in found.items() if name not in OWN} for found in rows)
    assert one == other
    assert [found["ordered_sha"] for found in rows] == [alone[1], among[1]]
    first, second = (told(tray, permit) for permit, _ in (alone, among))
    assert first.keys() == second.keys()
    assert {name for name in first if first[name] != second[name]} == {"upstream_id", "sha256"}
    with tray.teken.db.read() as connection:
        assert all(sound for _, sound in journal.walk(connection))


def test_what_is_not_plain_gets_the_single_orders_answer(tray, monkeypatch):
    monkeypatch.setattr(batch_order, "CHUNK", 3)
    listed = tray.fill(8)
    corrections.withdraw(tray.teken, tray.client, listed[1][0], "batal")
    acts.order_signature(tray.teken, tray.head, listed[4][0], seen_sha=listed[4][1])
    listed[6] = (listed[6][0], "0" * 64)
    opened = tray.open(listed)
    causes = {at: item.cause for at, item in enumerate(opened.items) if item.result == Result.SKIPPED}
    assert causes == {1: "state_forbids", 4: "state_forbids", 6: "seen_differs"}
    tray.sign()
    assert tray.status(opened).counts["signed"] == 5


@pytest.mark.parametrize(("own", "minutes"), [(None, 30), (7.5, 7.5), (60, 60)])
def test_an_offices_own_window_goes_before_the_hosts(tray, own, minutes):
    offices = dict(tray.teken.offices.offices)
    office = offices[OFFICE]
    offices[OFFICE] = replace(office, signing=replace(office.signing, sign_window=own))
    object.__setattr__(tray.teken, "offices", Catalogue(offices, tray.teken.offices.permit_types))
    opened = tray.open(tray.fill(2))
    assert (instant(opened.expires_at) - tray.clock.now()).total_seconds() == minutes * 60
    tray.sign(1)
    tray.clock.forward(minutes=minutes)
    tray.sign()
    assert tray.status(opened).counts == {"signed": 1, "waiting": 1}


@pytest.mark.heavy
def test_others_write_meanwhile(tray, monkeypatch):
    """No transaction holds more than a chunk: somebody who writes all the time is never kept waiting until the end."""
    monkeypatch.setattr(batch_order, "CHUNK", 4)
    listed, real = tray.fill(40), tray.teken.db.write
    lengths, between, stop = [], [], threading.Event()

    @contextmanager
    def counted():
        with real() as connection:
            yield connection
        lengths.append(1)

    def rival() -> None:
        while not stop.is_set():
            with real() as connection:
                journal.hold(connection)
            between.append(len(lengths))
            time.sleep(0.002)

    monkeypatch.setattr(tray.teken.db, "write", counted)
    thread = threading.Thread(target=rival)
    thread.start()
    try:
        opened = tray.open(listed)
    finally:
        stop.set()
        thread.join()
    assert opened.counts == {"waiting": 40}
    assert len(lengths) <= 10 + 3  # chunks, and: record, hand over
    assert len(set(between)) > 5  # it wrote between them


def test_the_batch_module_says_how_many(tray):
    with pytest.raises(Exception, match="list_length"):
        batch.open_batch(
            tray.teken, tray.head, [(f"izn_{n}", "0" * 64) for n in range(batch.MOST + 1)], bytearray(b"x")
        )
