"""Every event reaches every endpoint in order, at least once, under the id of the pull feed; and what happens when it does not."""

from __future__ import annotations

import random
import ssl
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update
from standardwebhooks import Webhook

from service import clients, journal, queries
from service.clock import SystemClock
from service.reseal import reseal
from service.store import webhooks as store
from service.store.webhook_tables import attempts, endpoints
from service.vault import key_of
from service.webhooks import endpoints as webhooks
from service.webhooks.delivery import deliver
from service.webhooks.sending import Network
from service.webhooks.standing import lag
from service.webhooks.targets import Rules
from tests.support.office import client_of
from tests.webhooks.house import added, happen, send
from tests.webhooks.receiver import OK, receiving, said

TYPES = ("case.accepted", "permit.numbered", "permit.issued", "permit.revoked")


def state(house, endpoint):
    return webhooks.one(house.teken, endpoint)


def test_every_event_arrives_in_order_as_the_pull_feed_has_it(house):
    with receiving() as receiver:
        endpoint, _ = added(house, receiver)
        ids = happen(house, *TYPES)
        assert send(house, endpoint)
        assert receiver.ids == ids
        assert [one.event for one in receiver.got] == queries.events(house.teken, house.client, 0, 100)["events"]
        assert receiver.connections == 1, "letters of one burst share a connection"
        assert {one.line for one in receiver.got} == {"POST /masuk HTTP/1.1"}
        assert receiver.got[0].headers["host"] == f"127.0.0.1:{receiver.port}"
        assert send(house, endpoint)
        assert len(receiver.got) == len(ids), "what was taken is not sent again"


def test_a_receiver_can_check_the_signature_with_the_library(house):
    house.clock.at = SystemClock().now()
    with receiving() as receiver:
        endpoint, secret = added(house, receiver)
        happen(house, "permit.issued")
        send(house, endpoint)
    letter = receiver.got[0]
    assert Webhook(secret).verify(letter.body, letter.headers)["type"] == "permit.issued"
    with pytest.raises(Exception, match="signature"):
        Webhook(secret).verify(letter.body.replace(b"issued", b"revoked"), letter.headers)


def test_only_what_happens_to_its_client_after_it_was_added_and_only_what_it_wants(house):
    other = client_of(house.teken, house.client.office)
    happen(house, "permit.issued")
    with receiving() as receiver:
        endpoint, _ = added(house, receiver, types=["permit.revoked"])
        happen(house, "permit.revoked", client=other)
        ids = happen(house, "permit.issued", "permit.revoked", "permit.issued")
        send(house, endpoint)
        assert receiver.ids == [ids[2]]
        assert state(house, endpoint)["after"] == journal_length(house), "what it does not want is passed over"


def journal_length(house) -> int:
    with house.teken.db.read() as connection:
        return connection.execute(select(journal.chains.c.length)).scalar_one()


def test_an_event_waits_for_the_one_before(house):
    with receiving(said(500)) as receiver:
        endpoint, _ = added(house, receiver)
        ids = happen(house, *TYPES)
        send(house, endpoint)
        assert receiver.ids == ids[:1]
        receiver.answer = OK
        assert not send(house, endpoint), "it is not due yet"
        house.clock.forward(seconds=6)
        send(house, endpoint)
        assert receiver.ids == [ids[0], *ids]
        tried = webhooks.tries(house.teken, endpoint)
        assert [(one["event"], one["no"], one["status"], one["fault"]) for one in reversed(tried)] == [
            (ids[0], 1, 500, "http_500"),
            (ids[0], 2, 200, None),
            *((one, 1, 200, None) for one in ids[1:]),
        ]


def test_a_receiver_that_is_away_for_two_days_gets_all_within_the_hour_of_its_return(house):
    with receiving(said(503)) as receiver:
        endpoint, _ = added(house, receiver)
        ids = happen(house, *TYPES)
        away_until = house.clock.now() + timedelta(days=2)
        while house.clock.now() < away_until:
            send(house, endpoint)
            house.clock.at = due(house, endpoint)
        receiver.answer, receiver.got[:] = OK, []
        assert due(house, endpoint) - away_until < timedelta(minutes=67)
        send(house, endpoint)
        assert receiver.ids == ids
        assert state(house, endpoint)["attempts"] == 0
        assert state(house, endpoint)["failing_since"] is None


def due(house, endpoint) -> datetime:
    return datetime.fromisoformat(state(house, endpoint)["next_try_at"])


