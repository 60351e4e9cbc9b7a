"""The second copy follows the journal: it gets all that permits name, is never waited for, and its lag is known."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta

import pytest

from service import archive_copies
from service.archive import LocalArchive
from service.archive_copies import Copies, is_late, lag
from service.archive_scrub import scrub
from service.renewal import Rounds
from tests.archive.stores import Store
from tests.audit.world import ROHIL
from tests.procedures.stories import issued
from tests.support.office import client_of, open_office, payload, row


@pytest.fixture
def office(tmp_path, keys):
    opened = []

    def act(second: str, **more):
        teken = open_office(tmp_path / "rumah", keys, archive_second=second, **more)
        opened.append(teken)
        return teken

    yield act
    for one in opened:
        one.close()


def everything(teken) -> set[str]:
    return {one.name for one in teken.archive.names()}


def test_all_that_a_permit_names_is_copied_in_spare_time(office, tmp_path):
    teken = office(str(tmp_path / "kedua"))
    issued(teken, client_of(teken, ROHIL[0]), payload(*ROHIL, "UJI-1"))
    second = LocalArchive(tmp_path / "kedua")
    assert list(second.names()) == [], "a release does not wait for it"
    assert lag(teken).behind > 0
    Rounds().spare(teken)
    assert (lag(teken).behind, lag(teken).since) == (0, None)
    assert {one.name for one in second.names()} == everything(teken)
    assert scrub(teken, second, "kedua", journalled=False).findings == []


def test_with_the_first_archive_gone_the_copy_has_what_is_needed(office, tmp_path):
    """The first is emptied down to one file; the scrub fills it again."""
    teken = office(str(tmp_path / "kedua"))
    permit = issued(teken, client_of(teken, ROHIL[0]), payload(*ROHIL, "UJI-1"))
    Rounds().spare(teken)
    released, before = row(teken, permit).released_sha, everything(teken)
    for name in sorted(before)[1:]:
        teken.archive._path(name).unlink()
    found = scrub(teken, teken.archive, "arsip", second=LocalArchive(tmp_path / "kedua"))
    assert found.unhealed == []
    assert everything(teken) == before
    assert teken.archive.get(released)


def test_a_copy_that_is_away_stops_nothing_and_is_caught_up(office, store: Store, wire, prefix):
    wire.mode = "down"
    teken = office(store.url(prefix, port=wire.port), archive_credentials=store.credentials)
    permit = issued(teken, client_of(teken, ROHIL[0]), payload(*ROHIL, "UJI-1"))
    assert Copies().follow(teken) == 0
    assert row(teken, permit).state == "in_force"
    found = lag(teken)
    assert not is_late(teken.clock.now(), found)
    teken.clock.at += timedelta(hours=2)
    assert is_late(teken.clock.now(), found)
    wire.mode = "open"
    copies = Copies()
    while copies.follow(teken, limit=3):
        pass
    assert lag(teken).behind == 0
    second = store.archive(prefix)
    assert {one.name for one in second.names()} == everything(teken)
    key = second._key(row(teken, permit).released_sha)
    assert "ObjectLockMode" in store.raw.head_object(Bucket="arsip", Key=key), (
        "the copy of a released document is locked too"
    )


def test_a_full_disk_under_the_home_stops_no_worker(office, tmp_path, monkeypatch):
    teken = office(str(tmp_path / "kedua"))
    issued(teken, client_of(teken, ROHIL[0]), payload(*ROHIL, "UJI-1"))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive_copies, "_note", full)
    Rounds().spare(teken)
    assert lag(teken).behind > 0


def test_what_the_first_has_lost_does_not_stop_the_copy(office, tmp_path):
    teken = office(str(tmp_path / "kedua"))
    permit = issued(teken, client_of(teken, ROHIL[0]), payload(*ROHIL, "UJI-1"))
    lost = row(teken, permit).draft_sha
    teken.archive._path(lost).unlink()
    Rounds().spare(teken)
    assert lag(teken).behind == 0
    assert {one.name for one in LocalArchive(tmp_path / "kedua").names()} == everything(teken)


def test_another_place_begins_anew(office, tmp_path, keys):
    teken = office(str(tmp_path / "kedua"))
    issued(teken, client_of(teken, ROHIL[0]), payload(*ROHIL, "UJI-1"))
    Rounds().spare(teken)
    with closing(open_office(tmp_path / "rumah", keys, archive_second=str(tmp_path / "ketiga"))) as other:
        assert lag(other).behind > 0
        Rounds().spare(other)
        assert {one.name for one in LocalArchive(tmp_path / "ketiga").names()} == everything(other)
