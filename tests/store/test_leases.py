"""A host's clock ran ahead for a while: what it wrote then keeps nobody waiting for that while."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert, update

from service.clock import stamp
from service.store import notices, upkeep, webhooks
from service.store import permits as permit_rows
from service.store.leases import APART, LONGEST
from service.store.notice_tables import Outcome
from service.store.notice_tables import notices as notice_table
from service.store.tables import permits
from service.store.tables import upkeep as upkeep_table
from service.store.webhook_tables import endpoints
from service.webhooks.endpoints import add

LEASE = timedelta(seconds=60)


def a_permit(world):
    world.accepted()
    return permits, lambda connection, now: permit_rows.claim(connection, "work", now, LEASE)


def an_endpoint(world):
    made, _ = add(world.teken, world.client.id, "https://hulu.example/")
    return endpoints, lambda connection, now: webhooks.claim(connection, made["id"], now, LEASE)


def a_notice(world):
    now = stamp(world.clock.now())
    row = {"id": "n", "office": "rokan-hilir", "permit": world.accepted(), "kind": "issued", "occasion": "x"}
    times = dict.fromkeys(("made_at", "due_at", "until"), now)
    with world.teken.db.write() as connection:
        connection.execute(insert(notice_table).values(**row, **times, channel="sms", outcome=Outcome.WAITING))
    return notice_table, lambda connection, now: notices.claim(connection, now, LEASE)


def a_document(world):
    row = {"permit": world.accepted(), "level": "B-T", "due_at": stamp(world.clock.now())}
    with world.teken.db.write() as connection:
        connection.execute(insert(upkeep_table).values(**row))
    return upkeep_table, lambda connection, now: upkeep.claim(connection, now, LEASE)


@pytest.mark.parametrize("make", [a_permit, an_endpoint, a_notice, a_document])
def test_a_lease_of_a_clock_that_went_back_is_none(world, make):
    _, claim = make(world)

    def taken(ahead: timedelta) -> bool:
        with world.teken.db.write() as connection:
            return claim(connection, world.clock.now() + ahead) is not None

    assert taken(APART)
    assert not taken(timedelta()), "that may be another host's clock"
    assert taken(LONGEST + APART)
    assert taken(timedelta())
    assert not taken(timedelta()), "what is held now is held"


@pytest.mark.parametrize("make", [a_permit, an_endpoint, a_notice])
def test_a_wait_of_a_clock_that_went_back_is_none(world, make):
    table, claim = make(world)
    with world.teken.db.write() as connection:
        connection.execute(update(table).values(due_at=stamp(world.clock.now() + timedelta(days=3))))
        assert claim(connection, world.clock.now()) is not None
