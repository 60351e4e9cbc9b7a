"""The folder in which one web server's processes count together; folders of servers that were killed are removed by the next one.

Whoever holds a folder's lock lives: the kernel frees it with the last of the server's processes, however that ended.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

_PREFIX = "teken-metrics-"
_LOCK = "lock"


def fresh() -> Path:
    """Make a folder that is this process's and its children's, until all of them have ended."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        held = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)  # never closed
        fcntl.flock(held, fcntl.LOCK_EX)
        if _names(folder, held):
            return folder
        os.close(held)  # a sweep took it for a dead one's, before it was locked


def sweep() -> None:
    """Remove our user's folders that nobody holds. One without a lock is of an older program, which may live."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            if folder.lstat().st_uid == os.geteuid():
                _remove_if_dead(folder)
        except OSError:  # its owner's, another sweep's, or gone
            continue


def _remove_if_dead(folder: Path) -> None:
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)


def _names(folder: Path, held: int) -> bool:
    try:
        return os.path.samestat((folder / _LOCK).stat(), os.fstat(held))
    except FileNotFoundError:
        return False
