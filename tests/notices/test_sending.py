"""From the journal to a message that was taken: each occasion once, true when it is sent, never at night, never in clear at rest."""

from __future__ import annotations

from datetime import time, timedelta

import pytest
from sqlalchemy import update

from service import acts
from service.clock import instant, stamp
from service.notices.making import follow, remind
from service.notices.message import NotTaken
from service.notices.sending import LEASE, send_one
from service.permits import State
from service.store import notices as store
from service.store.notice_tables import notices
from service.store.tables import permits
from tests.notices.conftest import EMAIL, OFFICE, PHONE, TYPE
from tests.support.office import payload, play, post

POINTLESS = time(0)
BOTH = pytest.mark.usefixtures("database")


@BOTH
def test_a_permit_that_is_ready_is_told_once_by_the_first_channel(house):
    permit = house.issued()
    assert house.send() == 1
    [message] = house.senders["whatsapp"].got
    number = house.row(permit).number
    assert message.to == PHONE
    assert message.text == (
        f"DPMPTSP Kabupaten Malang: Surat Izin Kerja Perekam Medis nomor {number} sudah dapat diambil. "
        "Bawa KTP dan tiket pengambilan. Keadaan izin Anda: https://izin.malang.example/izin-saya"
    )
    assert house.outcomes() == [("ready", "whatsapp", "sent", None)]
    assert house.send() == 0
    assert house.senders["email"].got == []


def test_a_case_that_was_given_back_is_told_without_the_reason(house):
    house.returned()
    house.send()
    [message] = house.senders["whatsapp"].got
    assert "UJI-1" in message.text
    assert "KTP" not in message.text
    assert "Siti" not in message.text


def test_nothing_at_rest_says_whom_or_what(house):
    house.issued()
    house.send()
    with house.teken.db.read() as connection:
        kept = str(connection.execute(notices.select()).all())
    assert "81234567890" not in kept
    assert EMAIL not in kept
    assert "diambil" not in kept


def test_without_the_first_address_the_next_channel_is_used_and_without_any_it_is_seen(house):
    house.returned("UJI-1", wa=None)
    house.returned("UJI-2", wa=None, email=None)
    house.send()
    assert [one.to for one in house.senders["email"].got] == [EMAIL]
    assert house.outcomes() == [("returned", "email", "sent", None), ("returned", "whatsapp", "no_address", None)]


def test_an_address_that_is_refused_for_ever_gives_way_to_the_next_channel(house):
    house.senders["whatsapp"].refuses = NotTaken("http_422", final=True)
    house.returned()
    house.send()
    assert house.outcomes() == [("returned", "email", "sent", None), ("returned", "whatsapp", "refused", "http_422")]


def test_a_gateway_that_is_away_is_tried_for_a_day_and_then_given_up_for_the_next_channel(house):
    house.with_policy(quiet_from=POINTLESS, quiet_to=POINTLESS)
    house.senders["whatsapp"].refuses = NotTaken("unreachable")
    house.returned()
    house.follow()
    tries, begun = 0, house.clock.now()
    while not house.rows(channel="email"):
        [waiting] = house.rows(outcome="waiting")
        house.clock.at = max(house.clock.at, instant(waiting.due_at))
        tries += bool(send_one(house.teken, house.gateways))
    assert 6 < tries < 15
    assert timedelta(hours=16) < house.clock.now() - begun <= timedelta(hours=25)
    assert house.rows(channel="whatsapp")[0].outcome == "given_up"
    house.send()
    assert [one.to for one in house.senders["email"].got] == [EMAIL]


@BOTH
def test_what_failed_is_sent_again_when_somebody_asks(house):
    house.senders["whatsapp"].refuses = NotTaken("http_422", final=True)
    house.with_policy(channels=("whatsapp",))
    house.returned()
    house.send()
    [failed] = house.rows()
    house.senders["whatsapp"].refuses = None
    now = house.clock.now()
    with house.teken.db.write() as connection:
        assert store.again(connection, [failed.id, "ntf_none"], now, now + timedelta(days=1)) == [failed.id]
        assert store.again(connection, [failed.id], now, now + timedelta(days=1)) == []
    house.send()
    assert [one.id for one in house.senders["whatsapp"].got] == [failed.id]