def test_after_three_days_it_is_set_aside_and_goes_on_where_it_stood(house):
    with receiving(said(500)) as receiver:
        endpoint, _ = added(house, receiver)
        ids = happen(house, *TYPES)
        begun = house.clock.now()
        while state(house, endpoint)["state"] == "active":
            send(house, endpoint)
            if state(house, endpoint)["state"] == "active":
                house.clock.at = due(house, endpoint)
        assert timedelta(days=3) <= house.clock.now() - begun <= timedelta(days=3, hours=2)
        assert state(house, endpoint)["state"] == "parked"
        assert set(receiver.ids) == {ids[0]}
        house.clock.forward(days=30)
        assert not send(house, endpoint)
        receiver.answer, receiver.got[:] = OK, []
        webhooks.resume(house.teken, endpoint)
        send(house, endpoint)
        assert receiver.ids == ids


def test_a_poisonous_event_can_be_passed_over_and_that_is_on_record(house):
    with receiving(said(422)) as receiver:
        endpoint, _ = added(house, receiver)
        ids = happen(house, *TYPES)
        send(house, endpoint)
        receiver.answer, receiver.got[:] = OK, []
        webhooks.resume(house.teken, endpoint, skip=True)
        send(house, endpoint)
        assert receiver.ids == ids[1:]
        assert [one["event"] for one in webhooks.tries(house.teken, endpoint) if one["fault"] == "skipped"] == ids[:1]


def test_gone_is_gone(house):
    with receiving(said(410)) as receiver:
        endpoint, _ = added(house, receiver)
        happen(house, *TYPES)
        send(house, endpoint)
        house.clock.forward(days=9)
        assert not send(house, endpoint)
        assert len(receiver.got) == 1
        assert (state(house, endpoint)["state"], state(house, endpoint)["fault"]) == ("disabled", "http_410")


@pytest.mark.parametrize(
    ("told", "least", "most"),
    [
        ("90", 90, 91),
        ("2", 4, 6),
        ("99999999", 43200, 43201),
        ("kapan-kapan", 4, 6),
        ("-5", 4, 6),
        ("Fri, 20 Nov 2026 02:10:00 GMT", 600, 601),
        ("Fri, 20 Nov 1026 02:10:00 GMT", 4, 6),
    ],
)
def test_retry_after_is_honoured_within_bounds(house, told, least, most):
    with receiving(said(429, f"Retry-After: {told}")) as receiver:
        endpoint, _ = added(house, receiver)
        happen(house, "permit.issued")
        send(house, endpoint)
        assert least <= (due(house, endpoint) - house.clock.now()).total_seconds() <= most


def test_pausing_sends_nothing_and_loses_nothing(house):
    with receiving() as receiver:
        endpoint, _ = added(house, receiver)
        webhooks.pause(house.teken, endpoint)
        ids = happen(house, *TYPES)
        assert not send(house, endpoint)
        webhooks.resume(house.teken, endpoint)
        send(house, endpoint)
        assert receiver.ids == ids


@pytest.mark.parametrize("by", ["event", "since"])
def test_a_replay_sends_the_same_ids_again_in_order(house, by):
    with receiving() as receiver:
        endpoint, _ = added(house, receiver)
        happen(house, "case.accepted")
        house.clock.forward(hours=1)
        ids = happen(house, *TYPES)
        send(house, endpoint)
        before = {one.id: one.body for one in receiver.got}
        receiver.got[:] = []
        start = {"event": ids[1]} if by == "event" else {"since": house.clock.now()}
        webhooks.replay(house.teken, endpoint, **start)
        send(house, endpoint)
        assert receiver.ids == ids[1:]
        assert all(one.body == before[one.id] for one in receiver.got)


def test_for_a_day_after_a_rotation_the_old_secret_signs_too(house):
    with receiving() as receiver:
        endpoint, old = added(house, receiver)
        _, new = webhooks.rotate(house.teken, endpoint)
        happen(house, "permit.issued")
        send(house, endpoint)
        house.clock.forward(hours=23, minutes=59)
        happen(house, "permit.issued")
        send(house, endpoint)
        house.clock.forward(minutes=2)
        happen(house, "permit.issued")
        send(house, endpoint)
    assert [len(one.headers["webhook-signature"].split()) for one in receiver.got] == [2, 2, 1]
    at = datetime.fromisoformat(receiver.got[0].event["at"])
    signed = [Webhook(key).sign(receiver.got[0].id, at, receiver.got[0].body.decode()) for key in (new, old)]
    assert receiver.got[0].headers["webhook-signature"] == " ".join(signed)
    assert old != new


def test_whoever_lost_the_lease_records_nothing(house):
    """The first sender hangs beyond its lease; the second sends all. What the first then believes does not count."""
    with receiving() as receiver:
        endpoint, _ = added(house, receiver)
        ids = happen(house, *TYPES)
        with house.teken.db.write() as connection:
            first = store.claim(connection, endpoint, house.clock.now(), timedelta(seconds=60))
        assert not send(house, endpoint), "it is held"
        house.clock.forward(seconds=61)
        send(house, endpoint)
        with pytest.raises(store.Lost), house.teken.db.write() as connection:
            store.record(connection, endpoint, first.fence, cursor=0)
        assert receiver.ids == ids
        assert not state(house, endpoint)["attempts"]


