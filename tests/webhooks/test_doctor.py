"""`teken doctor` names every endpoint that somebody has to look at."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from service.doctor import Asked
from service.doctor.findings import State, worded
from service.doctor.view import View
from service.doctor.webhooks import look_at_webhooks
from service.store.webhook_tables import endpoints
from tests.webhooks.house import added, happen
from tests.webhooks.receiver import Receiver


def told(house):
    view = View(house.teken.settings, house.clock, Asked())
    try:
        return [worded("webhook", note) for note in look_at_webhooks(view)]
    finally:
        view.close()


def test_nobody_wants_to_be_told(house):
    assert [one.code for one in told(house)] == ["webhooks_unused"]


def test_who_is_up_to_date_or_an_hour_behind_is_fine(house):
    added(house, Receiver(port=9))
    happen(house, "permit.issued")
    house.clock.forward(minutes=59)
    assert [one.code for one in told(house)] == ["webhooks_fine"]


@pytest.mark.parametrize(
    ("state", "how"),
    [
        ("active", "webhook_late"),
        ("paused", "webhook_paused"),
        ("parked", "webhook_parked"),
        ("disabled", "webhook_disabled"),
    ],
)
def test_who_is_behind_is_named_with_the_reason(house, state, how):
    endpoint, _ = added(house, Receiver(port=9))
    happen(house, "permit.issued")
    with house.teken.db.write() as connection:
        connection.execute(update(endpoints).values(state=state, fault="http_503"))
    house.clock.forward(hours=5)
    [one] = told(house)
    assert (one.code, one.subject) == (how, endpoint)
    assert one.state is (State.WARNING if state in {"active", "paused"} else State.FAULT)
    assert "127.0.0.1" not in f"{one}", "an address may hold a secret"
