"""The disk under a local archive is full or unwell: a wait, as with a store that is away, and nothing half stays behind."""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from service import pipeline
from service.archive import ArchiveUnreachable, LocalArchive
from service.permits import State
from tests.audit.world import ROHIL
from tests.support.office import client_of, open_office, payload, play, post, row


@pytest.fixture
def unwell(monkeypatch):
    """From when it is called, every write to a disk fails."""

    def begin(number: int):
        def failing(_descriptor):
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(os, "fsync", failing)

    return begin


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS])
def test_what_can_not_be_written_is_a_wait_and_leaves_nothing(tmp_path, unwell, monkeypatch, number):
    archive = LocalArchive(tmp_path)
    unwell(number)
    with pytest.raises(ArchiveUnreachable) as told:
        archive.put(b"naskah")
    assert (told.value.code, told.value.status) == ("archive_unreachable", 503)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    monkeypatch.undo()
    assert archive.get(archive.put(b"naskah")) == b"naskah"


def test_no_permit_is_parked_for_a_full_disk(tmp_path, keys, unwell, monkeypatch):
    with closing(open_office(tmp_path / "rumah", keys, max_attempts=2)) as teken:
        permit = post(teken, client_of(teken, ROHIL[0]), payload(*ROHIL, "UJI-1")).body["id"]
        unwell(errno.ENOSPC)
        for _ in range(5):
            assert pipeline.advance(teken, "work")
        found = row(teken, permit)
        assert (found.queue, found.fault, found.attempts) == ("work", "archive_unreachable", 0)
        monkeypatch.undo()
        play(teken, permit)
        assert row(teken, permit).state == State.IN_FORCE


def test_nor_for_a_disk_without_room_for_the_typesetters_files(tmp_path, keys, monkeypatch):
    with closing(open_office(tmp_path / "rumah", keys, max_attempts=2)) as teken:
        permit = post(teken, client_of(teken, ROHIL[0]), payload(*ROHIL, "UJI-1")).body["id"]
        laid_out = tmp_path / "rumah" / "typeset"
        shutil.rmtree(laid_out)
        real = Path.write_bytes

        def full(path, data):
            real(path, data[:1])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(Path, "write_bytes", full)
        teken.pins._open.clear()
        for _ in range(5):
            assert pipeline.advance(teken, "work")
        found = row(teken, permit)
        assert (found.queue, found.fault, found.attempts) == ("work", "disk_unwritable", 0)
        assert list(laid_out.iterdir()) == [], "a try that failed fills the disk no further"
        monkeypatch.undo()
        play(teken, permit)
        assert row(teken, permit).state == State.IN_FORCE
