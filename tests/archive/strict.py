"""The same contract on a store that refuses all it must. Run by hand, since no package brings the server:

go install github.com/versity/versitygw/cmd/versitygw@latest
PATH="$(go env GOPATH)/bin:$PATH" .venv/bin/python -m pytest tests/archive/strict.py
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from service.archive import ArchiveDamaged
from tests.archive.stores import versitygw
from tests.archive.test_contract import TestBucket, TestBucketWithoutLock
from tests.archive.test_scrub import test_a_bucket_is_healed_and_locked_again

__all__ = ["test_a_bucket_is_healed_and_locked_again"]


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    with versitygw(tmp_path_factory.mktemp("versitygw")) as running:
        yield running


class TestStrictBucket(TestBucket):
    pass


class TestStrictBucketWithoutLock(TestBucketWithoutLock):
    pass


del TestBucket, TestBucketWithoutLock


@pytest.fixture
def archive(store, prefix):
    return store.archive(prefix)


def test_it_refuses_all_three(archive):
    assert set(archive.tried(datetime.now(UTC)).values()) == {"refused"}


def test_bytes_changed_on_the_way_are_refused_by_the_store(archive):
    client = archive._opened()
    client.meta.events.register("before-send.s3.PutObject", _spoiled)
    with pytest.raises(Exception) as told:
        archive.put(b"naskah yang utuh")
    client.meta.events.unregister("before-send.s3.PutObject", _spoiled)
    assert "archive_refused" in str(told.value)
    assert list(archive.names()) == []


def _spoiled(request, **_):
    request.body = b"naskah yang uTuh"


def test_a_released_document_outlives_whoever_has_the_keys(archive):
    now = datetime.now(UTC)
    name = archive.put(b"terbit")
    archive.keep(name, now)
    raw, where = archive._opened(), {"Bucket": "arsip", "Key": archive._key(name)}
    version = raw.head_object(**where)["VersionId"]
    shorter = {"Mode": "COMPLIANCE", "RetainUntilDate": now + timedelta(days=1)}
    for act in (
        lambda: raw.delete_object(**where, VersionId=version),
        lambda: raw.put_object_retention(**where, Retention=shorter, VersionId=version),
        lambda: raw.put_object_retention(**where, Retention=shorter, VersionId=version, BypassGovernanceRetention=True),
    ):
        with pytest.raises(ClientError):
            act()
    raw.put_object(**where, Body=b"palsu")
    with pytest.raises(ArchiveDamaged, match="hash differs"):
        archive.get(name)
    raw.delete_object(**where)
    with pytest.raises(ArchiveDamaged, match="missing"):
        archive.get(name)
    assert raw.get_object(**where, VersionId=version)["Body"].read() == b"terbit"
    archive.mend(name, b"terbit")
    archive.keep(name, now)
    assert archive.get(name) == b"terbit"


def test_a_draft_is_not_locked(archive):
    name = archive.put(b"konsep")
    raw, where = archive._opened(), {"Bucket": "arsip", "Key": archive._key(name)}
    raw.delete_object(**where, VersionId=raw.head_object(**where)["VersionId"])
    assert not archive.has(name)
