"""The name of stored bytes: their SHA-256 in hex, and where it stands in a tree of folders or keys."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime

_NAME = re.compile(r"[0-9a-f]{64}\Z")
_PATH = re.compile(r"([0-9a-f]{2})/([0-9a-f]{62})\Z")


MARKS = "checkpoints"
"""The folder, or the part of a key, of words that are kept beside the documents."""
_MOST = (10**4 - 1, 10**12 - 1)


@dataclass(frozen=True, slots=True)
class Listed:
    """One stored file: its name and when it came."""

    name: str
    since: datetime


def sha256(data: bytes) -> str:
    """Return the lower-case hex SHA-256."""
    return hashlib.sha256(data).hexdigest()


def path_of(name: str) -> str:
    """Return `ab/cdef…`: the same in a folder and in a bucket, so that either can be copied into the other by any tool."""
    assert _NAME.match(name), "an archive name is a SHA-256 in hex"
    return f"{name[:2]}/{name[2:]}"


def name_at(path: str) -> str | None:
    """Return the name that stands at a path, or None for anything else that lies there."""
    found = _PATH.match(path)
    return found[1] + found[2] if found else None


def mark_path(order: tuple[int, int]) -> str:
    """Return where a word of this order stands: the newest comes first in any listing."""
    era, length = (most - number for most, number in zip(_MOST, order, strict=True))
    return f"{MARKS}/{era:04}-{length:012}"
