"""Numbering that is closed is a fault; a backup that is missing or old, a warning."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta

import pytest

from service import gate
from service.backup import make
from service.clock import SetClock
from service.doctor import examine
from tests.support.office import NOW, client_of, open_office, payload, play, post

DAY = timedelta(days=1)


def told(teken, check, at=NOW):
    return [(str(one.state), one.code) for one in examine(teken.settings, clock=SetClock(at)) if one.check == check]


@pytest.fixture
def teken(tmp_path, keys):
    with closing(open_office(tmp_path / "rumah", keys)) as teken:
        yield teken


def test_closed_numbering_is_a_fault(teken):
    assert told(teken, "numbering") == [("ok", "numbering_open_fine")]
    gate.close(teken, gate.RESTORED, {})
    assert told(teken, "numbering") == [("fault", "numbering_shut")]


def test_a_missing_or_old_backup_is_a_warning(teken, tmp_path):
    assert told(teken, "backup") == [("ok", "backup_not_yet")]
    kind = ("rokan-hilir", "sip-perekam-medis")
    play(teken, post(teken, client_of(teken, kind[0]), payload(*kind)).body["id"])
    assert told(teken, "backup") == [("warning", "backup_never")]
    make(teken, tmp_path / "cadangan")
    assert told(teken, "backup") == [("ok", "backup_fine")]
    assert told(teken, "backup", NOW + 2 * DAY) == [("warning", "backup_old")]
