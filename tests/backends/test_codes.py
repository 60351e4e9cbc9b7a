"""A head who signs with one-time codes, in the real steps: asked for, typed, used; what a code covers, and what it does not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from flask import request
from sqlalchemy import select, update

from service import batch, batch_codes, pipeline
from service.errors import NotFound
from service.permits import State
from service.store.batch_tables import Asked, BatchState, code_requests
from signing import BsreBackend
from tests.backends.conftest import bsre_office
from tests.signing.simulated import NIK

CODES = 'backend = "bsre"\nauthorise = "totp"'
LONG_AGO = "2020-01-01T00:00:00.000000Z"


@contextmanager
def office(tmp_path, keys, bsre_keys, *quirks, **host):
    with bsre_office(tmp_path, keys, bsre_keys, *quirks, signing=CODES, **host) as desk:
        yield desk


def asked_for(desk, documents: int) -> bytes:
    """Ask for a code as the desk does, let the signing process pass it on, and read it where its owner would."""
    batch_codes.ask(desk.teken, desk.head, documents)
    pipeline.advance(desk.teken, "sign")
    standing = batch_codes.standing(desk.teken, desk.head, LONG_AGO)
    assert (standing.state, standing.cause) == (Asked.SENT, None)
    return desk.service.app.extensions["play"].codes[NIK].encode()


def now(desk, opened):
    return batch.status(desk.teken, opened.id)


def go_on(desk, opened, code: bytes):
    batch.resume(desk.teken, desk.head, opened.id, bytearray(code))
    desk.sign()
    return now(desk, opened)


def test_from_the_code_to_the_released_permits(tmp_path, keys, bsre_keys, database):
    """A code is good for one request, so the first one takes as many documents as it may."""
    with office(tmp_path, keys, bsre_keys, "totp_once", "totp_counted", database=database) as desk:
        listed = desk.fill(3)
        opened = desk.open(listed, asked_for(desk, 3))
        desk.sign()
        desk.work()
        assert (now(desk, opened).state, now(desk, opened).counts) == (BatchState.DONE, {"signed": 3})
        assert [desk.row(permit).state for permit, _ in listed] == [State.IN_FORCE] * 3
        assert desk.service.requests("sign/pdf") == 1
        assert desk.service.requests("sign/get/totp") == 1


def test_what_one_code_does_not_cover_waits_for_the_next(tmp_path, keys, bsre_keys):
    with office(tmp_path, keys, bsre_keys, "totp_once", chunk=2) as desk:
        opened = desk.open(desk.fill(5), asked_for(desk, 5))
        desk.sign()
        desk.sign()
        assert (now(desk, opened).state, now(desk, opened).cause) == (BatchState.PAUSED, "code_used")
        assert now(desk, opened).counts == {"signed": 2, "waiting": 3}
        assert desk.service.requests("sign/pdf") == 1
        again(desk)
        assert go_on(desk, opened, asked_for(desk, 3)).counts == {"signed": 4, "waiting": 1}
        again(desk)
        assert go_on(desk, opened, asked_for(desk, 1)).counts == {"signed": 5}
        assert desk.service.requests("sign/pdf") == 3


def again(desk) -> None:
    """The half minute in which a second request counts as a second tap is over."""
    with desk.teken.db.write() as connection:
        connection.execute(update(code_requests).values(asked_at=LONG_AGO))


def test_where_a_code_covers_the_batch_one_is_enough(tmp_path, keys, bsre_keys):
    with office(tmp_path, keys, bsre_keys, chunk=2, totp_covers="batch") as desk:
        opened = desk.open(desk.fill(5), asked_for(desk, 5))
        desk.sign()
        assert now(desk, opened).counts == {"signed": 5}
        assert desk.service.requests("sign/pdf") == 3  # the first document alone, then two and two


@pytest.mark.parametrize("covers", ["request", "batch"])
def test_a_wrong_code_reaches_the_service_once_and_a_new_one_goes_on(tmp_path, keys, bsre_keys, covers):
    with office(tmp_path, keys, bsre_keys, totp_covers=covers) as desk:
        listed = desk.fill(3)
        right = asked_for(desk, 3)
        wrong = str((int(right) + 1) % 10**6).zfill(6).encode()
        opened = desk.open(listed, wrong)
        desk.sign()
        desk.sign()
        desk.tend()
        assert (now(desk, opened).state, now(desk, opened).cause) == (BatchState.REFUSED, "totp_wrong")
        assert now(desk, opened).counts == {"waiting": 3}
        assert desk.service.requests("sign/pdf") == 1
        assert {(desk.row(permit).state, desk.row(permit).queue) for permit, _ in listed} == {
            (State.NUMBERED, "person")
        }
        assert go_on(desk, opened, right).counts == {"signed": 3}


def test_a_code_that_expires_in_mid_batch_leaves_the_rest_in_the_tray(tmp_path, keys, bsre_keys):
    with office(tmp_path, keys, bsre_keys, totp_covers="batch", chunk=2) as desk:
        opened = desk.open(desk.fill(5), asked_for(desk, 5))
        pipeline.advance(desk.teken, "sign")
        desk.service.quirks["totp_minutes"] = 0
        desk.sign()
        assert (now(desk, opened).state, now(desk, opened).cause) == (BatchState.REFUSED, "totp_wrong")
        assert now(desk, opened).counts == {"signed": 1, "waiting": 4}
        assert desk.service.requests("sign/pdf") == 2


def test_a_lost_answer_leaves_what_went_with_the_code_unknown(tmp_path, keys, bsre_keys):
    with office(tmp_path, keys, bsre_keys, "drops_connection", chunk=2) as desk:
        opened = desk.open(desk.fill(3), asked_for(desk, 3))
        desk.sign()
        assert (now(desk, opened).state, now(desk, opened).cause) == (BatchState.PAUSED, "outcome_unknown")
        assert now(desk, opened).counts == {"failed": 2, "waiting": 1}
        assert desk.service.requests("sign/pdf") == 1


def test_a_busy_service_did_not_see_the_documents_and_the_code_is_asked_for_anew(tmp_path, keys, bsre_keys):
    with office(tmp_path, keys, bsre_keys) as desk:
        listed = desk.fill(2)
        code = asked_for(desk, 2)
        opened = desk.open(listed, code)
        desk.service.app.before_request_funcs[None].append(_busy_at_the_signature)
        desk.sign()
        assert (now(desk, opened).state, now(desk, opened).cause) == (BatchState.PAUSED, "service_busy")
        assert now(desk, opened).counts == {"waiting": 2}


def _busy_at_the_signature():
    return ("{}", 503, {"Retry-After": "1"}) if request.path.endswith("sign/pdf") else None


# asking for it


def test_a_second_tap_sends_no_second_code(tmp_path, keys, bsre_keys):
    with office(tmp_path, keys, bsre_keys) as desk:
        for _ in range(2):
            batch_codes.ask(desk.teken, desk.head, 1)
            desk.sign()
            batch_codes.ask(desk.teken, desk.head, 1)
        assert desk.service.requests("sign/get/totp") == 1


def test_two_taps_at_the_same_moment_are_one_request(tmp_path, keys, bsre_keys, database):
    with office(tmp_path, keys, bsre_keys, database=database) as desk:
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(lambda _: batch_codes.ask(desk.teken, desk.head, 1), range(6)))
        with desk.teken.db.read() as connection:
            assert len(connection.execute(select(code_requests)).all()) == 1


def test_a_stranger_gets_no_code(tmp_path, keys, bsre_keys):
    with office(tmp_path, keys, bsre_keys) as desk:
        with pytest.raises(NotFound):
            batch_codes.ask(desk.teken, "rokan-hilir/tiada", 1)
        with pytest.raises(batch_codes.CodesNeedless):
            batch_codes.ask(desk.teken, "tiada/tiada", 1)


@pytest.mark.parametrize(("quirk", "cause"), [("not_registered", "not_registered"), ("unavailable=9", "service_busy")])
def test_why_no_code_was_sent_is_said_and_it_may_be_asked_for_again(tmp_path, keys, bsre_keys, quirk, cause):
    with office(tmp_path, keys, bsre_keys, quirk) as desk:
        batch_codes.ask(desk.teken, desk.head, 1)
        desk.sign()
        standing = batch_codes.standing(desk.teken, desk.head, LONG_AGO)
        assert (standing.state, standing.cause) == (Asked.FAILED, cause)
        desk.service.quirks.clear()
        assert asked_for(desk, 1)


def test_what_nobody_passes_on_has_failed_in_time_and_is_not_passed_on_later(tmp_path, keys, bsre_keys):
    with office(tmp_path, keys, bsre_keys) as desk:
        batch_codes.ask(desk.teken, desk.head, 1)
        again(desk)
        standing = batch_codes.standing(desk.teken, desk.head, LONG_AGO)
        assert (standing.state, standing.cause) == (Asked.FAILED, "code_unanswered")
        desk.sign()
        assert desk.service.requests("sign/get/totp") == 0


def test_a_fault_of_the_program_ends_no_signing_process(tmp_path, keys, bsre_keys, monkeypatch):
    def broken(*_given, **_named):
        raise RuntimeError(NIK)

    with office(tmp_path, keys, bsre_keys) as desk:
        with monkeypatch.context() as patch:
            patch.setattr(BsreBackend, "request_totp", broken)
            batch_codes.ask(desk.teken, desk.head, 1)
            desk.sign()
        standing = batch_codes.standing(desk.teken, desk.head, LONG_AGO)
        assert (standing.state, standing.cause) == (Asked.FAILED, "code_unanswered")
        assert asked_for(desk, 1)


def test_where_a_passphrase_is_typed_no_code_is_asked_for(tmp_path, keys, bsre_keys):
    with bsre_office(tmp_path, keys, bsre_keys) as desk, pytest.raises(batch_codes.CodesNeedless):
        batch_codes.ask(desk.teken, desk.head, 1)