def test_nobody_is_woken(house):
    house.clock.at = house.clock.at.replace(hour=14)  # 21:00 in Malang
    house.returned()
    assert house.send() == 0
    [waiting] = house.rows()
    assert waiting.due_at == "2026-11-21T00:00:00.000000Z"
    house.clock.at = instant(waiting.due_at)
    assert house.send() == 1


def test_a_try_that_falls_into_the_night_waits_for_the_morning_and_does_not_count(house):
    house.returned()
    house.follow()
    house.clock.at = house.clock.at.replace(hour=14)
    assert send_one(house.teken, house.gateways) is True
    [waiting] = house.rows()
    assert (waiting.outcome, waiting.attempts, waiting.due_at) == ("waiting", 0, "2026-11-21T00:00:00.000000Z")
    assert house.senders["whatsapp"].got == []


def test_what_is_no_longer_true_is_not_sent(house):
    permit = house.returned()
    house.follow()
    body = payload(OFFICE, TYPE, "UJI-1", applicant__nama="Siti Diperbaiki", applicant__wa=PHONE)
    post(house.teken, house.client, body)
    assert house.row(permit).state != State.RETURNED
    house.send()
    assert house.outcomes() == [("returned", "whatsapp", "moot", None)]


def test_whoever_has_his_paper_is_not_called_for_it(house):
    permit = house.issued()
    house.follow()
    play(house.teken, permit)
    house.send()
    assert house.outcomes() == [("ready", "whatsapp", "moot", None)]


def test_a_permit_that_was_revoked_meanwhile_is_not_ready(house):
    permit = house.issued()
    house.follow()
    acts.decide(house.teken, f"{OFFICE}/kadis", permit, to=State.REVOKED, decision="SK 1", reason="pemeriksaan")
    house.send()
    assert house.outcomes() == [("ready", "whatsapp", "moot", None)]


def test_a_second_return_is_another_notice_and_the_first_is_moot(house):
    house.returned()
    house.follow()
    body = payload(OFFICE, TYPE, "UJI-1", applicant__nama="Siti Diperbaiki", applicant__wa=PHONE)
    permit = post(house.teken, house.client, body).body["id"]
    play(house.teken, permit, until=State.DRAFTED)
    acts.give_back(house.teken, f"{OFFICE}/ahli_muda", permit, reason="masih keliru")
    house.send()
    assert house.outcomes() == [("returned", "whatsapp", "moot", None), ("returned", "whatsapp", "sent", None)]


@BOTH
def test_the_end_of_a_permit_is_told_once_in_time_and_not_where_a_renewal_is_under_way(house):
    first, second = house.issued("UJI-1"), house.issued("UJI-2")
    house.send()
    renewal = payload(OFFICE, TYPE, "UJI-3", request_kind="PERPANJANGAN") | {"replaces": second}
    post(house.teken, house.client, renewal)
    last = house.row(first).valid_to
    assert remind(house.teken) == 0
    with house.teken.db.write() as connection:  # instead of waiting for five years
        soon = (house.clock.now() + timedelta(days=59)).date().isoformat()
        connection.execute(update(permits).where(permits.c.valid_to == last).values(valid_to=soon))
    assert remind(house.teken) == 1
    assert remind(house.teken) == 0
    house.send()
    told = house.senders["whatsapp"].got[-1]
    assert "berlaku sampai 18 Januari 2027" in told.text
    assert [one.permit for one in house.rows(kind="expiring")] == [first]


def test_what_happened_before_anybody_followed_is_no_news(house, tmp_path):
    house.with_policy(kinds=("expiring",))
    house.returned()
    house.follow()
    house.with_policy()
    assert house.send() == 0
    house.returned("UJI-2")
    house.clock.forward(days=4)
    assert house.send() == 0


