"""The inside of the cage: one file is inspected by one process that can do little else and lives for seconds.

The question and the answer pass over one socket, each with its length before it, so that half an answer is none.
"""

from __future__ import annotations

import base64
import ctypes
import json
import os
import resource
import signal
import socket
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from signing.facts import Trust, to_json

LARGEST_ANSWER: Final = 4 << 20
LENGTH: Final = 8
_FEW_FILES: Final = 64
_NICE: Final = 10
_NEW_USER, _NEW_NET = 0x10000000, 0x40000000
_NO_NEW_PRIVILEGES, _DIES_WITH_PARENT = 38, 1


def question(pdf: bytes, trust: Trust) -> bytes:
    """Return what the cage is asked: whom to trust, in one line of JSON, and the file."""
    encoded: dict[str, Any] = {
        key: [base64.b64encode(der).decode() for der in getattr(trust, key)]
        for key in ("anchors_der", "intermediates_der", "crls_der")
    }
    encoded["at"] = trust.at.isoformat() if trust.at else None
    return json.dumps(encoded).encode() + b"\n" + pdf


def inspect_from(asked: socket.socket) -> None:
    """Read one question, answer it. Whatever goes wrong ends the process: no answer is an answer too."""
    from signing.inspection import inspect

    trust, pdf = _understood(_read(asked))
    answer = json.dumps(to_json(inspect(pdf, trust))).encode()
    asked.sendall(len(answer).to_bytes(LENGTH) + answer)


def confine(seconds: int, memory: int) -> None:
    """Cap processor time and address space, and take away what an inspection has no use for.

    Not every kernel grants every part; the caps on time and memory must hold, and OSError is raised where they don't.
    """
    _stand_back()
    _call("prctl", _NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_FEW_FILES, _FEW_FILES))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))  # root is not bound by it: what it starts ends with the group


def without_network() -> None:
    """Move this process to a network of its own, which leads nowhere, where the kernel lets an ordinary user do so."""
    if _call("unshare", _NEW_USER | _NEW_NET):
        _call("unshare", _NEW_NET)


def die_with_parent() -> None:
    """Have the kernel end this process when the one that made it ends."""
    _call("prctl", _DIES_WITH_PARENT, signal.SIGKILL, 0, 0, 0)


def _stand_back() -> None:
    """Others first: for the processor, and when the machine runs out of memory this one goes."""
    with suppress(OSError):
        os.nice(_NICE)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", "ascii")


def _call(name: str, *numbers: int) -> int:
    try:
        return int(getattr(ctypes.CDLL(None, use_errno=True), name)(*numbers))
    except (AttributeError, OSError):
        return -1


def _read(asked: socket.socket) -> bytes:
    with asked.makefile("rb") as stream:
        length = int.from_bytes(stream.read(LENGTH))
        whole = stream.read(length)
    if len(whole) != length:
        raise EOFError
    return whole


def _understood(whole: bytes) -> tuple[Trust, bytes]:
    line, _, pdf = whole.partition(b"\n")
    told = json.loads(line)
    at = told.pop("at")
    ders = {key: tuple(base64.b64decode(der) for der in value) for key, value in told.items()}
    return Trust(**ders, at=datetime.fromisoformat(at) if at else None), pdf