def test_an_address_that_the_operator_no_longer_allows_is_not_sent_to(house):
    with receiving() as receiver:
        endpoint, _ = added(house, receiver)
        happen(house, "permit.issued")
        deliver(house.teken, Network(Rules(), ssl.create_default_context()), endpoint)
        assert receiver.connections == 0
        assert state(house, endpoint)["fault"] == "webhook_host_refused"


def test_a_secret_that_cannot_be_opened_is_told_and_nothing_is_sent(house):
    with receiving() as receiver:
        endpoint, _ = added(house, receiver)
        other, _ = added(house, receiver)
        happen(house, "permit.issued")
        with house.teken.db.write() as connection:
            stolen = connection.execute(select(endpoints.c.secret).where(endpoints.c.id == other)).scalar_one()
            connection.execute(update(endpoints).where(endpoints.c.id == endpoint).values(secret=stolen))
        send(house, endpoint)
        assert receiver.connections == 0
        assert state(house, endpoint)["fault"] == "seal_broken"


def test_a_new_data_key_seals_the_secrets_anew_and_they_sign_as_before(house):
    with receiving() as receiver:
        endpoint, old = added(house, receiver)
        _, new = webhooks.rotate(house.teken, endpoint)
        newest = house.teken.vault.add(house.clock.now()).id
        assert reseal(house.teken)[0] >= 2
        with house.teken.db.read() as connection:
            row = connection.execute(select(endpoints)).one()
        assert {key_of(row.secret), key_of(row.old_secret)} == {newest}
        happen(house, "permit.issued")
        send(house, endpoint)
    letter = receiver.got[0]
    at = datetime.fromisoformat(letter.event["at"])
    signed = [Webhook(key).sign(letter.id, at, letter.body.decode()) for key in (new, old)]
    assert letter.headers["webhook-signature"].split() == signed


def test_no_secret_lies_readable_in_the_database(house):
    with receiving() as receiver:
        endpoint, secret = added(house, receiver)
    with house.teken.db.read() as connection:
        row = connection.execute(select(endpoints).where(endpoints.c.id == endpoint)).one()
    assert secret.removeprefix("whsec_") not in repr(row)


def test_the_standing_says_who_is_behind_and_by_how_much(house):
    with receiving(said(500)) as receiver:
        endpoint, _ = added(house, receiver, types=["permit.issued"])
        happen(house, "case.accepted")
        house.clock.forward(minutes=3)
        happen(house, "permit.issued")
        house.clock.forward(minutes=4)
        send(house, endpoint)
        (found,) = lag(house.teken)
        assert (found.endpoint, found.client, found.office) == (endpoint, house.client.id, house.client.office)
        assert (found.state, found.fault, found.attempts, found.behind) == ("active", "http_500", 1, 240.0)
        receiver.answer = OK
        house.clock.forward(seconds=6)
        send(house, endpoint)
        assert lag(house.teken)[0].behind == 0


def test_an_endpoint_is_forgotten_with_its_log(house):
    with receiving() as receiver:
        endpoint, _ = added(house, receiver)
        happen(house, "permit.issued")
        send(house, endpoint)
        webhooks.remove(house.teken, endpoint)
    with house.teken.db.read() as connection:
        assert connection.execute(select(endpoints)).all() == connection.execute(select(attempts)).all() == []


def test_another_clients_endpoint_is_unknown(house):
    other = clients.add_client(house.teken, house.client.office, "lain")[0]
    with receiving() as receiver:
        endpoint, _ = added(house, receiver)
    for act in (webhooks.one, webhooks.pause, webhooks.resume, webhooks.rotate, webhooks.remove, webhooks.tries):
        with pytest.raises(webhooks.EndpointUnknown):
            act(house.teken, endpoint, other.id)
    with pytest.raises(webhooks.EndpointUnknown):
        webhooks.replay(house.teken, endpoint, other.id, event="evt_x")
    with pytest.raises(webhooks.EventUnknown):
        webhooks.replay(house.teken, endpoint, event="evt_x")


def test_waits_are_spread(house):
    from service.webhooks.retries import next_try

    now = house.clock.now()
    waits = [(next_try(now, n, None, random.Random(1).random) - now).total_seconds() for n in (1, 2, 3, 4, 5, 50)]
    assert [round(one / waits[0]) for one in waits] == [1, 12, 60, 360, 720, 720]
    assert {(next_try(now, 1, None, lambda: chance) - now).total_seconds() for chance in (0.0, 0.999)} == {4.5, 5.499}
