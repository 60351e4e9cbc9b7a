"""SQLite is refused on a network disk, by the nearest mount, and says nothing where mounts are unknown."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.store.localdisk import NetworkDisk, check_local

MOUNTS = """21 1 8:1 / / rw - ext4 /dev/sda1 rw
22 21 0:50 / /srv/share rw - nfs4 server:/share rw
23 22 8:2 / /srv/share/local rw - ext4 /dev/sdb1 rw
24 21 0:51 / /mnt/two\\040words rw - cifs //server/two rw
"""


@pytest.fixture
def mounts(tmp_path) -> Path:
    path = tmp_path / "mountinfo"
    path.write_text(MOUNTS)
    return path


@pytest.mark.parametrize("path", ["/srv/share/teken.db", "/srv/share", "/mnt/two words/a/teken.db"])
def test_a_network_disk_is_refused(mounts, path):
    with pytest.raises(NetworkDisk):
        check_local(Path(path), mounts)


@pytest.mark.parametrize("path", ["/srv/teken.db", "/srv/sharex/teken.db", "/srv/share/local/teken.db"])
def test_a_local_disk_is_fine(mounts, path):
    check_local(Path(path), mounts)


def test_without_mountinfo_nothing_is_refused(tmp_path):
    check_local(Path("/srv/share/teken.db"), tmp_path / "missing")
