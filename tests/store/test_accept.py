"""Posting once, whatever is lost on the way: idempotency keys, upstream ids, dead first requests."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select, update

from service import failpoints, idempotency, intake
from service.errors import CaseInvalid, Conflict, IdempotencyMismatch, IdempotencyRunning
from service.store import StoreBusy, names
from service.store.tables import case_names, events, permits, revisions
from service.store.tables import idempotency as keys_used
from tests.support.office import payload, post


class Killed(BaseException):
    """In place of SIGKILL: nothing that the product could catch runs after it."""


@pytest.fixture
def dying(monkeypatch):
    """Let the process "die" at one point: no clean-up of the product runs."""

    def at(point: str) -> None:
        def passing(name: str) -> None:
            if name == point:
                raise Killed(name)

        monkeypatch.setattr(failpoints, "passing", passing)
        monkeypatch.setattr(idempotency, "forget", lambda *_: None)

    yield at
    monkeypatch.undo()


def count(world, table) -> int:
    with world.teken.db.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_the_same_key_and_body_answer_the_same(world):
    first, again = world.post(key="k-1"), world.post(key="k-1")
    assert (first.body, first.location) == (again.body, again.location)
    assert (first.replayed, again.replayed) == (False, True)
    assert (count(world, permits), count(world, events)) == (1, 1)


def test_the_stored_answer_is_the_first_one_even_when_the_permit_moved_on(world):
    first = world.post(key="k-1").body
    from service import pipeline

    pipeline.drain(world.teken, "work")
    assert world.post(key="k-1").body == first
    assert world.post(key="k-2").body["state"] == "numbered", "another key asks anew and finds the same permit"
    assert count(world, permits) == 1


def test_the_same_key_with_another_body_is_refused(world):
    world.post("UJI-1", key="k-1")
    with pytest.raises(IdempotencyMismatch):
        world.post("UJI-2", key="k-1")
    assert count(world, permits) == 1


def test_the_same_key_of_another_client_is_another_key(world):
    from tests.support.office import client_of

    world.post(key="k-1")
    other = client_of(world.teken, "rokan-hilir")
    assert post(world.teken, other, payload("rokan-hilir", "sip-perekam-medis", "LAIN"), "k-1").replayed is False


def test_a_refused_case_leaves_the_key_free_for_its_correction(world):
    with pytest.raises(CaseInvalid):
        world.post(key="k-1", applicant__nik="1")
    assert world.post(key="k-1").status == 202


def test_a_running_first_request_holds_the_key_until_it_is_taken_for_dead(world, dying):
    dying("accept.before_commit")
    with pytest.raises(Killed):
        world.post(key="k-1")
    failpoints_off(world)
    with pytest.raises(IdempotencyRunning):
        world.post(key="k-1")
    world.clock.forward(seconds=idempotency.RUNNING_SECONDS + 1)
    assert world.post(key="k-1").status == 202
    assert count(world, permits) == 1


def test_a_request_that_died_after_its_commit_is_answered_at_once(world, dying):
    dying("accept.after_commit")
    with pytest.raises(Killed):
        world.post(key="k-1")
    failpoints_off(world)
    answer = world.post(key="k-1")
    assert (answer.status, answer.replayed) == (202, True)
    assert (count(world, permits), count(world, revisions)) == (1, 1)


def test_a_slow_first_request_that_was_taken_over_stores_nothing(world, monkeypatch):
    """It is alive after all, but its key belongs to another by now: one answer, one permit."""
    real = intake.prepare

    def slow(teken, client, body):
        monkeypatch.setattr(intake, "prepare", real)
        world.clock.forward(seconds=idempotency.RUNNING_SECONDS + 1)
        assert world.post("UJI-1", key="k-1").status == 202
        return real(teken, client, body)

    monkeypatch.setattr(intake, "prepare", slow)
    with pytest.raises(IdempotencyRunning):
        world.post("UJI-1", key="k-1")
    assert (count(world, permits), count(world, events)) == (1, 1)
    assert world.post("UJI-1", key="k-1").replayed


def test_a_fault_is_told_even_if_the_database_is_busy_when_the_key_is_freed(world, monkeypatch):
    def busy(*_):
        raise StoreBusy("locked")

    monkeypatch.setattr(idempotency, "forget", busy)
    with pytest.raises(CaseInvalid):
        world.post(key="k-1", applicant__nik="1")


def test_the_same_upstream_case_is_one_permit_without_any_key(world):
    first, again = world.post("UJI-1"), world.post("UJI-1")
    assert first.body["id"] == again.body["id"]
    assert (count(world, permits), count(world, events)) == (1, 1)


def test_the_same_case_is_the_same_permit_even_when_its_str_has_ended_since(world):
    body = payload("rokan-hilir", "sip-perekam-medis", "UJI-LAMA", str__masa_berlaku="2027-03-01")
    first = post(world.teken, world.client, body).body
    world.teken.clock.forward(days=400)
    assert post(world.teken, world.client, body, "k-9").body["id"] == first["id"]
    with pytest.raises(CaseInvalid):
        post(world.teken, world.client, body | {"upstream_id": "UJI-BARU"})
    with pytest.raises(CaseInvalid):
        post(
            world.teken,
            world.client,
            payload("rokan-hilir", "sip-perekam-medis", "UJI-LAMA", str__masa_berlaku="2027-03-02"),
        )
    assert count(world, permits) == 1


def test_other_content_under_the_same_upstream_id_is_refused_until_it_is_returned(world):
    world.post("UJI-1")
    with pytest.raises(Conflict) as refused:
        world.post("UJI-1", applicant__nik="3204110609970002")
    assert refused.value.code == "case_differs"
    assert count(world, revisions) == 1


def test_a_returned_case_cannot_come_back_as_another_type(world):
    """Its number belongs to the series of its type: another type is another case."""
    permit = world.accepted("UJI-1")
    with world.teken.db.write() as connection:
        connection.execute(update(permits).where(permits.c.id == permit).values(state="returned", queue="none"))
    other = payload("rokan-hilir", "sip-penata-anestesi", "UJI-1")
    with pytest.raises(Conflict) as refused:
        post(world.teken, world.client, other)
    assert refused.value.code == "case_differs"


def test_a_correction_may_change_what_the_case_is_about(world):
    """When the file was complete and what it asks for are upstream's to correct: the permit's row follows the case."""
    permit = world.accepted("UJI-1")
    with world.teken.db.write() as connection:
        connection.execute(update(permits).where(permits.c.id == permit).values(state="returned", queue="none"))
    body = payload("rokan-hilir", "sip-perekam-medis", "UJI-1", complete_at="2026-11-17T03:00:00Z")
    assert post(world.teken, world.client, body).body["id"] == permit
    row = world.row(permit)
    assert (row.complete_at, row.revision) == ("2026-11-17T03:00:00.000000Z", 2)


def test_a_new_case_is_stored_with_every_note_of_its_name_and_who_comes_second_adds_none(world):
    for _ in range(2):
        permit = world.post("UJI-1").body["id"]
        with world.teken.db.read() as connection:
            body = connection.execute(select(revisions.c.body).where(revisions.c.permit == permit)).scalar_one()
            noted = {(row.permit, row.begins) for row in connection.execute(select(case_names))}
            right = {(one["permit"], one["begins"]) for one in names.rows(connection, permit, "rokan-hilir", body)}
        assert noted == right
        assert noted


@pytest.mark.parametrize("keyed", [True, False])
def test_fifty_threads_that_post_the_same_case_make_one_permit(world, keyed):
    """Some with one shared key, some with none: one permit, one revision, one event; whoever is answered is told the same id."""
    body = payload("rokan-hilir", "sip-perekam-medis", "SAMA")
    raw = json.dumps(body).encode()

    def send(_: int):
        while True:
            try:
                return intake.accept(world.teken, world.client, json.loads(raw), raw, "satu" if keyed else None)
            except (IdempotencyRunning, StoreBusy):
                time.sleep(0.05)

    with ThreadPoolExecutor(50) as pool:
        ids = {reply.body["id"] for reply in pool.map(send, range(50))}
    assert len(ids) == 1
    assert [count(world, table) for table in (permits, revisions, events)] == [1, 1, 1]
    assert count(world, keys_used) == (1 if keyed else 0)


def failpoints_off(world) -> None:
    """The next process is a fresh one."""
    failpoints.passing = _NOTHING


_NOTHING = failpoints.passing
