"""The store is away while the office works: nothing is acknowledged that is not stored, nobody is parked, nothing is called lost."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime

import pytest

from service import pipeline
from service.app import create_app
from service.archive import ArchiveUnreachable, s3
from service.permits import State
from service.verification.answers import PermitState
from service.verification.permit import by_code
from tests.audit.world import ROHIL
from tests.procedures.stories import issued
from tests.support.office import client_of, open_office, payload, play, post, row, work


@pytest.fixture
def given(store, wire, prefix, monkeypatch):
    monkeypatch.setattr(s3, "REST_SECONDS", 0)
    return {"archive_url": store.url(prefix, port=wire.port), "archive_credentials": store.credentials}


def test_a_step_waits_without_a_try_being_counted_and_goes_on(tmp_path, keys, given, wire):
    with closing(open_office(tmp_path / "rumah", keys, max_attempts=2, **given)) as teken:
        permit = post(teken, client_of(teken, ROHIL[0]), payload(*ROHIL, "UJI-1")).body["id"]
        wire.mode = "down"
        for _ in range(5):
            assert pipeline.advance(teken, "work")
        found = row(teken, permit)
        assert (found.attempts, found.fault) == (0, "archive_unreachable")
        assert found.state != State.PARKED
        wire.mode = "open"
        play(teken, permit)
        assert row(teken, permit).state == State.IN_FORCE


def test_a_lock_that_is_refused_stops_the_release_and_is_told(tmp_path, keys, store, prefix):
    given = {"archive_url": store.url(prefix, bucket="polos"), "archive_credentials": store.credentials}
    with closing(open_office(tmp_path / "rumah", keys, **given)) as teken:
        permit = post(teken, client_of(teken, ROHIL[0]), payload(*ROHIL, "UJI-1")).body["id"]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pipeline, "drain", _a_few(pipeline.drain))
            play(teken, permit, until=State.SIGNED)
            pipeline.drain(teken, "work")
        found = row(teken, permit)
        assert (found.released_sha, found.fault, found.attempts) == (None, "archive_refused", 0)


def _a_few(drain):
    """It is due again at once, for ever: a few tries are enough."""
    return lambda teken, queue, limit=10: drain(teken, queue, limit=limit) and 0


def test_a_post_is_refused_with_a_wait_and_accepted_later(tmp_path, keys, given, wire):
    with closing(open_office(tmp_path / "rumah", keys, signing=False, **given)) as teken:
        client = client_of(teken, ROHIL[0])
        wire.mode = "down"
        for _ in range(2):
            with pytest.raises(ArchiveUnreachable) as told:
                post(teken, client, payload(*ROHIL, "UJI-1"), "kunci-1")
            assert (told.value.status, told.value.retry_after) == (503, 5)
        wire.mode = "open"
        assert post(teken, client, payload(*ROHIL, "UJI-1"), "kunci-1").status == 202


def test_a_code_is_undetermined_and_never_unknown(tmp_path, keys, given, wire):
    with closing(open_office(tmp_path / "rumah", keys, **given)) as teken:
        permit = issued(teken, client_of(teken, ROHIL[0]), payload(*ROHIL, "UJI-1"))
        code = row(teken, permit).code
    with closing(open_office(tmp_path / "rumah", keys, signing=False, **given)) as teken:
        wire.mode = "down"
        now = datetime.now(UTC)
        assert by_code(teken, code, at=now).state is PermitState.UNDETERMINED
        asked = create_app(teken).test_client().get("/readyz")
        assert (asked.status_code, asked.get_json()["checks"]["archive"]) == (503, False)
        wire.mode = "open"
        assert by_code(teken, code, at=now).state is not PermitState.UNDETERMINED
        work(teken)