@BOTH
def test_two_who_follow_at_once_make_each_notice_once(house, monkeypatch):
    house.returned()
    behind = store.place

    def overtaken(connection):
        after = behind(connection)
        monkeypatch.setattr(store, "place", behind)
        assert follow(house.teken) > 0  # the other one is quicker
        return after

    monkeypatch.setattr(store, "place", overtaken)
    assert follow(house.teken) == 0
    assert len(house.rows()) == 1


@BOTH
def test_whoever_holds_it_too_long_loses_it_and_it_is_sent_under_the_same_id(house):
    house.returned()
    house.follow()
    inner = house.senders["whatsapp"].send

    def slow(message):
        inner(message)
        if len(house.senders["whatsapp"].got) == 1:
            house.clock.at += LEASE + timedelta(seconds=1)
            assert send_one(house.teken, house.gateways) is True

    house.senders["whatsapp"].send = slow
    assert send_one(house.teken, house.gateways) is True
    first, second = house.senders["whatsapp"].got
    assert first.id == second.id
    assert house.outcomes() == [("returned", "whatsapp", "sent", None)]


@BOTH
def test_made_again_after_a_restore_it_is_the_same_notice(house):
    house.returned()
    house.send()
    [before] = house.rows()
    with house.teken.db.write() as connection:
        connection.execute(notices.delete())
        store.advance(connection, store.place(connection), 0)
    house.send()
    assert [one.id for one in house.rows()] == [before.id]
    assert [one.id for one in house.senders["whatsapp"].got] == [before.id, before.id]


def test_a_fault_of_the_program_waits_with_its_one_notice(house, capsys):
    house.returned("UJI-1")
    house.returned("UJI-2")
    house.follow()
    inner = house.senders["whatsapp"].send

    def broken(message):
        house.senders["whatsapp"].send = inner
        raise ZeroDivisionError(message.to)

    house.senders["whatsapp"].send = broken
    house.send()
    assert house.outcomes() == [
        ("returned", "whatsapp", "sent", None),
        ("returned", "whatsapp", "waiting", "internal:ZeroDivisionError"),
    ]
    assert PHONE not in "".join(capsys.readouterr())


@BOTH
def test_a_channel_that_rests_keeps_no_other_waiting(house):
    house.returned("UJI-1")
    house.returned("UJI-2", wa=None)
    house.follow()
    assert send_one(house.teken, house.gateways, {(OFFICE, "whatsapp")}) is True
    assert send_one(house.teken, house.gateways, {(OFFICE, "whatsapp")}) is False
    assert [one.to for one in house.senders["email"].got] == [EMAIL]


def test_without_a_gateway_it_waits_visibly(house):
    del house.senders["whatsapp"]
    house.returned()
    house.follow()
    assert send_one(house.teken, house.gateways) == (OFFICE, "whatsapp")
    assert house.outcomes() == [("returned", "whatsapp", "waiting", "no_gateway")]


def test_an_office_that_stops_telling_sends_nothing_more(house):
    house.returned()
    house.follow()
    house.with_policy(kinds=("ready",))
    house.send()
    assert house.outcomes() == [("returned", "whatsapp", "moot", None)]


@pytest.mark.parametrize("spelled", ["$number {0.__class__} {{7*7}}", "%s ${office}"])
def test_data_is_never_a_template(house, spelled):
    house.with_policy(texts={"returned": "$application kembali ke $office"})
    permit = house.returned()
    with house.teken.db.write() as connection:
        connection.execute(update(permits).where(permits.c.id == permit).values(upstream_id=spelled))
    house.send()
    [message] = house.senders["whatsapp"].got
    assert message.text == f"{spelled} kembali ke DPMPTSP Kabupaten Malang"


def test_stamps_are_instants(house):
    house.returned()
    house.send()
    [sent] = house.rows()
    assert sent.ended_at == stamp(house.clock.now())
