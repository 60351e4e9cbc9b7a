"""One contract, every archive that `make test` can run: the folder, a bucket with Object Lock, a bucket without."""

from __future__ import annotations

import pytest

from service.archive import LocalArchive
from tests.archive.conftest import spoil_object
from tests.archive.contract import Contract


class TestFolder(Contract):
    @pytest.fixture
    def archive(self, tmp_path):
        return LocalArchive(tmp_path / "arsip")

    @pytest.fixture
    def spoil(self):
        def act(archive, name, data):
            path = archive._path(name)
            path.chmod(0o600)
            path.unlink() if data is None else path.write_bytes(data)

        return act

    def test_what_was_damaged_is_kept_aside(self, archive, spoil):
        name = archive.put(b"sehat")
        spoil(archive, name, b"lain")
        archive.mend(name, b"sehat")
        assert [one.read_bytes() for one in (archive.root / "damaged").iterdir()] == [b"lain"]
        assert [one.name for one in archive.names()] == [name]


class TestBucket(Contract):
    @pytest.fixture
    def archive(self, store, prefix):
        return store.archive(prefix)

    @pytest.fixture
    def spoil(self):
        return spoil_object

    def test_what_was_damaged_is_kept_aside(self, archive):
        name = archive.put(b"sehat")
        spoil_object(archive, name, b"lain")
        archive.mend(name, b"sehat")
        aside = archive._opened().list_objects_v2(Bucket="arsip", Prefix=f"{archive.place.prefix}damaged/")["Contents"]
        assert [archive._opened().get_object(Bucket="arsip", Key=one["Key"])["Body"].read() for one in aside] == [
            b"lain"
        ]
        assert [one.name for one in archive.names()] == [name]


class TestBucketWithoutLock(TestBucket):
    @pytest.fixture
    def archive(self, store, prefix):
        return store.archive(prefix, bucket="polos", lock="none")

    test_what_was_damaged_is_kept_aside = None
