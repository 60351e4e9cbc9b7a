"""Runs the inspector in a child process with caps on memory, processor and wall time: hostile files end there.

Each file has a child of its own: forked from a process that has everything loaded where `keep_warm` was called (a web
process), a fresh interpreter elsewhere. The answer is checked: even a child that was taken over can only lie about its file.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from signing.cage import LARGEST_ANSWER, LENGTH, confine, inspect_from, question, without_network
from signing.facts import Inspection, Trust, from_json
from signing.zygote import ORDER

_MEGABYTE: Final = 1 << 20
_ROOT: Final = Path(__file__).resolve().parent.parent
_STARTING: Final = 10.0
"""Seconds of wall time granted on top, for a busy machine."""
_HANDING_OVER: Final = 2.0
_ZYGOTE: Final = (sys.executable, "-m", "signing.zygote")
_FRESH: Final = (sys.executable, "-m", "signing.isolation")
_ENVIRONMENT: Final = {"PYTHONPATH": str(_ROOT), "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"}


@dataclass(frozen=True, slots=True)
class _Caps:
    seconds: int
    memory: int
    wall: float


@dataclass(frozen=True, slots=True)
class _Zygote:
    process: subprocess.Popen[bytes]
    control: socket.socket
    keeper: int


_zygote: _Zygote | None = None
_change = threading.Lock()


def inspect_isolated(pdf: bytes, trust: Trust, *, seconds: float = 10.0, memory: int = 1024 * _MEGABYTE) -> Inspection:
    """Inspect in a child of `memory` bytes of address space and `seconds` of processor time.

    Never raises for what a file holds: a child that dies, hangs or answers nonsense makes the outcome `undetermined`.
    """
    sha256 = hashlib.sha256(pdf).hexdigest()
    caps, asked = _Caps(max(1, round(seconds)), memory, seconds + _STARTING), question(pdf, trust)
    try:
        answer = _by_forked_child(asked, caps)
        return _answer(_by_fresh_child(asked, caps) if answer is None else answer, sha256)
    except TimeoutError:
        return Inspection(sha256, "undetermined", "timeout")
    except OSError:  # the child went without a whole answer, or could not be made at all
        return Inspection(sha256, "undetermined", "killed")


def keep_warm() -> None:
    """Keep a process with the inspector loaded for this one, from now on. Returns at once."""
    with suppress(OSError):
        _kept(start=True)


def let_go() -> None:
    """End it; files of later on get a fresh interpreter each."""
    global _zygote
    with _change:
        gone, _zygote = _zygote, None
    if gone is not None and gone.keeper == os.getpid():
        with suppress(OSError):  # a close alone is none while a forked process holds the same socket
            gone.control.shutdown(socket.SHUT_RDWR)
        gone.control.close()
        gone.process.wait()


def _kept(*, start: bool) -> _Zygote | None:
    """Return this process's zygote; one that died is replaced."""
    global _zygote  # noqa: PLW0603 - one for each process
    with _change:
        mine = _zygote if _zygote is not None and _zygote.keeper == os.getpid() else None
        if (mine is None and start) or (mine is not None and mine.process.poll() is not None):
            if mine is not None:
                mine.control.close()
            mine = _zygote = _born()
        return mine


def _born() -> _Zygote:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.settimeout(_HANDING_OVER)
    with theirs:
        process = subprocess.Popen(  # noqa: S603  # our own interpreter and module
            [*_ZYGOTE, str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(theirs.fileno(),),
            cwd=_ROOT,
            env=_ENVIRONMENT,
        )
    return _Zygote(process, ours, os.getpid())


def _by_forked_child(asked: bytes, caps: _Caps) -> bytes | None:
    """Ask a child of the zygote. None: there is no zygote, or it went; that is no fact about the file."""
    zygote = _kept(start=False)
    if zygote is None:
        return None
    ours, theirs = socket.socketpair()
    until = time.monotonic() + caps.wall  # before the zygote's own watch begins: what it ends has taken too long
    with ours:
        try:
            with theirs:
                socket.send_fds(zygote.control, [ORDER.pack(caps.seconds, caps.memory, caps.wall)], [theirs.fileno()])
            return _exchange(ours, asked, until)
        except TimeoutError:
            raise
        except OSError:
            if zygote.process.poll() is None and not _hung_up(zygote.control):
                raise
            return None


def _hung_up(control: socket.socket) -> bool:
    """Tell whether nobody is at the other end: of a process that dies, that shows before the process can be waited for."""
    waiting = select.poll()
    try:
        waiting.register(control, 0)
    except ValueError:  # another thread has closed it meanwhile: let go, or replaced
        return True
    return any(happened & (select.POLLHUP | select.POLLERR) for _, happened in waiting.poll(0))


def _by_fresh_child(asked: bytes, caps: _Caps) -> bytes:
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            child = subprocess.Popen(  # noqa: S603  # our own interpreter and module; nothing of the file is in the command
                [*_FRESH, str(caps.seconds), str(caps.memory)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                cwd=_ROOT,
                env=_ENVIRONMENT,
            )
        try:
            return _exchange(ours, asked, time.monotonic() + caps.wall)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def _exchange(ours: socket.socket, asked: bytes, until: float) -> bytes:
    """Send the question, return the whole answer.

    Raises TimeoutError from `until` on (a moment of the monotonic clock), OSError where the child goes before it said all.
    """
    try:
        ours.settimeout(max(0.001, until - time.monotonic()))
        ours.sendall(len(asked).to_bytes(LENGTH))
        ours.sendall(asked)
        length = int.from_bytes(_received(ours, LENGTH, until))
        return _received(ours, min(length, LARGEST_ANSWER + 1), until)
    except ConnectionError:
        if time.monotonic() < until:
            raise
        raise TimeoutError from None


def _received(ours: socket.socket, size: int, until: float) -> bytes:
    whole = bytearray()
    while len(whole) < size:
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        ours.settimeout(left)
        piece = ours.recv(min(size - len(whole), _MEGABYTE))
        if not piece:
            raise ConnectionError
        whole += piece
    return bytes(whole)


def _answer(output: bytes, sha256: str) -> Inspection:
    try:
        if len(output) > LARGEST_ANSWER:
            raise ValueError("too long")
        inspection = from_json(json.loads(output))
        if inspection.sha256 != sha256:
            raise ValueError("another file")
    except (ValueError, KeyError, TypeError, RecursionError):
        return Inspection(sha256, "undetermined", "nonsense")
    return inspection


def _child(seconds: int, memory: int) -> None:
    """The life of a fresh child."""
    without_network()
    confine(seconds, memory)
    inspect_from(socket.socket(fileno=0))


atexit.register(let_go)

if __name__ == "__main__":
    _child(int(sys.argv[1]), int(sys.argv[2]))
