"""What a store must refuse is tried at start and told: to the load balancer, and to the operator with what to do."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from service.archive import ArchiveUnreachable
from service.archive_standing import noted
from service.clock import SystemClock
from service.doctor import State
from service.doctor.findings import worded
from service.doctor.place import look_at_archive
from service.doctor.view import Asked, View
from service.queries import ready
from tests.archive.stores import KEY, SECRET
from tests.support.office import open_office


@pytest.fixture
def opened(tmp_path, keys, store, prefix):
    """An office whose archive is the bucket; the store's locks go by the clock of the world."""

    def act(url=None, **more):
        given = {
            "archive_url": url or store.url(prefix),
            "archive_credentials": store.credentials,
            "clock": SystemClock(),
            **more,
        }
        return open_office(tmp_path / "rumah", keys, signing=False, **given)

    return act


def test_moto_takes_a_wrong_checksum_and_the_trial_says_so(store, prefix):
    """The strict server's answer is in strict.py: there all three are refused."""
    found = store.archive(prefix).tried(datetime.now(UTC))
    assert found == {"overwrite": "refused", "checksum": "allowed", "delete": "refused"}


def test_a_bucket_without_lock_lacks_it_unless_none_is_asked_for(store, prefix):
    assert store.archive(prefix, bucket="polos").tried(datetime.now(UTC))["delete"] == "missing"
    assert store.archive(prefix, bucket="polos", lock="none").tried(datetime.now(UTC))["delete"] == "not_asked"


def test_a_store_that_overwrites_is_found_out(store, prefix, monkeypatch):
    archive = store.archive(prefix)
    client = archive._opened()
    put = client.put_object
    monkeypatch.setattr(
        client, "put_object", lambda **given: put(**{k: v for k, v in given.items() if k != "IfNoneMatch"})
    )
    assert archive.tried(datetime.now(UTC))["overwrite"] == "allowed"


def test_a_store_that_is_unwell_has_refused_nothing(store, prefix, monkeypatch):
    from botocore.exceptions import ClientError

    archive = store.archive(prefix)
    client, calls = archive._opened(), []
    put = client.put_object

    def failing(**given):
        calls.append(given)
        if len(calls) == 2:
            raise ClientError({"Error": {"Code": "SlowDown"}, "ResponseMetadata": {"HTTPStatusCode": 503}}, "PutObject")
        return put(**given)

    monkeypatch.setattr(client, "put_object", failing)
    with pytest.raises(ArchiveUnreachable):
        archive.tried(datetime.now(UTC))
    monkeypatch.undo()
    archive._quiet_until = 0
    assert archive.tried(datetime.now(UTC))["overwrite"] == "refused", "it is tried again"


def test_probes_lie_outside_of_the_names_and_are_tidied_up(store, prefix):
    archive = store.archive(prefix, bucket="polos", lock="none")
    archive.tried(datetime.now(UTC))
    assert list(archive.names()) == []
    probes = {"Bucket": "polos", "Prefix": f"{prefix}/probe/"}
    before = archive._opened().list_objects_v2(**probes)["KeyCount"]
    later = store.archive(prefix, bucket="polos", lock="none")
    later.tried(datetime.now(UTC) + timedelta(days=365))
    assert archive._opened().list_objects_v2(**probes)["KeyCount"] == before


def test_readiness_tells_what_the_store_does_not_refuse(opened, store, prefix):
    with closing(opened()) as teken:
        assert ready(teken) == {"database": True, "archive": True, "archive_lacks": "checksum"}
        assert noted(teken.settings).lacking == ("checksum",)
    with closing(opened(store.url(prefix, port=1))) as teken:
        assert ready(teken) == {"database": True, "archive": False}


def examined(teken):
    view = View(teken.settings, teken.clock, Asked())
    try:
        return {(note.code, note.state) for note in look_at_archive(view)} - {
            ("disk_fine", State.OK),
            ("disk_nearly_full", State.WARNING),
        }
    finally:
        view.close()


def test_the_doctor_tells_it_with_a_remedy_and_writes_nothing(opened, store, prefix):
    with closing(opened()) as teken:
        objects = {"Bucket": "arsip", "Prefix": prefix}
        assert examined(teken) == {("archive_untried", State.WARNING)}
        assert store.raw.list_objects_v2(**objects)["KeyCount"] == 0
        ready(teken)
        assert examined(teken) == {("archive_lacks", State.FAULT)}
        view = View(teken.settings, teken.clock, Asked())
        said = next(worded("archive", note) for note in look_at_archive(view) if note.code == "archive_lacks")
        assert "checksum" in said.message
        assert "Object Lock" in said.remedy
        assert not {KEY, SECRET} & set(said.message + said.subject + said.remedy)


@pytest.mark.parametrize(
    ("more", "code"),
    [({"port": 1}, "archive_unreachable"), ({"bucket": "tidak-ada"}, "archive_refused")],
)
def test_the_doctor_tells_a_wait_from_a_refusal(opened, store, prefix, more, code):
    with closing(opened(store.url(prefix, **more))) as teken:
        assert code in {one for one, _ in examined(teken)}


def test_the_doctor_tells_keys_that_others_can_read(opened, tmp_path, store):
    loose = tmp_path / "kunci"
    loose.write_text(store.credentials.read_text())
    loose.chmod(0o644)
    with closing(opened(archive_credentials=loose)) as teken:
        assert ("archive_refused", State.FAULT) in examined(teken)
