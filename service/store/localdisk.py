"""SQLite's WAL needs a local disk: on a network file system two hosts would corrupt the register. Checked at start (§6)."""

from __future__ import annotations

from pathlib import Path

from service.errors import TekenError

MOUNTS = Path("/proc/self/mountinfo")
NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "glusterfs", "afs", "fuse.sshfs", "fuse.glusterfs", "fuse.s3fs"}
)


class NetworkDisk(TekenError):
    """The SQLite file lies on a network file system: use a local disk, or PostgreSQL."""

    code = "network_disk"


def check_local(path: Path, mounts: Path = MOUNTS) -> None:
    """Raise NetworkDisk if `path` lies on a network file system. Where mounts can't be read, nothing is known and nothing refused."""
    try:
        listed = mounts.read_text().splitlines()
    except OSError:
        return
    resolved = path.resolve()
    best, kind = Path("/"), ""
    for line in listed:
        before, _, after = line.partition(" - ")
        point = Path(before.split()[4].encode().decode("unicode_escape"))
        if (resolved == point or point in resolved.parents) and len(point.parts) >= len(best.parts):
            best, kind = point, after.split()[0]
    if kind in NETWORK:
        raise NetworkDisk(kind=kind)
